"""The runs of the client programs, interleaved."""

import json
import os
import statistics
import subprocess
from dataclasses import dataclass

from .build import OUT
from .server import WARM_UP, pinned


@dataclass(frozen=True)
class Run:
    """One way of sending the messages."""

    client: str
    mode: str
    in_flight: int
    scheme: str = "http"
    answer: int = 1500
    messages: int = 0  # 0: as many as take a fraction of a second
    ca: str = "ca.pem"
    texts: str = "short"
    by_number: bool = False  # the host by its address, not by its name
    service: str = "weibo"  # another is known to libhongyan's program only
    outbox: str = ""  # the path of a file that libhongyan's program keeps its messages in

    def count(self):
        return self.messages or (9000 if self.in_flight > 1 else 3000)

    def command(self, server, messages=None):
        command = [str(OUT / f"bench-{self.client}"), self.mode]
        by_number = self.by_number or self.client == "raw"  # which looks no name up
        command.append(server.url(self.scheme, self.answer, by_number))
        command += [str(self.in_flight), str(messages or self.count())]
        return command + ([str(OUT / self.ca)] if self.scheme == "https" else [])

    def environment(self):
        more = {"BENCH_OUTBOX": self.outbox} if self.outbox else {}
        return {**os.environ, "BENCH_TEXTS": self.texts, "BENCH_SERVICE": self.service, **more}

    def __str__(self):
        how = f"{self.client} {self.mode} at {self.in_flight}"
        work = f"{self.answer} bytes, {self.count()} {self.texts} messages"
        return f"{how} over {self.scheme}, {work} by {self.service}"


def measure(server, run):
    """Runs it once: what it measured of itself, and what the server counted."""
    done = subprocess.run(
        [*pinned(1), *run.command(server)],
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        env=run.environment(),
    )
    if done.returncode != 0:
        raise SystemExit(f"{run}: it failed")
    figures = json.loads(done.stdout)
    return figures | server.check(str(run), WARM_UP + run.count())


class Figures:
    """What the rounds gave for each run."""

    def __init__(self):
        self.rounds = {}

    def add(self, run, figures):
        self.rounds.setdefault(run, []).append(figures)

    def has(self, run):
        return run in self.rounds

    def median(self, run, name):
        return statistics.median(figures[name] for figures in self.rounds[run])

    def megabytes(self, run):
        """The highest resident size."""
        return self.median(run, "vmhwm_kb") * 1024 / 1e6

    def worst(self, run, name):
        return max(figures[name] for figures in self.rounds[run])

    def ratio(self, run, other, name="cpu_us"):
        """The median of the ratios, each of two runs in one round."""
        pairs = zip(self.rounds[run], self.rounds[other], strict=True)
        return statistics.median(mine[name] / theirs[name] for mine, theirs in pairs)

    def spread(self, run, other, name="cpu_us"):
        """The lowest and the highest of these ratios."""
        pairs = zip(self.rounds[run], self.rounds[other], strict=True)
        ratios = [mine[name] / theirs[name] for mine, theirs in pairs]
        return min(ratios), max(ratios)


def interleave(server, plan, rounds, say):
    """Runs the plan this many times, in alternating direction."""
    figures = Figures()
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        for run in plan if number % 2 == 0 else reversed(plan):
            figures.add(run, measure(server, run))
    return figures


COLD_TIMES = 20


def cold(server, plan, rounds):
    """From exec to exit with one message answered."""
    figures = Figures()
    for _ in range(rounds):
        for run in plan:
            command = [*pinned(1), str(OUT / "bench-cold"), str(COLD_TIMES), *run.command(server)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=120)
            if done.returncode != 0:
                raise SystemExit(f"{run}: it failed")
            counted = server.counters()["messages"]
            if counted != COLD_TIMES:
                raise SystemExit(f"{run}: the server counted {counted} messages")
            figures.add(run, json.loads(done.stdout))
    return figures
