"""Apprise at Bark's server."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from sandbox import Sandbox

SERVICE = "bark"


def url(sandbox: Sandbox, key: str | None = None, more: str = "") -> str:
    """Apprise's URL of a device."""
    place = urlsplit(sandbox.url)
    own = key or sandbox.accounts["bark"]["auth"]["key"]
    return f"bark://{place.hostname}:{place.port}/{own}{more}"


def test_a_text_arrives_as_it_is(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert notify(url(sandbox), "鸿雁 carries **this** 😀", title="A title")
    last = sandbox.last
    assert (last["text"], last["title"]) == ("鸿雁 carries **this** 😀", "A title")


def test_markdown_a_level_and_a_group_arrive(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert notify(url(sandbox, more="?level=passive&group=disks&format=markdown"), "**90 %**")
    last = sandbox.last
    assert (last["format"], last["thread"], last["silent"]) == ("markdown", "disks", True)


def test_refusals_are_understood(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert not notify(url(sandbox, "another"), "hi")
    assert not notify(url(sandbox, "deadF7x2PqLmNs9RtVwYz4"), "hi")
    assert not notify(url(sandbox), "x" * 4096)
    sandbox.fault(SERVICE, "rate_limit")
    assert not notify(url(sandbox), "hi")
    assert sandbox.messages == []
