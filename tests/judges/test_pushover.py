"""Apprise at Pushover's API."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from sandbox import Sandbox

SERVICE = "pushover"
USER = "u7anna7hongyan7pushover7user77"


def url(sandbox: Sandbox, token: str | None = None, user: str = USER, more: str = "") -> str:
    """Apprise's URL of a user."""
    own = token or sandbox.accounts["pushover"]["auth"]["token"]
    return f"pover://{user}@{own}{more}"


def test_a_text_arrives_as_it_is(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert notify(url(sandbox), "鸿雁 carries **this** 😀", title="A title")
    last = sandbox.last
    assert (last["text"], last["title"]) == ("鸿雁 carries **this** 😀", "A title")
    assert last["recipient"] == USER


def test_markdown_and_priorities_arrive(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    more = "?format=markdown"
    assert notify(url(sandbox, more=more), "**90 %** of *it*", body_format="markdown")
    assert sandbox.last["format"] == "html"
    assert sandbox.last["text"].startswith("<b>90 %</b> of <i>it</i>")
    assert notify(url(sandbox, more="?priority=emergency&interval=60&expire=600"), "wake up")
    assert sandbox.last["priority"] == "emergency"
    assert notify(url(sandbox, more="?priority=moderate"), "hush")
    assert sandbox.last["silent"]


def test_a_picture_arrives_to_the_byte(
    sandbox: Sandbox, notify: Callable[..., bool], tmp_path: Path, png: bytes
) -> None:
    file = tmp_path / "one.png"
    file.write_bytes(png)
    assert notify(url(sandbox), "look", attach=str(file))
    attached = sandbox.last["attachments"][0]
    assert attached["sha256"] == hashlib.sha256(png).hexdigest()


def test_refusals_are_understood(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert not notify(url(sandbox, token="a7wrong7hongyan7pushover7token"), "hi")
    assert not notify(url(sandbox, user="u7nobody7hongyan7pushover7user"), "hi")
    sandbox.fault(SERVICE, "rate_limit")
    assert not notify(url(sandbox), "hi")
    assert sandbox.messages == []
