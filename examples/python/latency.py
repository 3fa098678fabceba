"""Measures how long sends take, and plots it: as a picture with matplotlib, else as text.

    python latency.py CONFIG ACCOUNT KIND=RECIPIENT [COUNT] [PICTURE.png]

Against a sandbox: ``python latency.py hongyan.json renren-bearer users=222209506 1000``.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import hongyan


def measure(client: hongyan.Client, message: dict[str, Any], count: int) -> list[float]:
    """Milliseconds of each of so many sends, one after the other."""
    took: list[float] = []
    for number in range(count):
        before = time.perf_counter()
        client.send(**message, text=f"message {number} of {count}")
        took.append((time.perf_counter() - before) * 1000)
    return took


def text_plot(took: list[float]) -> None:
    """A histogram of twenty steps up to the 99th percentile."""
    ordered = sorted(took)
    top = ordered[int(len(ordered) * 0.99)] or 1e-9
    steps = [0] * 20
    for value in took:
        steps[min(int(value / top * 20), 19)] += 1
    for number, step in enumerate(steps):
        print(f"{number * top / 20:8.2f} ms {step:6} {'#' * round(60 * step / max(steps))}")


def plot(took: list[float], picture: str) -> bool:
    """The same as a picture; False where there is no matplotlib."""
    try:
        import matplotlib  # pyright: ignore[reportMissingImports]
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot  # pyright: ignore[reportMissingImports]

    pyplot.hist(took, bins=100)
    pyplot.xlabel("ms")
    pyplot.ylabel("sends")
    pyplot.savefig(picture)
    return True


def main() -> int:
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    config, account, recipient = sys.argv[1:4]
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 200
    picture = sys.argv[5] if len(sys.argv) > 5 else "latency.png"
    kind, _, value = recipient.partition("=")
    listed = kind in ("users", "groups", "discussions", "members")
    message: dict[str, Any] = {"account": account, "to": {kind: [value] if listed else value}}
    if account.startswith("renren"):
        message["extra"] = {"messageType": "ANY", "resourceTitle": "latency"}
    with hongyan.Client(config) as client:
        took = measure(client, message, count)
    ordered = sorted(took)
    print(f"{count} sends: median {ordered[count // 2]:.2f} ms, slowest {ordered[-1]:.2f} ms")
    if plot(took, picture):
        print(f"see {picture}")
    else:
        print("without matplotlib, as text:")
        text_plot(took)
    return 0


if __name__ == "__main__":
    sys.exit(main())
