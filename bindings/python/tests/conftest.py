"""A sandbox and a hostile server for the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import hongyan
from hostile import Hostile


class Sandbox:
    """``python -m hongyan sandbox`` on a free port."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "hongyan", "sandbox", "--port", "0", "--print-config"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        text = ""
        for line in self.process.stdout:
            text += line
            if line == "}\n":
                break
        self.config: dict[str, Any] = json.loads(text)
        for account in self.config["accounts"].values():
            # What the sandbox itself limits, it still does.
            account["rate"] = None

    def account(self, service: str) -> str:
        """The name of the first account of a service."""
        accounts: dict[str, Any] = self.config["accounts"]
        return next(name for name, account in accounts.items() if account["service"] == service)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox()
    yield sandbox
    sandbox.close()


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    server = Hostile()
    yield server
    server.close()


@pytest.fixture
def client(hostile: Hostile) -> Iterator[hongyan.Client]:
    """A client of the hostile server; its accounts are named after what that does."""
    client = hongyan.Client(hostile.config())
    yield client
    client.close(0)


@pytest.fixture(autouse=True)
def no_descriptor_is_left() -> Iterator[None]:
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    yield
    if before:
        # A generous bound: what a test opened and the collector has not yet closed.
        assert len(os.listdir("/proc/self/fd")) < before + 200
