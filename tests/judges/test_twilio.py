"""Twilio's own client, whose host is a literal."""

from __future__ import annotations

from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from sandbox import Sandbox

SERVICE = "twilio"
FROM = "+15005550006"
TO = "+15005550010"


class Redirected(TwilioHttpClient):
    """Sends to the sandbox what is meant for Twilio."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base

    def request(self, method: str, url: str, *more: Any, **named: Any) -> Any:
        """The same request, elsewhere."""
        own = url.replace("https://api.twilio.com", self.base)
        assert own != url, url
        return super().request(method, own, *more, **named)


def client_of(sandbox: Sandbox, token: str | None = None) -> Client:
    """A client of the sandbox's account."""
    auth = sandbox.accounts["twilio"]["auth"]
    http = Redirected(sandbox.url)
    return Client(auth["username"], token or auth["password"], http_client=http)


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    """A client with the right token."""
    return client_of(sandbox)


def test_a_text_arrives_as_it_is(sandbox: Sandbox, client: Client) -> None:
    message = client.messages.create(to=TO, from_=FROM, body="鸿雁 & 90 % +1 😀")
    assert (message.status, message.error_code) == ("queued", None)
    assert message.date_created is not None
    last = sandbox.last
    assert (last["text"], last["recipient"]) == ("鸿雁 & 90 % +1 😀", TO)
    assert last["id"] == message.sid


def test_media_and_a_messaging_service(sandbox: Sandbox, client: Client) -> None:
    urls = ["https://example.com/a.png", "https://example.com/b.pdf"]
    client.messages.create(to=TO, from_=FROM, media_url=urls)
    assert [one["url"] for one in sandbox.last["attachments"]] == urls
    service = sandbox.accounts["twilio-basic-key"]["from"]
    message = client.messages.create(to=TO, messaging_service_sid=service, body="hi")
    assert (message.status, message.from_) == ("accepted", None)


def test_an_api_key_sends_for_its_account(sandbox: Sandbox) -> None:
    account = sandbox.accounts["twilio-basic-key"]
    auth = account["auth"]
    client = Client(
        auth["username"],
        auth["password"],
        account["account_sid"],
        http_client=Redirected(sandbox.url),
    )
    assert client.messages.create(to=TO, from_=FROM, body="hi").sid == sandbox.last["id"]


@pytest.mark.parametrize(
    ("to", "body", "code"),
    [
        ("+15005550001", "hi", 21211),
        ("+15005550004", "hi", 21610),
        (TO, "x" * 1601, 21617),
    ],
)
def test_refusals_are_understood(
    sandbox: Sandbox, client: Client, to: str, body: str, code: int
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        client.messages.create(to=to, from_=FROM, body=body)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert sandbox.messages == []


def test_a_wrong_token_and_too_many_at_once(sandbox: Sandbox, client: Client) -> None:
    with pytest.raises(TwilioRestException) as refused:
        client_of(sandbox, "of-another").messages.create(to=TO, from_=FROM, body="hi")
    assert (refused.value.status, refused.value.code) == (401, 20003)
    sandbox.fault(SERVICE, "rate_limit")
    with pytest.raises(TwilioRestException) as refused:
        client.messages.create(to=TO, from_=FROM, body="hi")
    assert (refused.value.status, refused.value.code) == (429, 20429)
    assert sandbox.messages == []


def test_the_account_is_told(client: Client) -> None:
    account = client.api.accounts(client.username).fetch()
    assert (account.status, account.type) == ("active", "Full")
