"""Sends one message and says what became of it.

    python hello.py [CONFIG]

A configuration for the local sandbox comes from ``python -m hongyan sandbox --print-config``.
"""

from __future__ import annotations

import sys

import hongyan


def main() -> int:
    config = sys.argv[1] if len(sys.argv) > 1 else "hongyan.json"
    with hongyan.Client(config) as client:
        try:
            receipt = client.send("fanfou-basic", to={"user": "lisztli"}, text="hello", timeout=30)
        except hongyan.MaybeSentError as error:
            print(f"{error}; sending it again may double it")
            return 7
        except hongyan.Error as error:
            print(f"not sent: {error}; sending it again cannot double it")
            return 1
    print(f"sent, with the id {receipt.message_id}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
