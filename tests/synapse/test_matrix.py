"""hongyan's Matrix at a real Synapse: what it says, and what a reader finds in the room."""

from __future__ import annotations

import base64
import json
from typing import Any

from homeserver import PASSWORD, Homeserver, Proxy, User, quoted

from conftest import Hongyan

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154"
    "789c63f8cfc0f01f00050001ffa7c3a4c50000000049454e44ae426082"
)
ENCRYPTION = {
    "type": "m.room.encryption",
    "state_key": "",
    "content": {"algorithm": "m.megolm.v1.aes-sha2"},
}


def refusal(result: dict[str, Any]) -> tuple[str, str]:
    """What became of a message that did not arrive, and why."""
    assert result["error"] is not None, result
    return result["delivery"], result["error"]["name"]


def test_a_text_arrives_as_it_is(hongyan: Hongyan, anna: User, room: str) -> None:
    text = "鸿雁 carries <b>letters</b> & *signs* 😀\nand lines"
    event = anna.event(room, hongyan.sent(to={"room": room}, text=text))
    assert event["sender"] == "@hongyan:localhost"
    assert event["content"] == {"msgtype": "m.text", "body": text, "m.mentions": {}}


def test_markdown_and_a_title_become_html(hongyan: Hongyan, anna: User, room: str) -> None:
    event = hongyan.sent(
        to={"room": room}, title="Disk", format="markdown", text="**90 %** of `/var`"
    )
    content = anna.event(room, event)["content"]
    assert content["format"] == "org.matrix.custom.html"
    html = content["formatted_body"]
    assert "<strong>Disk</strong>" in html and "<strong>90 %</strong>" in html
    assert "<code>/var</code>" in html
    assert content["body"] == "Disk\n90 % of /var"


def test_whoever_is_mentioned_is_notified(hongyan: Hongyan, anna: User, room: str) -> None:
    parts = [
        {"type": "mention", "user": anna.id, "name": "Anna"},
        {"type": "text", "text": ", look"},
    ]
    mentioned = hongyan.sent(to={"room": room}, parts=parts)
    plain = hongyan.sent(to={"room": room}, text=f"{anna.id} Anna @room")
    content = anna.event(room, mentioned)["content"]
    assert content["m.mentions"] == {"user_ids": [anna.id]}
    assert f'<a href="https://matrix.to/#/{anna.id}">Anna</a>' in content["formatted_body"]
    told = anna.ask("GET", "/notifications?only=highlight&limit=50")["notifications"]
    highlighted = [one["event"]["event_id"] for one in told]
    assert mentioned in highlighted and plain not in highlighted


def test_threads_and_replies_are_found_by_the_server(
    hongyan: Hongyan, anna: User, room: str
) -> None:
    root = hongyan.sent(to={"room": room}, text="root")
    inside = hongyan.sent(to={"room": room}, text="inside", thread=root)
    answer = hongyan.sent(to={"room": room}, text="yes", reply_to=root)
    path = f"/rooms/{quoted(room)}/relations/{quoted(root)}/m.thread"
    chunk = anna.ask("GET", path, version="v1")["chunk"]
    assert [event["event_id"] for event in chunk] == [inside]
    relation = anna.event(room, answer)["content"]["m.relates_to"]
    assert relation == {"m.in_reply_to": {"event_id": root}}


def test_files_arrive_to_the_byte(hongyan: Hongyan, anna: User, room: str) -> None:
    data = bytes(range(256)) * 40
    files = [("goose.png", PNG), ("鸿 雁.bin", data)]
    attachments = [
        {"name": name, "data_base64": base64.b64encode(bytes_).decode()} for name, bytes_ in files
    ]
    result = hongyan.send(to={"room": room}, text="look", attachments=attachments)
    assert result["delivery"] == "sent", result
    first, second = (anna.event(room, piece["message_id"])["content"] for piece in result["pieces"])
    assert [first["msgtype"], first["body"], first["filename"]] == ["m.image", "look", "goose.png"]
    assert [second["msgtype"], second["body"]] == ["m.file", "鸿 雁.bin"]
    for content, (_, bytes_) in zip((first, second), files, strict=True):
        assert content["info"]["size"] == len(bytes_)
        path = "/media/download/" + content["url"].removeprefix("mxc://")
        assert anna.ask("GET", path, version="v1") == bytes_
    large = hongyan.folder / "a.bin"
    large.write_bytes(bytes(2 << 20))
    result = hongyan.send(to={"room": room}, attachments=[{"path": str(large)}])
    assert refusal(result) == ("not_sent", "too_large")


def test_a_direct_room_is_made_once_and_found_by_the_next_process(
    hongyan: Hongyan, proxy: Proxy, bot: User, anna: User
) -> None:
    results = hongyan.send_all([{"to": {"user": anna.id}, "text": f"hi {n}"} for n in range(3)])
    results.append(hongyan.send(to={"user": anna.id}, text="hi 3"))
    assert [result["delivery"] for result in results] == ["sent"] * 4, results
    made = [one for one in proxy.seen if "/createRoom" in one.path and one.status == 200]
    assert len(made) == 1, proxy.paths("/createRoom")
    direct = bot.ask("GET", f"/user/{quoted(bot.id)}/account_data/m.direct")
    (room,) = direct[anna.id]
    anna.ask("POST", f"/join/{quoted(room)}", {})
    assert sorted(one["body"] for one in anna.messages(room)) == [f"hi {n}" for n in range(4)]
    # A room that the user has left is no use.
    anna.ask("POST", f"/rooms/{quoted(room)}/leave", {})
    hongyan.sent(to={"user": anna.id}, text="again")
    direct = bot.ask("GET", f"/user/{quoted(bot.id)}/account_data/m.direct")
    assert len(direct[anna.id]) == 2 and direct[anna.id][0] == room


