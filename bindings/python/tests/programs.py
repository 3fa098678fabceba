"""Programs that the tests run in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

PRELUDE = """
import asyncio, gc, json, os, random, signal, sys, threading, time, weakref
import hongyan
# A shell lets what it runs in the background ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
config = json.loads(sys.argv[1])
U = {"user": "u"}
client = hongyan.Client(config)
"""

#: How long a test waits for what must come, in seconds.
GUARD = 120


def start(program: str, config: dict[str, Any], *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PRELUDE + program, json.dumps(config), *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )


@contextmanager
def guarded(process: subprocess.Popen[str]) -> Generator[subprocess.Popen[str], None, None]:
    """Ends a process that hangs, so that whoever reads from it goes on."""
    guard = threading.Timer(GUARD, process.kill)
    guard.start()
    try:
        yield process
    finally:
        guard.cancel()
        process.kill()


def run(program: str, config: dict[str, Any], *arguments: str) -> tuple[str, str, int]:
    """What it wrote to stdout and to stderr, and its status."""
    with guarded(start(program, config, *arguments)) as process:
        out, err = process.communicate()
    return out, err, process.returncode
