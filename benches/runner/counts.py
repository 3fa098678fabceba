"""What can be counted exactly: instructions, allocations, system calls."""

import os
import re
import subprocess

from .build import OUT
from .server import WARM_UP, pinned

# What is counted is the difference of two runs, so that start, warm-up and end fall out of it. It
# has as many texts of each length, and as many refusals, as any stretch of so many messages.
FEW, MANY = 600, 3000


def counted(server, run, tool, read):
    """Runs it under a tool with few and with many messages: the difference, a message."""
    totals = []
    for messages in (FEW, MANY):
        command = [*pinned(1), *tool, *run.command(server, messages)]
        done = subprocess.run(
            command, cwd=OUT, capture_output=True, text=True, timeout=300, env=run.environment()
        )
        if done.returncode != 0:
            raise SystemExit(f"{run} under {tool[0]} failed:\n{done.stderr}")
        server.check(f"{run} under {tool[0]}", WARM_UP + messages)
        totals.append(read(done.stderr))
    return (totals[1] - totals[0]) / (MANY - FEW)


def instructions(server, run):
    """Instructions in user space a message, of the program and all its libraries."""
    name = f"callgrind.{run.client}.{run.mode}.{run.in_flight}.{run.texts}.{run.service}"
    profile = OUT / (name + (".number" if run.by_number else ""))
    tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}"]
    return counted(server, run, tool, lambda text: int(re.search(r"Collected : (\d+)", text)[1]))


def allocations(server, run):
    """Allocations on the heap a message."""

    def read(text):
        return int(re.search(r"total heap usage: ([\d,]+) allocs", text)[1].replace(",", ""))

    return counted(server, run, ["valgrind", "--tool=memcheck"], read)


def system_calls(server, run):
    """System calls a message, by name: those that at least one message in a hundred makes."""
    table = OUT / "strace.txt"
    names = {}

    def read(_):
        for line in table.read_text().splitlines():
            words = line.split()
            if len(words) >= 5 and words[0][0].isdigit() and words[-1] != "total":
                names.setdefault(words[-1], []).append(int(words[3]))
        return 0

    counted(server, run, ["strace", "-f", "-c", "-o", str(table)], read)
    os.unlink(table)
    calls = {}
    for name, totals in names.items():
        # A call that only one of the runs made is part of its start or end.
        if len(totals) == 2 and (totals[1] - totals[0]) / (MANY - FEW) >= 0.01:
            calls[name] = (totals[1] - totals[0]) / (MANY - FEW)
    return calls
