"""Apprise at a workflow of Power Automate."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from sandbox import Sandbox

SERVICE = "teams"


def url_of(sandbox: Sandbox) -> str:
    """The account as Apprise writes it."""
    flow = urlsplit(sandbox.accounts["teams"]["auth"]["url"])
    sig = parse_qs(flow.query)["sig"][0]
    return f"workflows://{flow.hostname}/{flow.path.split('/')[2]}/{sig}"


def test_a_card_arrives(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert notify(url_of(sandbox), "鸿雁 carries this", title="A title", body_format="text")
    assert "A title" in sandbox.last["text"] and "鸿雁 carries this" in sandbox.last["text"]


def test_refusals_are_understood(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert not notify(url_of(sandbox)[:-1] + "x", "hi")
    assert not notify(url_of(sandbox).replace("8f2d", "8f2e"), "hi")
    sandbox.fault(SERVICE, "rate_limit")
    assert not notify(url_of(sandbox), "hi")
    assert sandbox.messages == []
