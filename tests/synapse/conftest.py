"""A homeserver for all tests, and a way to send through hongyan to it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from homeserver import GUARD, Homeserver, Proxy, User, running

HONGYAN = os.environ["HONGYAN"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homeserver]:
    """Synapse."""
    with running(tmp_path_factory.mktemp("synapse")) as server:
        yield server


@pytest.fixture(scope="session")
def bot(server: Homeserver) -> User:
    """The user that hongyan sends as."""
    return server.register("hongyan")


@pytest.fixture(scope="session")
def anna(server: Homeserver) -> User:
    """A user who reads."""
    return server.register("anna")


@pytest.fixture
def proxy(server: Homeserver) -> Iterator[Proxy]:
    """What hongyan sends through to the server."""
    with Proxy(server) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()


class Hongyan:
    """The command with a configuration, each run of which is a process of its own."""

    def __init__(self, folder: Path, account: dict[str, Any]) -> None:
        self.folder = folder
        self.account = {"service": "matrix", "rate": None, **account}

    def run(self, *words: str, status: int | None = None) -> str:
        """Runs the command, and returns what it printed."""
        config = self.folder / "hongyan.json"
        accounts = {"a": self.account}
        # The server takes two messages a second, so that some are tried often.
        retry = {"max_attempts": 20}
        told = {"v": 1, "timeout_ms": 60_000, "retry": retry, "accounts": accounts}
        config.write_text(json.dumps(told))
        command = [HONGYAN, "--config", str(config), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=GUARD)
        assert status is None or done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def send_all(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Sends messages by one process, and returns their results."""
        file = self.folder / "messages.jsonl"
        lines = (json.dumps({"v": 1, "account": "a", **one}) + "\n" for one in messages)
        file.write_text("".join(lines))
        told = self.run("--json", "send", "-m", str(file))
        return [json.loads(line) for line in told.splitlines()]

    def send(self, **message: Any) -> dict[str, Any]:
        """Sends one message, and returns its result."""
        (result,) = self.send_all([message])
        return result

    def sent(self, **message: Any) -> str:
        """Sends one message, which must arrive, and returns its id."""
        result = self.send(**message)
        assert result["delivery"] == "sent", result
        event: str = result["message_id"]
        return event


@pytest.fixture
def hongyan(tmp_path: Path, proxy: Proxy, bot: User) -> Hongyan:
    """hongyan with the bot's token."""
    auth = {"type": "token", "token": bot.token}
    return Hongyan(tmp_path, {"base_url": proxy.url, "auth": auth})


@pytest.fixture
def room(bot: User, anna: User) -> str:
    """A room with both in it."""
    return bot.make_room(anna)
