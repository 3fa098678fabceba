"""A mail server that answers as a script says, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

GREETING = "CONNECT"
DOT = "."
USUAL = {
    GREETING: "220 mx.example ESMTP",
    "EHLO": "250-mx.example\r\n250 AUTH PLAIN",
    "AUTH": "235 2.7.0 welcome",
    "DATA": "354 go on",
    DOT: "250 2.0.0 queued",
    "QUIT": "221 2.0.0 bye",
}


def serve(reader: Any, send: Callable[[bytes], None], script: dict[str, str]) -> Iterator[str]:
    """Speaks with a client until one of both has enough, and tells each step before it answers."""
    step = GREETING
    while True:
        yield step
        reply = script.get(step) or USUAL.get(step, "250 2.0.0 ok")
        if reply == "close":
            return
        send(f"{reply}\r\n".encode())
        if step == "QUIT":
            return
        if step == "DATA" and reply.startswith("354"):
            line = b""
            while line != b".\r\n":
                line = reader.readline()
                if not line:
                    return
            step = DOT
            continue
        line = reader.readline()
        if not line:
            return
        step = line.decode("latin-1").strip().partition(" ")[0].partition(":")[0].upper()
