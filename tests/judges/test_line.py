"""LINE's own client at its Messaging API."""

from __future__ import annotations

from typing import Any

import pytest
from linebot.v3.messaging import (
    ApiClient,
    ApiException,
    Configuration,
    ImageMessage,
    MentionSubstitutionObject,
    MessagingApi,
    MulticastRequest,
    PushMessageRequest,
    StickerMessage,
    TextMessage,
    TextMessageV2,
    UserMentionTarget,
)

from sandbox import Sandbox

SERVICE = "line"
ANNA = "U4af4980629d85f9c1d3a1b4c5e6f7a8b"
BRUNO = "U0c6a1b2c3d4e5f60718293a4b5c6d7e8"
KEY = "123e4567-e89b-12d3-a456-426614174000"


def api(sandbox: Sandbox, token: str | None = None) -> MessagingApi:
    """The client of a bot."""
    own = token or sandbox.accounts["line"]["auth"]["token"]
    return MessagingApi(ApiClient(Configuration(host=sandbox.url, access_token=own)))


def push(sandbox: Sandbox, *messages: Any, to: str = ANNA, **more: Any) -> Any:
    """Sends message objects to a user."""
    key = more.pop("key", None)
    request = PushMessageRequest(to=to, messages=list(messages), **more)
    return api(sandbox).push_message(request, x_line_retry_key=key)


def test_a_text_arrives_as_it_is(sandbox: Sandbox) -> None:
    text = "鸿雁 carries {this} for $5 😀"
    sent = push(sandbox, TextMessage(text=text), notification_disabled=True)
    last = sandbox.last
    assert (last["text"], last["recipient"], last["silent"]) == (text, ANNA, True)
    assert [one.id for one in sent.sent_messages] == [last["id"]]


def test_a_mention_a_picture_and_a_sticker_are_kept(sandbox: Sandbox) -> None:
    target = UserMentionTarget(user_id=BRUNO)
    who = {"m0": MentionSubstitutionObject(mentionee=target)}
    url = "https://example.com/a.png"
    sent = push(
        sandbox,
        TextMessageV2(text="look {m0}", substitution=who),
        ImageMessage(original_content_url=url, preview_image_url=url),
        StickerMessage(package_id="446", sticker_id="1988"),
    )
    assert len(sent.sent_messages) == 3
    text, picture, sticker = sandbox.messages
    assert (text["text"], text["mentions"]) == (f"look @{BRUNO}", [BRUNO])
    assert picture["attachments"][0]["url"] == url
    assert "446" in sticker["text"]


def test_several_users_get_one_message(sandbox: Sandbox) -> None:
    request = MulticastRequest(to=[ANNA, BRUNO], messages=[TextMessage(text="to both")])
    api(sandbox).multicast(request, x_line_retry_key=KEY)
    assert [one["recipient"] for one in sandbox.messages] == [ANNA, BRUNO]
    with pytest.raises(ApiException) as caught:
        api(sandbox).multicast(request, x_line_retry_key=KEY)
    assert caught.value.status == 409
    assert len(sandbox.messages) == 2


def test_a_retry_key_is_known_again(sandbox: Sandbox) -> None:
    first = push(sandbox, TextMessage(text="once"), key=KEY)
    with pytest.raises(ApiException) as caught:
        push(sandbox, TextMessage(text="once"), key=KEY)
    assert caught.value.status == 409
    assert first.sent_messages[0].id in caught.value.body
    assert caught.value.headers["x-line-accepted-request-id"]
    assert len(sandbox.messages) == 1


def test_who_the_bot_is_and_refusals_are_understood(sandbox: Sandbox) -> None:
    assert api(sandbox).get_bot_info().basic_id == "@hongyan"
    with pytest.raises(ApiException) as caught:
        api(sandbox, "wrong").get_bot_info()
    assert caught.value.status == 401
    for message, to in [
        (TextMessage(text="x" * 5001), ANNA),
        (TextMessage(text=""), ANNA),
        (TextMessage(text="x"), "nobody"),
        (TextMessage(text="x"), "U" + "f" * 32),
    ]:
        with pytest.raises(ApiException) as caught:
            push(sandbox, message, to=to)
        assert caught.value.status == 400
    sandbox.fault(SERVICE, "rate_limit")
    with pytest.raises(ApiException) as caught:
        push(sandbox, TextMessage(text="x"))
    assert caught.value.status == 429
    assert sandbox.messages == []
