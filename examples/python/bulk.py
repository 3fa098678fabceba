"""Sends a message for every line of a CSV file, with a progress bar, and reports the failures.

    python bulk.py CONFIG MESSAGES.csv [FAILURES.csv]

The columns are ``account``, ``kind`` (of recipient: ``user``, ``name``, ``group`` …),
``recipient``, ``text``, and, if wanted, ``key``: a line that has one is never sent twice while the
program runs. What was not sent is written to FAILURES.csv with the reason; lines that may have been
sent are marked, because sending those again may double them. Install tqdm to see the bar.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from typing import Any, TextIO

import hongyan


def message(row: dict[str, str]) -> Any:
    message: dict[str, Any] = {
        "account": row["account"],
        "to": {row["kind"]: row["recipient"]},
        "text": row["text"],
    }
    if row.get("key"):
        message["key"] = row["key"]
    return message


def report(rows: list[dict[str, str]], failures: TextIO, client: hongyan.Client) -> Counter[str]:
    """Sends everything, and writes a line for each failure as soon as it is known."""
    writer = csv.writer(failures)
    writer.writerow([*rows[0], "delivery", "error", "retryable", "message"])
    counts: Counter[str] = Counter()
    receipts = client.send_many([message(row) for row in rows], progress=True)
    for row, receipt in zip(rows, receipts):
        counts[receipt.delivery] += 1
        error = receipt.error
        if error is not None:
            what = [receipt.delivery, error.name, "yes" if error.retryable else "no", str(error)]
            writer.writerow([*row.values(), *what])
    return counts


def main() -> int:
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    config, source = sys.argv[1:3]
    target = sys.argv[3] if len(sys.argv) > 3 else "failures.csv"
    with open(source, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        print("nothing to send")
        return 0
    with (
        open(target, "w", newline="", encoding="utf-8") as failures,
        hongyan.Client(config) as client,
    ):
        counts = report(rows, failures, client)
    print(", ".join(f"{count} {delivery}" for delivery, count in sorted(counts.items())))
    if counts["sent"] < len(rows):
        print(f"see {target}")
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
