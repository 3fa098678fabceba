"""Apprise at WeCom's group robot."""

from __future__ import annotations

from collections.abc import Callable

from sandbox import Sandbox

SERVICE = "wecom_bot"


def key(sandbox: Sandbox) -> str:
    """The robot's key that the sandbox accepts."""
    url: str = next(iter(sandbox.accounts.values()))["auth"]["url"]
    return url.split("key=")[1]


def test_a_text_arrives_as_it_is(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    text = "it is *as it is* <@all>"
    assert notify(f"wecombot://{key(sandbox)}", text, title="A title", body_format="text")
    assert sandbox.last["text"].startswith("A title")
    assert sandbox.last["text"].endswith(text)
    assert "format" not in sandbox.last


def test_escapes_are_refused_as_the_document_has_it(
    sandbox: Sandbox, notify: Callable[..., bool]
) -> None:
    # Apprise escapes what is not ASCII; whether the service is as strict as told, nobody says.
    assert notify(f"wecombot://{key(sandbox)}", "鸿雁", body_format="text")
    assert sandbox.messages == []
    _, inbox = sandbox.request("GET", "/_/inbox")
    assert '"errcode":40033' in inbox["others"][0]["answer"]


def test_a_wrong_key_brings_no_message(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    # The refusal comes with status 200, and Apprise does not look further.
    assert notify(f"wecombot://{key(sandbox)[:-1]}0", "hi")
    assert sandbox.messages == []
    _, inbox = sandbox.request("GET", "/_/inbox")
    assert '"errcode":93000' in inbox["others"][0]["answer"]


def test_the_twenty_first_of_a_minute_does_not_arrive(
    sandbox: Sandbox, notify: Callable[..., bool]
) -> None:
    for number in range(21):
        assert notify(f"wecombot://{key(sandbox)}", str(number))
    assert [one["text"] for one in sandbox.messages] == [str(number) for number in range(20)]
    _, inbox = sandbox.request("GET", "/_/inbox")
    assert '"errcode":45009' in inbox["others"][0]["answer"]


def test_a_failure_is_one(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    sandbox.fault(SERVICE, "status", status=503)
    assert not notify(f"wecombot://{key(sandbox)}", "hi")
    assert sandbox.messages == []
