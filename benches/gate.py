#!/usr/bin/env python3
"""Counts what a message costs and how large the library is, and fails where docs/benchmarks.md says less.

Instructions, allocations and bytes are counted exactly, on any machine, however busy: so a change that
makes a message dearer by more than 15 %, or a library larger by more than 2 %, is found where times would
tell nothing.
"""

import sys

sys.dont_write_bytecode = True

from runner import build, counts, plan, report, server  # noqa: E402

ROOM = 1.15
ROOM_OF_SIZE = 1.02
COUNTED = [run for run in plan.COUNTED if run.client == "hongyan"]


def main():
    known = report.counted_before()
    build.library()
    build.programs("server", "hongyan")
    build.certificates()
    dearer = []
    with server.Server() as running:
        running.counters()
        for run in COUNTED:
            label = report.counted_label(run)
            if label not in known:
                raise SystemExit(f"gate: {report.DOCUMENT.name} has no counts of {label}")
            counted = (counts.instructions(running, run), counts.allocations(running, run))
            for what, now, before in zip(
                ("instructions", "allocations"), counted, known[label], strict=True
            ):
                words = f"{', '.join(label)}: {now:,.1f} {what} a message, {before:,.1f} before"
                print(f"gate: {words}", flush=True)
                if now > before * ROOM:
                    dearer.append(words)
    if dearer:
        raise SystemExit("gate: dearer by more than 15 %:\n" + "\n".join(dearer))
    check_sizes()


def check_sizes():
    known = report.sizes_before()
    larger = []
    for name, now in build.stripped_sizes().items():
        if name not in known:
            raise SystemExit(f"gate: {report.DOCUMENT.name} has no size of {report.BUILDS[name]}")
        words = f"{report.BUILDS[name]}: {now:,} bytes, {known[name]:,} before"
        print(f"gate: {words}", flush=True)
        if now > known[name] * ROOM_OF_SIZE:
            larger.append(words)
    if larger:
        raise SystemExit("gate: larger by more than 2 %:\n" + "\n".join(larger))


if __name__ == "__main__":
    main()
