"""Apprise at ServerChan, of which it looks at the status alone."""

from __future__ import annotations

from collections.abc import Callable

from sandbox import Sandbox

SERVICE = "serverchan"
FREE = "SCT5TfreefreeFREE"


def key(sandbox: Sandbox) -> str:
    """The key of Turbo that the sandbox accepts."""
    return sandbox.accounts["serverchan"]["auth"]["key"]


def test_a_title_and_a_text_arrive(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert notify(f"schan://{key(sandbox)}", "鸿雁 **bold**", title="T")
    assert (sandbox.last["title"], sandbox.last["text"]) == ("T", "鸿雁 **bold**")
    assert sandbox.last["format"] == "markdown"


def test_what_is_refused_fails(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert not notify("schan://SCT0Tnobody", "hi", title="T")
    assert not notify(f"schan://{key(sandbox)}", "a text without a title")
    sandbox.fault(SERVICE, "status", status=503)
    assert not notify(f"schan://{key(sandbox)}", "hi", title="T")
    assert sandbox.messages == []


def test_the_sixth_message_of_a_day_is_refused_on_the_free_plan(
    sandbox: Sandbox, notify: Callable[..., bool]
) -> None:
    sent = [notify(f"schan://{FREE}", str(number), title="T") for number in range(6)]
    assert sent == [True] * 5 + [False]
    assert len(sandbox.messages) == 5