def test_an_alias_is_looked_up_and_an_invitation_is_taken(
    hongyan: Hongyan, bot: User, anna: User
) -> None:
    room = anna.make_room(room_alias_name="ops", invite=[bot.id])
    event = hongyan.sent(to={"room": "#ops:localhost"}, text="by alias")
    assert anna.event(room, event)["content"]["body"] == "by alias"
    closed = anna.make_room()
    result = hongyan.send(to={"room": closed}, text="no")
    assert refusal(result) == ("not_sent", "forbidden")
    result = hongyan.send(to={"room": "#nowhere:localhost"}, text="no")
    assert refusal(result) == ("not_sent", "not_found")
    assert anna.messages(closed) == []


def test_what_was_cut_is_resent_and_arrives_once(
    hongyan: Hongyan, proxy: Proxy, anna: User, room: str
) -> None:
    proxy.cuts = 2
    result = hongyan.send(to={"room": room}, text="once")
    # The server may find it too fast in between.
    assert result["delivery"] == "sent" and result["attempts"] >= 3, result
    sends = proxy.paths("/send/")
    assert len(sends) >= 3 and len(set(sends)) == 1
    assert [one["body"] for one in anna.messages(room)] == ["once"]
    assert anna.event(room, result["message_id"])["content"]["body"] == "once"


def test_a_wait_that_the_server_tells_is_kept(
    hongyan: Hongyan, proxy: Proxy, anna: User, room: str
) -> None:
    texts = [f"letter {n}" for n in range(12)]
    results = hongyan.send_all([{"to": {"room": room}, "text": text} for text in texts])
    assert [result["delivery"] for result in results] == ["sent"] * len(texts), results
    assert sorted(one["body"] for one in anna.messages(room)) == sorted(texts)
    sends = [seen for seen in proxy.seen if "/send/" in seen.path]
    refused = [seen for seen in sends if seen.status == 429]
    assert refused, "the server's limit was never met"
    for seen in refused:
        again = next(one for one in sends if one.path == seen.path and one.came > seen.answered)
        waited = again.came - seen.answered
        assert waited * 1000 >= json.loads(seen.body)["retry_after_ms"], waited


def test_nothing_goes_into_an_encrypted_room_in_the_clear(
    hongyan: Hongyan, proxy: Proxy, bot: User, anna: User
) -> None:
    room = bot.make_room(anna, initial_state=[ENCRYPTION])
    result = hongyan.send(to={"room": room}, text="a secret")
    assert refusal(result) == ("not_sent", "unsupported")
    assert "encrypted" in result["error"]["message"]
    assert proxy.paths("/send/") == [] and anna.messages(room) == []
    hongyan.sent(to={"room": room}, text="no secret", extra={"allow_unencrypted": True})
    assert [one["body"] for one in anna.messages(room)] == ["no secret"]


def test_a_device_logs_in_with_the_password(
    hongyan: Hongyan, proxy: Proxy, bot: User, anna: User, room: str
) -> None:
    auth = {"type": "password", "username": "hongyan", "password": PASSWORD, "device_id": "OPS1"}
    hongyan.account["auth"] = auth
    for text in ("one", "two"):
        hongyan.sent(to={"room": room}, text=text)
    assert len(proxy.paths("/login")) == 2
    devices = [one["device_id"] for one in bot.ask("GET", "/devices")["devices"]]
    assert devices.count("OPS1") == 1
    # The server knows a message of a device again, whichever of its tokens it came with.
    assert [one["body"] for one in anna.messages(room)] == ["one", "two"]
    auth["password"] = "another"
    assert refusal(hongyan.send(to={"room": room}, text="no")) == ("not_sent", "auth")


def test_credentials_are_checked_and_refusals_are_told(
    hongyan: Hongyan, server: Homeserver, bot: User, room: str
) -> None:
    hongyan.run("check", "--live", status=0)
    unknown = hongyan.send(to={"room": "!nowhere:localhost"}, text="no")
    assert unknown["delivery"] == "not_sent", unknown
    hongyan.account["auth"] = {"type": "token", "token": "syt_wrong"}
    assert refusal(hongyan.send(to={"room": room}, text="no")) == ("not_sent", "auth")
    assert "syt_wrong" not in hongyan.run("check", "--live")


def test_the_longest_text_that_is_let_through_fits_into_an_event(
    hongyan: Hongyan, anna: User, room: str
) -> None:
    for text in ("x" * 60_000, "雁" * 20_000):
        event = hongyan.sent(to={"room": room}, text=text)
        assert anna.event(room, event)["content"]["body"] == text
    assert refusal(hongyan.send(to={"room": room}, text="x" * 60_001)) == ("not_sent", "too_large")
    parts = hongyan.send(to={"room": room}, text="word " * 15_000, overflow="split")
    assert parts["delivery"] == "sent" and len(parts["pieces"]) == 2, parts
    too_much = {"external_url": "https://example.com/" + "x" * 5000}
    result = hongyan.send(to={"room": room}, text="x" * 60_000, extra=too_much)
    assert refusal(result) == ("not_sent", "too_large")
