"""Sends every case through a peer, and judges what it says by what the case means."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from corpus import Case
from routes import Endpoint, Route, is_the_send
from server import Server

HERE = Path(__file__).resolve().parent
# No answer of a case is slow, and no wait is real: only who hangs needs so long.
DEADLINE_SECONDS = 60.0

RIGHT, FALSE_SUCCESS, FALSE_FAILURE = "right", "false success", "false failure"
SAID_SUCCESS, SAID_FAILURE = "said success", "said failure"
NO_WORD = "no word"
VERDICTS = [RIGHT, FALSE_SUCCESS, FALSE_FAILURE, NO_WORD, SAID_SUCCESS, SAID_FAILURE]


class Unmeasured(Exception):
    """Something is wrong with the measurement, not with a peer."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """What a peer told of a case."""

    endpoint: str
    peer: str
    case: Case
    # success or failure; raised, nothing or hung where that is no word.
    said: str
    words: str
    # How many requests would have sent the message.
    sends: int

    @property
    def verdict(self) -> str:
        """What that is worth."""
        return verdict(self.case.delivery, self.said)


def verdict(delivery: str, said: str) -> str:
    """What a word is worth where that became of the message.

    Of a message that may have arrived, or arrived in part, a peer that knows two words can say
    neither rightly: what it says is kept apart.
    """
    if said not in ("success", "failure"):
        return NO_WORD
    if delivery == "sent":
        return RIGHT if said == "success" else FALSE_FAILURE
    if delivery == "not_sent":
        return RIGHT if said == "failure" else FALSE_SUCCESS
    return SAID_SUCCESS if said == "success" else SAID_FAILURE


class Worker:
    """A process in which a peer runs; another one follows where it does not come back."""

    def __init__(
        self, command: list[str], server: Server, deadline: float = DEADLINE_SECONDS
    ) -> None:
        self._command, self._deadline = command, deadline
        self._home = tempfile.TemporaryDirectory()
        self._log = Path(self._home.name) / "log"
        # Neither a proxy nor a configuration of the tester's is any peer's.
        kept = {
            name: os.environ[name]
            for name in ("PATH", "LANG", "LD_LIBRARY_PATH")
            if name in os.environ
        }
        authority = str(server.authority)
        self._environment = {
            **kept,
            "HOME": self._home.name,
            "PYTHONDONTWRITEBYTECODE": "1",
            "REQUESTS_CA_BUNDLE": authority,
            "SSL_CERT_FILE": authority,
            "NODE_EXTRA_CA_CERTS": authority,
        }
        self._process: subprocess.Popen[str] | None = None

    def close(self) -> None:
        """Ends the process."""
        self._stop()
        self._home.cleanup()

    def tell(self, how: Any) -> tuple[str, str]:
        """What the peer says when it is told to send so, and in which words."""
        if self._process is None:
            self._start()
        process = self._process
        assert process is not None and process.stdin is not None
        try:
            process.stdin.write(json.dumps({"how": how}) + "\n")
            process.stdin.flush()
            line = self._lines.get(timeout=self._deadline)
        except queue.Empty:
            self._stop()
            return "hung", f"no word within {self._deadline:g} s"
        except OSError:
            line = ""
        if not line:
            last = self._log.read_text(errors="replace")[-2000:]
            self._stop()
            raise Unmeasured(f"{' '.join(self._command)} ended: {last}")
        answer = json.loads(line)
        return answer["said"], answer["words"]

    def _start(self) -> None:
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=self._home.name,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        # A queue of its own: what the one before says late is not this one's.
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(
            target=_read, args=(self._process.stdout, self._lines), daemon=True
        ).start()

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):
                    pipe and pipe.close()
            self._process = None


def _read(lines: Iterable[str], into: queue.Queue[str]) -> None:
    with contextlib.suppress(ValueError):  # closed under its hands
        for line in lines:
            into.put(line)
    into.put("")


def command(peer: str, port: int, node_packages: Path) -> list[str]:
    """The command of a peer's worker."""
    if peer == "push-all-in-one":
        return ["node", str(HERE / "worker.mjs"), str(node_packages), str(port)]
    return [sys.executable, str(HERE / "worker.py"), peer, str(port)]


def findings(
    route: Route, endpoint: Endpoint, cases: list[Case], server: Server, worker: Worker
) -> Iterator[Finding]:
    """Sends each case through a peer."""
    for case in cases:
        server.give(case.answer, {**case.prepares, **endpoint.prepares}, case.script)
        said, words = worker.tell(route.how)
        sends = sum(is_the_send(endpoint, request.target) for request in server.asked)
        # A mail server may send a client away before it can send.
        if sends == 0 and not (case.script and server.asked):
            asked = [request.target for request in server.asked]
            raise Unmeasured(
                f"{route.peer} has not asked for {endpoint.target} of {route.endpoint} "
                f"({case.name}): it asked for {asked} and said {said}: {words}"
            )
        yield Finding(route.endpoint, route.peer, case, said, words, sends)


def measure(route: Route, endpoint: Endpoint, server: Server, worker: Worker) -> list[Finding]:
    """What a peer tells of every case of an endpoint.

    It must know a plain success as one: who does not was told wrongly how to send.
    """
    cases = endpoint.all()
    found = list(findings(route, endpoint, cases, server, worker))
    if not any(one.case.delivery == "sent" and one.verdict == RIGHT for one in found):
        words = {one.words for one in found if one.case.delivery == "sent"}
        raise Unmeasured(f"{route.peer} knows no success of {route.endpoint}: {sorted(words)}")
    return found
