"""python-telegram-bot and Apprise at Telegram's Bot API."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from telegram import Bot, InputMediaPhoto, MessageEntity, ReplyParameters
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, RetryAfter

from sandbox import Sandbox

SERVICE = "telegram"
PERSON = 4711


def token(sandbox: Sandbox) -> str:
    """The token that the sandbox accepts."""
    return sandbox.accounts["telegram"]["auth"]["token"]


def run(sandbox: Sandbox, act: Callable[[Bot], Awaitable[Any]]) -> Any:
    """Lets a bot act, which asks the sandbox first who it is."""

    async def whole() -> Any:
        async with Bot(token(sandbox), base_url=f"{sandbox.url}/bot") as bot:
            return await act(bot)

    return asyncio.run(whole())


def test_a_text_arrives_as_it_is(sandbox: Sandbox) -> None:
    text = "鸿雁 carries *this* <b>as it is</b> 😀"
    sent = run(sandbox, lambda bot: bot.send_message(PERSON, text, disable_notification=True))
    last = sandbox.last
    assert (sent.text, str(sent.message_id), sent.chat.id) == (last["text"], last["id"], PERSON)
    assert (last["text"], last["recipient"], last["silent"]) == (text, str(PERSON), True)


def test_markup_is_read_alike(sandbox: Sandbox) -> None:
    text = "你😀bold link"
    entities = [
        MessageEntity(MessageEntity.BOLD, 3, 4),
        MessageEntity(MessageEntity.TEXT_LINK, 8, 4, url="https://example.org/"),
    ]
    link = {"start": 7, "end": 11, "type": "link", "url": "https://example.org/"}
    expected = [{"start": 2, "end": 6, "type": "bold"}, link]
    ways: list[tuple[str, dict[str, Any]]] = [
        (text, {"entities": entities}),
        ('你😀<b>bold</b> <a href="https://example.org/">link</a>', {"parse_mode": "HTML"}),
        ("你😀*bold* [link](https://example.org/)", {"parse_mode": "MarkdownV2"}),
    ]
    for raw, named in ways:
        sent = run(
            sandbox, lambda bot, raw=raw, named=named: bot.send_message(PERSON, raw, **named)
        )
        assert (sent.text, list(sent.entities)) == (text, entities), named
        assert (sandbox.last["text"], sandbox.last["entities"]) == (text, expected), named


def test_files_arrive_to_the_byte(sandbox: Sandbox, png: bytes) -> None:
    data = bytes(range(256)) * 40
    caption = "a <b>file</b>"
    named = {"caption": caption, "filename": "鸿雁 1.bin", "parse_mode": "HTML"}
    sent = run(sandbox, lambda bot: bot.send_document(PERSON, data, **named))
    assert (sent.document.file_name, sent.document.file_size) == ("鸿雁 1.bin", len(data))
    assert (sent.caption, sent.caption_entities[0].length) == ("a file", 4)
    attached = sandbox.last["attachments"][0]
    assert (attached["name"], attached["size"]) == ("鸿雁 1.bin", len(data))
    assert (attached["sha256"], sandbox.last["text"]) == (
        hashlib.sha256(data).hexdigest(),
        "a file",
    )
    run(sandbox, lambda bot: bot.send_photo(PERSON, png))
    assert sandbox.last["attachments"][0]["sha256"] == hashlib.sha256(png).hexdigest()
    large = png + bytes(3 << 20)
    run(sandbox, lambda bot: bot.send_photo(PERSON, large))
    assert sandbox.last["attachments"][0]["size"] == len(large)
    album = [InputMediaPhoto(png, caption="one"), InputMediaPhoto(png + b"2")]
    sent = run(sandbox, lambda bot: bot.send_media_group(PERSON, album))
    assert [str(one.message_id) for one in sent] == [one["id"] for one in sandbox.messages[-2:]]
    assert sandbox.messages[-2]["text"] == "one"


def test_a_topic_and_a_reply_are_kept(sandbox: Sandbox) -> None:
    forum = -1002000000001
    sent = run(sandbox, lambda bot: bot.send_message(forum, "hi", message_thread_id=7))
    assert (sent.message_thread_id, sandbox.last["thread"]) == (7, "7")
    first = int(sandbox.last["id"])
    reply = ReplyParameters(first)
    run(sandbox, lambda bot: bot.send_message(forum, "hi", reply_parameters=reply))
    assert sandbox.last["thread"] == str(first)
    with pytest.raises(BadRequest, match=r"(?i)message to be replied not found"):
        run(
            sandbox,
            lambda bot: bot.send_message(forum, "hi", reply_parameters=ReplyParameters(999)),
        )


@pytest.mark.parametrize("wrong", ["110201543:" + "A" * 35, "nonsense"])
def test_a_wrong_token_is_refused(sandbox: Sandbox, wrong: str) -> None:
    async def send() -> None:
        bot = Bot(wrong, base_url=f"{sandbox.url}/bot")
        async with bot:
            await bot.send_message(PERSON, "hi")

    with pytest.raises(InvalidToken):
        asyncio.run(send())
    assert sandbox.messages == []


def test_refusals_are_understood(sandbox: Sandbox) -> None:
    for chat, text, named, error in [
        (1, "hi", {}, BadRequest),
        (4712, "hi", {}, Forbidden),
        (-4003, "hi", {}, Forbidden),
        (PERSON, "x" * 4097, {}, BadRequest),
        (PERSON, "<b>hi", {"parse_mode": "HTML"}, BadRequest),
        (PERSON, "1. hi", {"parse_mode": "MarkdownV2"}, BadRequest),
    ]:
        with pytest.raises(error):
            run(sandbox, lambda bot, c=chat, t=text, n=named: bot.send_message(c, t, **n))
    with pytest.raises(ChatMigrated) as moved:
        run(sandbox, lambda bot: bot.send_message(-4001, "hi"))
    assert moved.value.new_chat_id == -1002000000001
    assert sandbox.messages == []
    run(sandbox, lambda bot: bot.send_message(PERSON, "😀" * 4096))
    assert len(sandbox.last["text"]) == 4096


def test_a_rate_limit_says_how_long_to_wait(sandbox: Sandbox) -> None:
    async def many(bot: Bot) -> None:
        for number in range(100):
            await bot.send_message(PERSON, str(number))

    with pytest.raises(RetryAfter) as limited:
        run(sandbox, many)
    seconds = limited.value._retry_after.total_seconds()
    assert 0 < seconds <= 60
    assert seconds == int(seconds)
    # Those before the limit have arrived, each once.
    assert [one["text"] for one in sandbox.messages] == [
        str(n) for n in range(len(sandbox.messages))
    ]


def test_apprise_agrees(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    url = f"tgram://{token(sandbox)}/{PERSON}"
    assert notify(url, "it *is* <b>so</b>", title="A title", body_format="text")
    assert "it *is* <b>so</b>" in sandbox.last["text"]
    assert "A title" in sandbox.last["text"]
    assert notify(f"{url}/?format=html", "<b>bold</b>", body_format="html")
    assert sandbox.last["text"] == "bold"
    taken = len(sandbox.messages)
    assert not notify(f"tgram://{token(sandbox)[:-3]}abc/{PERSON}", "hi")
    assert not notify(f"tgram://{token(sandbox)}/4712", "hi")
    sandbox.fault(SERVICE, "rate_limit", retry_after_s=1)
    assert not notify(url, "hi")
    assert len(sandbox.messages) == taken
