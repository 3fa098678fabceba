"""Apprise at the custom robot of Feishu."""

from __future__ import annotations

from collections.abc import Callable

import apprise

from sandbox import Sandbox

SERVICE = "feishu_bot"


def token(sandbox: Sandbox, signs: bool) -> str:
    """The token of the robot that signs, or of the other, which alone Apprise can use."""
    auths = (one["auth"] for one in sandbox.accounts.values())
    return next(auth["url"] for auth in auths if ("secret" in auth) == signs).rsplit("/", 1)[1]


def test_a_text_arrives(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert notify(f"feishu://{token(sandbox, False)}", "鸿雁 *as it is*")
    assert sandbox.last["text"] == "鸿雁 *as it is*"
    assert notify(f"feishu://{token(sandbox, False)}", "b", title="T")
    assert sandbox.last["text"].splitlines() == ["T", "b"]


def test_markdown_arrives_as_a_card(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    url = f"feishu://{token(sandbox, False)}"
    assert notify(url, "**b**", title="T", body_format=apprise.NotifyFormat.MARKDOWN)
    assert "**b**" in sandbox.last["text"]


def test_a_robot_that_does_not_exist_and_a_missing_signature_are_refused(
    sandbox: Sandbox, notify: Callable[..., bool]
) -> None:
    assert not notify("feishu://00000000-nobody", "hi")
    assert not notify(f"feishu://{token(sandbox, True)}", "hi")
    assert sandbox.messages == []


def test_the_sixth_message_of_a_second_is_refused(
    sandbox: Sandbox, notify: Callable[..., bool]
) -> None:
    url = f"feishu://{token(sandbox, False)}"
    sandbox.fault("feishu_bot", "rate_limit")
    assert not notify(url, "hi")
    assert notify(url, "hi again")
    assert [message["text"] for message in sandbox.messages] == ["hi again"]
