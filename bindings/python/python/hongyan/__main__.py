"""The command line: ``python -m hongyan``."""

from __future__ import annotations

import signal
import sys

from ._native import main


def run() -> None:
    """Runs the command and ends the process with its status."""
    # The command does not return to Python while it works: Ctrl-C ends it like any other.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main([sys.executable, "-m", "hongyan"], sys.argv[1:]))


if __name__ == "__main__":
    run()
