"""slack_sdk and Apprise at Slack's Web API and its incoming webhooks."""

from __future__ import annotations

import hashlib

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from sandbox import Sandbox

SERVICE = "slack"
GENERAL = "C024BE91L"
USER = "U2147483697"


def client(sandbox: Sandbox, token: str | None = None) -> WebClient:
    """The client of a bot."""
    own = token or sandbox.accounts["slack"]["auth"]["token"]
    return WebClient(own, base_url=f"{sandbox.url}/api/")


def hook(sandbox: Sandbox) -> str:
    """The three parts of the webhook's path that its URL ends with."""
    url: str = sandbox.accounts["slack-webhook"]["auth"]["url"]
    return url.split("/services/")[1]


def test_a_text_arrives_as_it_is(sandbox: Sandbox) -> None:
    text = "鸿雁 carries *this* 😀"
    sent = client(sandbox).chat_postMessage(channel=GENERAL, text=text, mrkdwn=False)
    last = sandbox.last
    assert (sent["ts"], sent["channel"]) == (last["id"], GENERAL)
    assert (last["text"], last["recipient"]) == (text, GENERAL)
    assert "format" not in last


def test_a_direct_message_and_a_thread_are_kept(sandbox: Sandbox) -> None:
    bot = client(sandbox)
    channel = bot.conversations_open(users=USER)["channel"]["id"]
    first = bot.chat_postMessage(channel=channel, text=f"hi <@{USER}>")
    assert (sandbox.last["recipient"], sandbox.last["mentions"]) == (channel, [USER])
    bot.chat_postMessage(channel=channel, text="more", thread_ts=first["ts"])
    assert sandbox.last["thread"] == first["ts"]


def test_blocks_say_what_is_shown(sandbox: Sandbox) -> None:
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "*ready*"}}
    client(sandbox).chat_postMessage(channel=GENERAL, blocks=[block], text="")
    assert (sandbox.last["text"], sandbox.last["format"]) == ("*ready*", "mrkdwn")


def test_refusals_are_understood(sandbox: Sandbox) -> None:
    for channel, text, error in [
        ("C0NOWHERE", "hi", "channel_not_found"),
        ("C0ARCHIVE", "hi", "is_archived"),
        (GENERAL, "", "no_text"),
    ]:
        with pytest.raises(SlackApiError) as refused:
            client(sandbox).chat_postMessage(channel=channel, text=text)
        assert refused.value.response["error"] == error
    with pytest.raises(SlackApiError) as refused:
        client(sandbox, "xoxb-wrong").auth_test()
    assert refused.value.response["error"] == "invalid_auth"
    assert sandbox.messages == []


def test_what_is_cut_is_told(sandbox: Sandbox) -> None:
    sent = client(sandbox).chat_postMessage(channel=GENERAL, text="x" * 40_001)
    assert sent["response_metadata"]["warnings"] == ["message_truncated"]
    assert len(sandbox.last["text"]) == 40_000


def test_a_rate_limit_says_how_long_to_wait(sandbox: Sandbox) -> None:
    sandbox.fault(SERVICE, "rate_limit")
    with pytest.raises(SlackApiError) as refused:
        client(sandbox).chat_postMessage(channel=GENERAL, text="hi")
    assert refused.value.response.status_code == 429
    assert int(refused.value.response.headers["Retry-After"]) > 0
    assert sandbox.messages == []


def test_a_webhook_sends_and_is_refused(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/services/{hook(sandbox)}"
    answer = WebhookClient(url).send(text="hi")
    assert (answer.status_code, answer.body) == (200, "ok")
    assert sandbox.last["text"] == "hi"
    answer = WebhookClient(url[:-1] + "x").send(text="hi")
    assert (answer.status_code, answer.body) == (403, "invalid_token")
    assert len(sandbox.messages) == 1


def test_files_arrive_to_the_byte(sandbox: Sandbox) -> None:
    first, second = bytes(range(256)) * 40, b"second"
    uploads = [
        {"content": first, "filename": "鸿雁.bin", "title": "A goose"},
        {"content": second, "filename": "b.txt"},
    ]
    shared = client(sandbox).files_upload_v2(
        file_uploads=uploads,
        channel=GENERAL,
        initial_comment="look",
        thread_ts="1503435956.000247",
    )
    last = sandbox.last
    assert (last["text"], last["recipient"], last["thread"]) == (
        "look",
        GENERAL,
        "1503435956.000247",
    )
    assert [file["title"] for file in shared["files"]] == ["A goose", "b.txt"]
    digests = [file["sha256"] for file in last["attachments"]]
    assert digests == [hashlib.sha256(data).hexdigest() for data in (first, second)]


def test_a_file_for_no_channel_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(SlackApiError) as refused:
        client(sandbox).files_upload_v2(content=b"x", filename="x", channel="C0NOWHERE")
    assert refused.value.response["error"] == "channel_not_found"
    assert sandbox.messages == []
