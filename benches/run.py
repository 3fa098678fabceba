#!/usr/bin/env python3
"""Builds the library and the programs, measures, and prints the figures as Markdown.

    benches/run.py [--runs N] [--only GROUP,...] [--write]

Groups: cpu, sizes, tls, flat, cold, counts, library. Without --only it is all of them, and --write
puts them into docs/benchmarks.md. RUNS in the environment is --runs. All that is built or written
else goes below the target folder.
"""

import argparse
import os
import sys

sys.dont_write_bytecode = True

from runner import build, counts, plan, report, runs, server  # noqa: E402


class Results:
    """All that was measured; what was not is empty."""

    def __init__(self, rounds):
        self.rounds = rounds
        self.load = os.getloadavg()
        self.figures = runs.Figures()
        self.cold = None
        self.instructions = {}
        self.allocations = {}
        self.system_calls = {}
        self.sizes = {}
        self.code = {}


def say(what):
    print(f"bench: {what}", file=sys.stderr, flush=True)


def measure(groups, rounds):
    results = Results(rounds)
    if "library" in groups:
        results.sizes = build.stripped_sizes()
        results.code = build.service_code()
    with server.Server() as running:
        running.counters()
        chosen = [group for name, group in plan.GROUPS.items() if name in groups]
        results.figures = runs.interleave(running, sum(chosen, []), rounds, say)
        if "cold" in groups:
            say("cold starts")
            results.cold = runs.cold(running, sum(plan.COLD.values(), []), rounds)
        if "counts" in groups:
            for run in plan.COUNTED:
                say(f"counting {run.client} {run.mode} at {run.in_flight}")
                results.instructions[run] = counts.instructions(running, run)
                results.allocations[run] = counts.allocations(running, run)
                results.system_calls[run] = counts.system_calls(running, run)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = [*plan.GROUPS, *plan.OTHERS]
    parser.add_argument("--runs", type=int, default=int(os.environ.get("RUNS", "9")))
    parser.add_argument("--only", help="of " + ", ".join(known))
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    args = parser.parse_args()
    groups = args.only.split(",") if args.only else known
    if set(groups) - set(known) or args.runs < 1:
        parser.error("groups are " + ", ".join(known))
    if args.write and args.only:
        parser.error("--write takes every group")

    say("building")
    build.library()
    build.programs()
    build.peers()
    build.certificates()
    build.system_authorities()
    results = measure(groups, args.runs)
    if args.write:
        report.write(results)
        say(f"wrote {report.DOCUMENT.relative_to(build.ROOT)}")
    print(report.markdown(results))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
