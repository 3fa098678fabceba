"""Programs that the tests run in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

PRELUDE = """
import asyncio, gc, json, os, random, signal, sys, threading, time, weakref
import hongyan
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


def run(program: str, config: dict[str, Any], *arguments: str) -> tuple[str, str, int]:
    """What it wrote to stdout and to stderr, and its status."""
    process = start(program, config, *arguments)
    try:
        out, err = process.communicate(timeout=GUARD)
    finally:
        process.kill()
    return out, err, process.returncode
