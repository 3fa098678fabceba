"""Mastodon.py and Apprise at Mastodon's API."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from mastodon import (
    Mastodon,
    MastodonAPIError,
    MastodonNotFoundError,
    MastodonRatelimitError,
    MastodonUnauthorizedError,
)

from sandbox import Sandbox

SERVICE = "mastodon"


def client(sandbox: Sandbox, token: str | None = None) -> Mastodon:
    """The client of a user, which asks first what the server is."""
    own = token or sandbox.accounts["mastodon"]["auth"]["token"]
    return Mastodon(access_token=own, api_base_url=sandbox.url, ratelimit_method="throw")


def post(sandbox: Sandbox, text: str, **more: Any) -> Any:
    """Posts to whom the text mentions."""
    return client(sandbox).status_post(text, visibility="direct", **more)


def test_a_text_arrives_at_whom_it_mentions(sandbox: Sandbox) -> None:
    text = "@bruno@far.example 鸿雁 carries **this** 😀"
    sent = post(sandbox, text, spoiler_text="a warning")
    last = sandbox.last
    assert str(sent.id) == last["id"]
    assert (sent.visibility, sent.mentions[0].acct) == ("direct", "bruno@far.example")
    assert (last["text"], last["title"]) == (text, "a warning")
    assert last["recipient"] == "bruno@far.example"
    reply = client(sandbox).status_reply(sent, "@bruno@far.example more", visibility="direct")
    assert str(reply.in_reply_to_id) == last["id"] == sandbox.last["thread"]


def test_who_is_not_known_is_not_mentioned(sandbox: Sandbox) -> None:
    assert post(sandbox, "@nobody@far.example hi").mentions == []
    assert sandbox.messages == []


def test_a_post_is_known_again(sandbox: Sandbox) -> None:
    first = post(sandbox, "@anna hi", idempotency_key="k")
    assert post(sandbox, "@anna hi", idempotency_key="k").id == first.id
    assert post(sandbox, "@anna hi", idempotency_key="j").id != first.id
    assert len(sandbox.messages) == 2


def test_files_arrive_to_the_byte(sandbox: Sandbox, png: bytes) -> None:
    one = client(sandbox)
    picture = one.media_post(png, "image/png", file_name="dot.png")
    assert picture.url is not None
    film = bytes(range(256)) * 400
    # It is processed after the answer, and looked after until it is ready.
    clip = one.media_post(film, "video/mp4", file_name="a.mp4", synchronous=True)
    assert clip.url is not None
    post(sandbox, "@anna look", media_ids=[picture, clip])
    digests = [file["sha256"] for file in sandbox.last["attachments"]]
    assert digests == [hashlib.sha256(data).hexdigest() for data in (png, film)]


def test_refusals_are_understood(sandbox: Sandbox) -> None:
    with pytest.raises(MastodonUnauthorizedError):
        client(sandbox, "wrong").status_post("@anna hi", visibility="direct")
    with pytest.raises(MastodonNotFoundError):
        post(sandbox, "@anna hi", in_reply_to_id=7)
    for text in (" ", "x" * 501):
        with pytest.raises(MastodonAPIError):
            post(sandbox, text)
    assert sandbox.messages == []


def test_a_rate_limit_is_understood(sandbox: Sandbox) -> None:
    one = client(sandbox)
    sandbox.fault(SERVICE, "rate_limit")
    with pytest.raises(MastodonRatelimitError):
        one.status_post("@anna hi", visibility="direct")
    assert one.status_post("@anna hi", visibility="direct").mentions[0].acct == "anna"


def test_apprise_agrees(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    token = sandbox.accounts["mastodon"]["auth"]["token"]
    place = urlsplit(sandbox.url)
    url = f"mastodon://{token}@{place.hostname}:{place.port}/@anna?visibility=direct"
    assert notify(url, "it is so", title="A title", body_format="text")
    assert "it is so" in sandbox.last["text"]
    assert sandbox.last["recipient"] == "anna"
    assert not notify(url.replace(token, token[:-1] + "x"), "hi")
    sandbox.fault(SERVICE, "status", status=500)
    assert not notify(url, "hi")
    assert len(sandbox.messages) == 1
