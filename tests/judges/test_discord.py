"""discord.py and Apprise at Discord's API."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import discord
import pytest
from discord.http import Route

from sandbox import Sandbox

SERVICE = "discord"
GENERAL = 41771983423143937
THREAD = 41771983423143940
PERSON = 80351110224678912


@pytest.fixture(autouse=True)
def base(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Points the library, bots and webhooks alike, at the sandbox."""
    monkeypatch.setattr(Route, "BASE", f"{sandbox.url}/api/v10")
    yield


def token(sandbox: Sandbox) -> str:
    """The token that the sandbox accepts."""
    return sandbox.accounts["discord"]["auth"]["token"]


def hook(sandbox: Sandbox) -> tuple[int, str]:
    """Id and token of the webhook."""
    number, secret = sandbox.accounts["discord-webhook"]["auth"]["url"].split("/")[-2:]
    return int(number), secret


def run(own: str, act: Callable[[discord.Client], Awaitable[Any]]) -> Any:
    """Lets a bot act, without the gateway."""

    async def whole() -> Any:
        async with discord.Client(intents=discord.Intents.none()) as client:
            await client.http.static_login(own)
            return await act(client)

    return asyncio.run(whole())


def say(sandbox: Sandbox, channel: int, *more: Any, **named: Any) -> Any:
    """Sends into a channel."""
    return run(
        token(sandbox), lambda bot: bot.get_partial_messageable(channel).send(*more, **named)
    )


def test_a_text_arrives_as_it_is(sandbox: Sandbox) -> None:
    text = "鸿雁 carries **this** 😀"
    sent = say(sandbox, GENERAL, text, silent=True)
    last = sandbox.last
    assert (sent.content, str(sent.id), sent.channel.id) == (last["text"], last["id"], GENERAL)
    assert (last["text"], last["recipient"], last["silent"]) == (text, str(GENERAL), True)
    assert sent.created_at.timestamp() > 0


def test_embeds_files_and_mentions_arrive(sandbox: Sandbox, png: bytes) -> None:
    data = bytes(range(256)) * 40
    files = [discord.File(io.BytesIO(png), "a.png"), discord.File(io.BytesIO(data), "鸿雁.bin")]
    embed = discord.Embed(title="Deploy", description="ready")
    sent = say(sandbox, GENERAL, f"<@{PERSON}> look", embed=embed, files=files)
    assert [(one.filename, one.size) for one in sent.attachments] == [
        ("a.png", len(png)),
        ("鸿雁.bin", len(data)),
    ]
    assert sent.embeds[0].title == "Deploy"
    digests = [one["sha256"] for one in sandbox.last["attachments"]]
    assert digests == [hashlib.sha256(one).hexdigest() for one in (png, data)]
    assert sandbox.last["mentions"] == [str(PERSON)]
    nobody = discord.AllowedMentions.none()
    say(sandbox, GENERAL, f"<@{PERSON}> @everyone", allowed_mentions=nobody)
    assert "mentions" not in sandbox.last


def test_a_thread_and_a_reply_are_kept(sandbox: Sandbox) -> None:
    first = say(sandbox, THREAD, "one")
    assert sandbox.last["thread"] == str(THREAD)
    reference = discord.MessageReference(message_id=first.id, channel_id=THREAD)
    say(sandbox, THREAD, "two", reference=reference)
    assert sandbox.last["thread"] == str(first.id)


def test_refusals_are_understood(sandbox: Sandbox) -> None:
    for channel, text, error, code in [
        (7, "hi", discord.NotFound, 10003),
        (41771983423143938, "hi", discord.Forbidden, 50013),
        (GENERAL, "x" * 2001, discord.HTTPException, 50035),
        (GENERAL, " ", discord.HTTPException, 50006),
    ]:
        with pytest.raises(error) as refused:
            say(sandbox, channel, text)
        assert refused.value.code == code
    with pytest.raises(discord.LoginFailure):
        run("wrong", lambda bot: bot.get_partial_messageable(GENERAL).send("hi"))
    assert sandbox.messages == []
    say(sandbox, GENERAL, "😀" * 2000)
    assert len(sandbox.last["text"]) == 2000


def test_the_nonce_makes_one_message_of_two_tries(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda _, *more: asleep(0, *more))
    sandbox.fault(SERVICE, "answer", status=502, body="bad gateway", stored=True)
    sent = say(sandbox, GENERAL, "once")
    assert [one["text"] for one in sandbox.messages] == ["once"]
    assert str(sent.id) == sandbox.last["id"]


def test_a_webhook_sends_and_is_refused(sandbox: Sandbox) -> None:
    async def send(secret: str, text: str, **named: Any) -> Any:
        async with aiohttp.ClientSession() as session:
            webhook = discord.Webhook.partial(hook(sandbox)[0], secret, session=session)
            return await webhook.send(text, wait=True, **named)

    secret = hook(sandbox)[1]
    thread = discord.Object(THREAD)
    sent = asyncio.run(send(secret, "hi", username="goose", thread=thread))
    assert (str(sent.id), sent.author.name) == (sandbox.last["id"], "goose")
    assert sandbox.last["thread"] == str(THREAD)
    with pytest.raises(discord.HTTPException) as refused:
        asyncio.run(send("wrong", "hi"))
    assert refused.value.code == 50027
    assert len(sandbox.messages) == 1


def test_apprise_agrees(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    number, secret = hook(sandbox)
    assert notify(f"discord://{number}/{secret}", "it is so", title="A title", body_format="text")
    assert "it is so" in sandbox.last["text"]
    assert not notify(f"discord://{number}/{secret[:-3]}abc", "hi")
    sandbox.fault(SERVICE, "status", status=500)
    assert not notify(f"discord://{number}/{secret}", "hi")
    assert len(sandbox.messages) == 1
