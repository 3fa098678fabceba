"""Zulip's own client and Apprise at Zulip's API."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import Any

import pytest
import zulip

from sandbox import Sandbox

SERVICE = "zulip"


def client(sandbox: Sandbox, key: str | None = None) -> zulip.Client:
    """The client of the bot, which asks the server for its settings first."""
    auth = sandbox.accounts["zulip"]["auth"]
    own = zulip.Client(
        email=auth["username"],
        api_key=key or auth["password"],
        site=sandbox.url,
        retry_on_errors=False,
    )
    assert own.get_server_settings()["result"] == "success"
    return own


def send(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    """Sends to a topic of the channel."""
    message = {
        "type": "stream",
        "to": "general",
        "topic": "letters",
        "content": "hi",
        **more,
    }
    return client(sandbox).send_message(message)


def test_a_text_arrives_as_it_is(sandbox: Sandbox) -> None:
    text = "鸿雁 carries **this** 😀"
    sent = send(sandbox, content=text)
    last = sandbox.last
    assert (sent["result"], str(sent["id"])) == ("success", last["id"])
    assert (last["text"], last["recipient"], last["thread"]) == (
        text,
        "general",
        "letters",
    )


def test_a_channel_is_known_by_its_id_and_users_by_both(sandbox: Sandbox) -> None:
    assert send(sandbox, to=7)["result"] == "success"
    assert sandbox.last["recipient"] == "general"
    for to in (["anna@acme.example", "bruno@acme.example"], [11, 12]):
        sent = client(sandbox).send_message({"type": "direct", "to": to, "content": "hi"})
        assert sent["result"] == "success"
        reached = [one["recipient"] for one in sandbox.messages[-2:]]
        assert reached == ["anna@acme.example", "bruno@acme.example"]


def test_a_file_arrives_to_the_byte(sandbox: Sandbox) -> None:
    data = bytes(range(256)) * 40
    file = io.BytesIO(data)
    file.name = "goose.bin"
    uploaded = client(sandbox).upload_file(file)
    assert uploaded["result"] == "success"
    assert send(sandbox, content=f"[goose.bin]({uploaded['url']})")["result"] == "success"
    attached = sandbox.last["attachments"][0]
    assert (attached["name"], attached["sha256"]) == (
        "goose.bin",
        hashlib.sha256(data).hexdigest(),
    )


def test_mentions_are_kept(sandbox: Sandbox) -> None:
    assert send(sandbox, content="@**Anna Lee|11** and @**all**")["result"] == "success"
    assert sandbox.last["mentions"] == ["Anna Lee", "all"]


def test_refusals_are_understood(sandbox: Sandbox) -> None:
    wrong = client(sandbox, "wrong").send_message(
        {"type": "stream", "to": "general", "topic": "t", "content": "hi"}
    )
    assert (wrong["result"], wrong["code"]) == ("error", "INVALID_API_KEY")
    for more, code in [
        ({"to": "nowhere"}, "STREAM_DOES_NOT_EXIST"),
        ({"to": "announcements"}, "BAD_REQUEST"),
        ({"content": " "}, "BAD_REQUEST"),
        ({"type": "direct", "to": ["nobody@acme.example"]}, "BAD_REQUEST"),
    ]:
        refused = send(sandbox, **more)
        assert (refused["result"], refused["code"]) == ("error", code)
    assert sandbox.messages == []


def test_a_rate_limit_is_understood(sandbox: Sandbox) -> None:
    own = client(sandbox)
    sandbox.fault(SERVICE, "rate_limit")
    refused = own.send_message({"type": "stream", "to": "general", "topic": "t", "content": "hi"})
    assert (refused["code"], refused["retry-after"]) == ("RATE_LIMIT_HIT", 1.0)
    assert sandbox.messages == []


@pytest.mark.parametrize("target", ["general", "anna@acme.example"])
def test_apprise_agrees(sandbox: Sandbox, notify: Callable[..., bool], target: str) -> None:
    key = sandbox.accounts["zulip"]["auth"]["password"]
    # It makes the bot's address of its name and the organization.
    url = f"zulip://hongyan@acme/{key}/{target}"
    assert notify(url, "it is so", title="A title", body_format="text")
    assert sandbox.last["text"] == "it is so"
    assert not notify(url.replace(key, key[:-1] + "x"), "hi")
    sandbox.fault(SERVICE, "status", status=500)
    assert not notify(url, "hi")
    assert len(sandbox.messages) == 1
