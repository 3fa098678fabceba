"""Apprise at WxPusher, of which it looks at the code of the whole answer alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox import Sandbox

SERVICE = "wxpusher"


def token(sandbox: Sandbox) -> str:
    """The token that the sandbox accepts."""
    return sandbox.accounts["wxpusher"]["auth"]["token"]


@pytest.mark.parametrize(
    ("format", "seen"), [("text", None), ("markdown", "markdown"), ("html", "html")]
)
def test_every_format_arrives_at_users_and_topics(
    sandbox: Sandbox, notify: Callable[..., bool], format: str, seen: str | None
) -> None:
    url = f"wxpusher://{token(sandbox)}/UID_anna/1234?format={format}"
    assert notify(url, "鸿雁", title="T", body_format=format)
    assert [one["recipient"] for one in sandbox.messages] == ["UID_anna", "1234"]
    assert (sandbox.last["title"], sandbox.last.get("format")) == ("T", seen)
    assert "鸿雁" in sandbox.last["text"]


def test_it_takes_a_message_that_reached_nobody_for_sent(
    sandbox: Sandbox, notify: Callable[..., bool]
) -> None:
    assert notify(f"wxpusher://{token(sandbox)}/UID_left", "hi", title="T")
    assert sandbox.messages == []


def test_what_is_refused_as_a_whole_fails(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert not notify("wxpusher://AT_another/UID_anna", "hi", title="T")
    sent = [notify(f"wxpusher://{token(sandbox)}/UID_anna", str(number)) for number in range(21)]
    assert sent == [True] * 20 + [False]
    sandbox.fault(SERVICE, "status", status=503)
    assert not notify(f"wxpusher://{token(sandbox)}/UID_anna", "hi")
    assert len(sandbox.messages) == 20
