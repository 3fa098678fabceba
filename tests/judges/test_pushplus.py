"""Apprise at PushPlus."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox import Sandbox

SERVICE = "pushplus"


def token(sandbox: Sandbox) -> str:
    """The token that the sandbox accepts."""
    return sandbox.accounts["pushplus"]["auth"]["token"]


@pytest.mark.parametrize(
    ("format", "seen"), [("text", None), ("markdown", "markdown"), ("html", "html")]
)
def test_every_format_arrives(
    sandbox: Sandbox, notify: Callable[..., bool], format: str, seen: str | None
) -> None:
    url = f"pushplus://{token(sandbox)}/letters?format={format}"
    assert notify(url, "鸿雁", title="T", body_format=format)
    assert (sandbox.last["title"], sandbox.last["recipient"]) == ("T", "letters")
    assert sandbox.last.get("format") == seen
    assert "鸿雁" in sandbox.last["text"]


def test_a_refusal_in_a_success_of_http_fails(
    sandbox: Sandbox, notify: Callable[..., bool]
) -> None:
    assert not notify(f"pushplus://{'0' * 32}", "hi", title="T")
    assert not notify(f"pushplus://{token(sandbox)}/nobody", "hi", title="T")
    sandbox.fault(SERVICE, "status", status=503)
    assert not notify(f"pushplus://{token(sandbox)}", "hi", title="T")
    assert sandbox.messages == []
