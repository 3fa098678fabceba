"""Compares the clients: one after the other, round after round, and takes the medians.

    python run.py SERVER [--rounds 9] [--scale 1.0] [--out FILE.md]

The server runs on core 0, the client on core 1. A round is one run of every client, so that
whatever else the machine does meets all of them alike. Ends with 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from clients import CLIENTS, WARM_UP

HERE = Path(__file__).parent
#: How many messages a run sends: enough for a steady figure.
MESSAGES = {
    "hongyan send_many": 20_000,
    "hongyan AsyncClient": 10_000,
    "hongyan send": 10_000,
    "pycurl multi": 5_000,
    "aiohttp+uvloop": 5_000,
    "httpx": 2_000,
    "requests": 2_000,
    "Apprise json://": 1_000,
}
COLD = {
    "hongyan": "cold_hongyan.py",
    "requests": "cold_requests.py",
    "python alone": "cold_nothing.py",
}
COLD_RUNS = 5


def pinned(core: int) -> list[str]:
    return ["taskset", "-c", str(core)] if (os.cpu_count() or 1) > 1 else []


def posts(url: str) -> int:
    with urllib.request.urlopen(f"{url}/count") as answer:
        return int(answer.read())


def measure(name: str, url: str, count: int) -> dict[str, float]:
    command = [*pinned(1), sys.executable, str(HERE / "clients.py"), name, url, str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    if posts(url) != count + WARM_UP:
        raise SystemExit(f"{name}: the server did not get {count + WARM_UP} messages")
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def cold(program: str, url: str) -> float:
    """Milliseconds from exec to exit."""
    command = [*pinned(1), sys.executable, "-I", str(HERE / program), url]
    before = time.perf_counter()
    subprocess.run(command, check=True)
    return (time.perf_counter() - before) * 1000


def goals(cpu: dict[str, float], start: dict[str, float]) -> list[tuple[str, float, float]]:
    many, awaited = cpu["hongyan send_many"], cpu["hongyan AsyncClient"]
    return [
        ("send_many, CPU / aiohttp+uvloop", many / cpu["aiohttp+uvloop"], 1 / 6),
        ("send_many, CPU / requests", many / cpu["requests"], 1 / 25),
        ("send_many, CPU / Apprise", many / cpu["Apprise json://"], 1 / 40),
        ("AsyncClient.send at 64, CPU / aiohttp+uvloop", awaited / cpu["aiohttp+uvloop"], 1 / 3),
        ("import and first message, wall / requests", start["hongyan"] / start["requests"], 1 / 3),
    ]


def machine() -> str:
    with open("/proc/cpuinfo") as file:
        names = {line.split(":")[1].strip() for line in file if line.startswith("model name")}
    return f"{', '.join(names)}, {os.cpu_count()} cores; Python {platform.python_version()}"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in CLIENTS}
    starts: dict[str, list[float]] = {name: [] for name in COLD}
    server = subprocess.Popen([*pinned(0), args.server], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        for number in range(args.rounds):
            for name in CLIENTS:
                runs[name].append(measure(name, url, int(MESSAGES[name] * args.scale)))
            for _ in range(COLD_RUNS):
                for name, program in COLD.items():
                    starts[name].append(cold(program, url))
            posts(url)
            print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
    finally:
        server.kill()
        server.wait()
    cpu = {name: statistics.median(run["cpu_us"] for run in runs[name]) for name in runs}
    wall = {name: statistics.median(run["wall_us"] for run in runs[name]) for name in runs}
    start = {name: statistics.median(found) for name, found in starts.items()}
    reached = goals(cpu, start)
    lines = [
        f"{machine()}; {args.rounds} interleaved rounds, medians.",
        "",
        "| client | CPU µs a message | wall µs a message | CPU × send_many |",
        "|---|---|---|---|",
    ]
    many = cpu["hongyan send_many"]
    lines += [
        f"| {name} | {cpu[name]:.1f} | {wall[name]:.1f} | {cpu[name] / many:.1f} |" for name in cpu
    ]
    lines += ["", "| import, first message answered, exit | ms |", "|---|---|"]
    lines += [f"| {name} | {ms:.1f} |" for name, ms in start.items()]
    lines += ["", "| goal | figure | at most | |", "|---|---|---|---|"]
    for what, figure, most in reached:
        met = "reached" if figure <= most else "missed"
        shares = f"{figure:.3f} (1/{1 / figure:.1f}) | {most:.3f} (1/{1 / most:.0f})"
        lines.append(f"| {what} | {shares} | {met} |")
    report = "\n".join(lines) + "\n"
    print(report)
    if args.out is not None:
        args.out.write_text(report)
    return 0 if all(figure <= most for _, figure, most in reached) else 1


if __name__ == "__main__":
    sys.exit(main())
