"""DingtalkChatbot and Apprise at DingTalk's custom robot."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote, urlsplit

import pytest
from apprise.plugins.dingtalk import NotifyDingTalk
from dingtalkchatbot.chatbot import ActionCard, CardItem, DingtalkChatbot, FeedLink

from sandbox import Sandbox

SERVICE = "dingtalk_bot"


def auth(sandbox: Sandbox) -> dict[str, str]:
    """The robot's URL and secret that the sandbox accepts."""
    return next(one["auth"] for one in sandbox.accounts.values() if "secret" in one["auth"])


def webhook(sandbox: Sandbox) -> str:
    """The robot's URL, at the sandbox."""
    url = urlsplit(auth(sandbox)["url"])
    return f"{sandbox.url}{url.path}?{url.query}"


def robot(sandbox: Sandbox) -> DingtalkChatbot:
    """A robot that signs; each waits by itself from its twentieth message on."""
    return DingtalkChatbot(webhook(sandbox), secret=auth(sandbox)["secret"])


def test_a_text_and_its_mentions_arrive(sandbox: Sandbox) -> None:
    answer = robot(sandbox).send_text(
        "鸿雁 *as it is*", at_mobiles=["13800000000"], is_auto_at=False
    )
    assert answer["errcode"] == 0
    assert (sandbox.last["text"], sandbox.last["mentions"]) == ("鸿雁 *as it is*", ["13800000000"])
    assert "format" not in sandbox.last
    assert robot(sandbox).send_text("all", is_at_all=True)["errcode"] == 0
    assert sandbox.last["mentions"] == ["all"]


def test_every_kind_of_message_is_taken(sandbox: Sandbox) -> None:
    one = robot(sandbox)
    assert one.send_markdown(title="T", text="# T\n**bold**")["errcode"] == 0
    assert (sandbox.last["title"], sandbox.last["format"]) == ("T", "markdown")
    link = {"title": "T", "text": "t", "message_url": "https://example.org/"}
    assert one.send_link(**link, pic_url="https://example.org/a.png")["errcode"] == 0
    buttons = [
        CardItem(title="a", url="https://example.org/"),
        CardItem(title="b", url="https://example.org/b"),
    ]
    for count in (1, 2):
        card = ActionCard(title="T", text="### t", btns=buttons[:count], btn_orientation=1)
        assert one.send_action_card(card)["errcode"] == 0
        assert sandbox.last["title"] == "T"
    links = [
        CardItem(title=f"l{n}", url="https://example.org/", pic_url="https://example.org/a.png")
        for n in (1, 2)
    ]
    assert one.send_feed_card(links)["errcode"] == 0
    links = [FeedLink("old", "https://example.org/", "https://example.org/a.png")]
    assert one.send_feed_card(links)["errcode"] == 0
    assert len(sandbox.messages) == 6


def test_wrong_credentials_are_refused(sandbox: Sandbox) -> None:
    wrong = DingtalkChatbot(webhook(sandbox), secret="SEC" + "0" * 60)
    assert wrong.send_text("hi")["errcode"] == 310000
    unsigned = DingtalkChatbot(webhook(sandbox))
    assert unsigned.send_text("hi")["errcode"] == 310000
    stranger = DingtalkChatbot(webhook(sandbox) + "x", secret=auth(sandbox)["secret"])
    assert stranger.send_text("hi")["errcode"] == 300005
    assert sandbox.messages == []


def test_the_twenty_first_message_of_a_minute_is_refused(sandbox: Sandbox) -> None:
    robots = [robot(sandbox), robot(sandbox)]
    codes = [robots[number % 2].send_text(str(number))["errcode"] for number in range(22)]
    assert codes == [0] * 20 + [130101] * 2
    assert [one["text"] for one in sandbox.messages] == [str(number) for number in range(20)]


def test_apprise_agrees_once_it_encodes_its_signature_once(
    sandbox: Sandbox, notify: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = urlsplit(auth(sandbox)["url"]).query.removeprefix("access_token=")
    url = f"dingtalk://{auth(sandbox)['secret']}@{token}/13800000000"
    # It encodes the signature twice, which the service refuses with status 200, and does not look.
    assert notify(url, "hi")
    assert sandbox.messages == []

    signed = NotifyDingTalk.get_signature
    monkeypatch.setattr(
        NotifyDingTalk, "get_signature", lambda one: tuple(map(unquote, signed(one)))
    )
    assert notify(url, "plain *text*", body_format="text")
    assert "plain *text*" in sandbox.last["text"]
    assert sandbox.last["mentions"] == ["13800000000"]
    assert notify(f"{url}/?format=markdown", "**bold**", title="T", body_format="markdown")
    assert (sandbox.last["format"], sandbox.last["title"]) == ("markdown", "T")
    sandbox.fault(SERVICE, "status", status=503)
    assert not notify(url, "hi")
    assert len(sandbox.messages) == 2
