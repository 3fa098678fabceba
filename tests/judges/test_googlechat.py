"""Apprise at Google Chat's webhook."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from sandbox import Sandbox

SERVICE = "googlechat"


def url_of(sandbox: Sandbox) -> str:
    """The account as Apprise writes it."""
    hook = urlsplit(sandbox.accounts["googlechat"]["auth"]["url"])
    query = parse_qs(hook.query)
    space = hook.path.split("/")[3]
    token = query["token"][0].replace("=", "%3D")
    return f"gchat://{space}/{query['key'][0]}/{token}"


def test_a_text_and_a_thread_arrive(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert notify(url_of(sandbox), "鸿雁 carries this", body_format="text")
    assert sandbox.last["text"] == "鸿雁 carries this"
    for _ in range(2):
        assert notify(url_of(sandbox) + "?thread=deploys", "in a thread", body_format="text")
    first, second = sandbox.messages[1:]
    assert first["thread"] == second["thread"]


def test_refusals_are_understood(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert not notify(url_of(sandbox).replace("%3D", "x"), "hi")
    assert not notify(url_of(sandbox).replace("AAAA", "BBBB"), "hi")
    sandbox.fault(SERVICE, "rate_limit")
    assert not notify(url_of(sandbox), "hi")
    assert sandbox.messages == []
