"""What each judge has: a sandbox that serves its service at the root of a port."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import apprise
import pytest
import requests

from sandbox import Sandbox, running

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154"
    "789c63f8cfc0f01f00050001ffa7c3a4c50000000049454e44ae426082"
)


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox that serves the module's SERVICE at the root of a port of its own."""
    with running(request.module.SERVICE) as sandbox:
        yield sandbox


@pytest.fixture
def png() -> bytes:
    """An image of one pixel."""
    return PNG


@pytest.fixture
def everywhere(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets `requests` reach the sandbox, whatever host a client has written into it."""
    asked = requests.Session.request

    def request(self: requests.Session, method: str, url: str, *more: Any, **named: Any) -> Any:
        return asked(self, method, re.sub(r"^https?://[^/?]+", sandbox.url, url), *more, **named)

    monkeypatch.setattr(requests.Session, "request", request)


@pytest.fixture
def notify(everywhere: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    """Sends by Apprise to one of its URLs, and returns whether it says that it did."""
    # It paces itself for the real services.
    monkeypatch.setattr(apprise.NotifyBase, "request_rate_per_sec", 0)

    def notify(url: str, body: str, **named: Any) -> bool:
        one = apprise.Apprise()
        assert one.add(url), url
        for plugin in one:
            monkeypatch.setattr(type(plugin), "request_rate_per_sec", 0)
        return bool(one.notify(body=body, **named))

    return notify
