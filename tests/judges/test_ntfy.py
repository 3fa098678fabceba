"""Apprise at ntfy's API."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from sandbox import Sandbox

SERVICE = "ntfy"


def url(sandbox: Sandbox, topic: str, user: str = "", more: str = "") -> str:
    """Apprise's URL of a topic."""
    place = urlsplit(sandbox.url)
    return f"ntfy://{user}{place.hostname}:{place.port}/{topic}{more}"


def test_a_text_arrives_as_it_is(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert notify(url(sandbox, "alerts"), "鸿雁 carries **this** 😀", title="A title")
    last = sandbox.last
    assert (last["text"], last["title"]) == ("鸿雁 carries **this** 😀", "A title")
    assert last["recipient"] == "alerts"


def test_markdown_and_a_priority_arrive(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    more = "?priority=max&format=markdown"
    assert notify(url(sandbox, "alerts", more=more), "**90 %**")
    assert (sandbox.last["format"], sandbox.last["priority"]) == ("markdown", "max")
    assert notify(url(sandbox, "alerts", more="?priority=low"), "hush")
    assert sandbox.last["silent"]


def test_a_file_arrives_to_the_byte(
    sandbox: Sandbox, notify: Callable[..., bool], tmp_path: Path
) -> None:
    data = bytes(range(256)) * 40
    file = tmp_path / "some.bin"
    file.write_bytes(data)
    assert notify(url(sandbox, "alerts"), "look", attach=str(file))
    attached = sandbox.last["attachments"][0]
    assert attached["name"] == "some.bin"
    assert attached["sha256"] == hashlib.sha256(data).hexdigest()


def test_refusals_are_understood(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    token = sandbox.accounts["ntfy-bearer"]["auth"]["token"]
    assert not notify(url(sandbox, "private"), "hi")
    assert not notify(url(sandbox, "private", "tk_wrong@"), "hi")
    assert notify(url(sandbox, "private", f"{token}@"), "hi")
    basic = sandbox.accounts["ntfy-basic"]["auth"]
    user = f"{basic['username']}:{basic['password']}@"
    assert notify(url(sandbox, "private", user), "hi")
    sandbox.fault(SERVICE, "rate_limit")
    assert not notify(url(sandbox, "alerts"), "hi")
    assert len(sandbox.messages) == 2
