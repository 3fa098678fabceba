"""matrix-nio and Apprise at Matrix's client-server API."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import nio

from sandbox import Sandbox

SERVICE = "matrix"
GENERAL = "!general:localhost"
LOBBY = "!lobby:localhost"
ME = "@hongyan:localhost"


def asked(
    sandbox: Sandbox, what: Callable[[nio.AsyncClient], Awaitable[Any]], token: str = ""
) -> Any:
    """What a client with the account's token is answered."""

    async def run() -> Any:
        client = nio.AsyncClient(sandbox.url, ME)
        client.access_token = token or sandbox.accounts["matrix"]["auth"]["token"]
        client.user_id = ME
        try:
            return await what(client)
        finally:
            await client.close()

    return asyncio.run(run())


def send(sandbox: Sandbox, content: dict[str, Any], room: str = GENERAL, **more: Any) -> Any:
    """Sends a message."""
    content = {"msgtype": "m.text", "body": "hi", **content}
    return asked(sandbox, lambda one: one.room_send(room, "m.room.message", content, **more))


def test_a_text_arrives_as_it_is(sandbox: Sandbox) -> None:
    text = "鸿雁 carries <b>letters</b> 😀"
    sent = send(sandbox, {"body": text})
    assert isinstance(sent, nio.RoomSendResponse), sent
    last = sandbox.last
    assert (last["text"], last["recipient"], last["id"]) == (text, GENERAL, sent.event_id)


def test_html_mentions_and_threads_are_kept(sandbox: Sandbox) -> None:
    root = send(sandbox, {}).event_id
    relation = {"rel_type": "m.thread", "event_id": root}
    html = {"format": "org.matrix.custom.html", "formatted_body": "<b>hi</b> Anna"}
    mentions = {"m.mentions": {"user_ids": ["@anna:localhost"], "room": True}}
    send(sandbox, {**html, **mentions, "m.relates_to": relation})
    last = sandbox.last
    assert (last["text"], last["format"]) == ("<b>hi</b> Anna", "html")
    assert (last["mentions"], last["thread"]) == (["@anna:localhost", "@room"], root)
    send(sandbox, {"msgtype": "m.notice"})
    assert sandbox.last["silent"]


def test_files_arrive_to_the_byte(sandbox: Sandbox) -> None:
    data = bytes(range(256)) * 40

    async def upload(client: nio.AsyncClient) -> Any:
        return await client.upload(
            lambda *_: io.BytesIO(data), "image/png", "鸿雁.png", filesize=len(data)
        )

    uploaded, _ = asked(sandbox, upload)
    assert isinstance(uploaded, nio.UploadResponse), uploaded
    send(sandbox, {"msgtype": "m.image", "body": "鸿雁.png", "url": uploaded.content_uri})
    attached = sandbox.last["attachments"][0]
    assert (attached["name"], attached["type"]) == ("鸿雁.png", "image/png")
    assert attached["sha256"] == hashlib.sha256(data).hexdigest()


def test_a_message_is_known_again_by_device_and_room(sandbox: Sandbox) -> None:
    first = send(sandbox, {"body": "one"}, tx_id="t1")
    assert send(sandbox, {"body": "two"}, tx_id="t1").event_id == first.event_id
    assert send(sandbox, {"body": "two"}, tx_id="t2").event_id != first.event_id
    assert [one["text"] for one in sandbox.messages] == ["one", "two"]


def test_a_device_logs_in_and_its_old_token_ends(sandbox: Sandbox) -> None:
    auth = sandbox.accounts["matrix-password"]["auth"]

    async def login(client: nio.AsyncClient) -> Any:
        client.access_token = ""
        client.user = auth["username"]
        client.device_id = "OPS1"
        return await client.login(auth["password"])

    first, second = asked(sandbox, login), asked(sandbox, login)
    assert isinstance(first, nio.LoginResponse), first
    assert (first.user_id, first.device_id) == (ME, "OPS1")
    old = asked(sandbox, lambda one: one.whoami(), first.access_token)
    assert isinstance(old, nio.WhoamiError) and old.status_code == "M_UNKNOWN_TOKEN"
    new = asked(sandbox, lambda one: one.whoami(), second.access_token)
    assert (new.user_id, new.device_id) == (ME, "OPS1")
    auth["password"] = "another"
    wrong = asked(sandbox, login)
    assert isinstance(wrong, nio.LoginError) and wrong.status_code == "M_FORBIDDEN"


def test_rooms_are_looked_up_entered_and_made(sandbox: Sandbox) -> None:
    found = asked(sandbox, lambda one: one.room_resolve_alias("#lobby:localhost"))
    assert found.room_id == LOBBY
    assert isinstance(send(sandbox, {}, LOBBY), nio.RoomSendError)
    assert asked(sandbox, lambda one: one.join("#lobby:localhost")).room_id == LOBBY
    assert isinstance(send(sandbox, {}, LOBBY), nio.RoomSendResponse)
    made = asked(sandbox, lambda one: one.room_create(is_direct=True, invite=["@anna:localhost"]))
    assert isinstance(made, nio.RoomCreateResponse), made
    assert isinstance(send(sandbox, {}, made.room_id), nio.RoomSendResponse)
    state = asked(
        sandbox, lambda one: one.room_get_state_event("!secret:localhost", "m.room.encryption")
    )
    assert state.content == {"algorithm": "m.megolm.v1.aes-sha2"}


def test_refusals_are_understood(sandbox: Sandbox) -> None:
    for room, content, code in [
        ("!closed:localhost", {}, "M_FORBIDDEN"),
        ("!muted:localhost", {}, "M_FORBIDDEN"),
        (GENERAL, {"body": None}, "M_UNKNOWN"),
        (GENERAL, {"number": 1.5}, "M_BAD_JSON"),
        (GENERAL, {"body": "x" * 65_000}, "M_TOO_LARGE"),
        (GENERAL, {"m.mentions": []}, "M_BAD_JSON"),
    ]:
        error = send(sandbox, content, room)
        assert isinstance(error, nio.RoomSendError), (room, error)
        assert error.status_code == code, (room, error)
    error = asked(sandbox, lambda one: one.whoami(), "wrong")
    assert isinstance(error, nio.WhoamiError) and error.status_code == "M_UNKNOWN_TOKEN"
    assert sandbox.messages == []


def test_a_rate_limit_is_waited_out(sandbox: Sandbox) -> None:
    sandbox.fault(SERVICE, "rate_limit")
    sent = send(sandbox, {"body": "in the end"})
    assert isinstance(sent, nio.RoomSendResponse), sent
    assert [one["text"] for one in sandbox.messages] == ["in the end"]


def test_apprise_agrees(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    place = urlsplit(sandbox.url)
    token = sandbox.accounts["matrix"]["auth"]["token"]
    url = f"matrix://{token}@{place.hostname}:{place.port}"
    assert notify(f"{url}/%23general:localhost", "it is so", title="A title", body_format="text")
    assert "it is so" in sandbox.last["text"]
    assert not notify(f"{url}/!closed:localhost", "hi")
    assert not notify(url.replace(token, "of-another") + "/!general:localhost", "hi")
    assert len(sandbox.messages) == 1
