#!/usr/bin/env python3
"""Measures a durable message through the C ABI: submitted, sent, taken and acknowledged, 64 in flight, in a file.

    benches/durable.py [RUNS]

CPU is user and system time of the whole process; instructions are those in user space, by callgrind.
"""

import statistics
import sys
import tempfile

sys.dont_write_bytecode = True

from runner import build, counts, runs, server  # noqa: E402

GOALS = {"CPU µs": 75, "instructions": 170_000}


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    build.LIBRARY += ["--features", "outbox"]
    build.library()
    build.programs("server", "hongyan")
    build.certificates()
    with server.Server() as running, tempfile.TemporaryDirectory(dir=build.OUT) as folder:
        running.counters()
        run = runs.Run("hongyan", "submit", 64, outbox=f"{folder}/outbox.db")
        plain = runs.Run("hongyan", "submit", 64)
        cpu = {one: [] for one in (run, plain)}
        for _ in range(rounds):
            for one, figures in cpu.items():
                figures.append(runs.measure(running, one)["cpu_us"])
        instructions = counts.instructions(running, run)
    durable, kept = (statistics.median(cpu[one]) for one in (run, plain))
    print(f"CPU a durable message {durable:.1f} µs (goal {GOALS['CPU µs']}); in memory {kept:.1f} µs")
    print(f"instructions a durable message {instructions:,.0f} (goal {GOALS['instructions']:,})")


if __name__ == "__main__":
    main()
