"""Apprise at Gotify's API."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from sandbox import Sandbox

SERVICE = "gotify"


def url(sandbox: Sandbox, token: str | None = None, more: str = "") -> str:
    """Apprise's URL of the application."""
    place = urlsplit(sandbox.url)
    own = token or sandbox.accounts["gotify"]["auth"]["token"]
    return f"gotify://{place.hostname}:{place.port}/{own}{more}"


def test_a_text_arrives_as_it_is(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert notify(url(sandbox), "鸿雁 carries **this** 😀", title="A title")
    last = sandbox.last
    assert (last["text"], last["title"]) == ("鸿雁 carries **this** 😀", "A title")


def test_markdown_and_a_priority_arrive(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert notify(url(sandbox, more="?priority=emergency&format=markdown"), "**90 %**")
    assert (sandbox.last["format"], sandbox.last["priority"]) == ("markdown", "10")


def test_refusals_are_understood(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert not notify(url(sandbox, "Awrong"), "hi")
    assert not notify(url(sandbox, "CgooseGotify4711"), "hi")
    sandbox.fault(SERVICE, "rate_limit")
    assert not notify(url(sandbox), "hi")
    assert sandbox.messages == []
