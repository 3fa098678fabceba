"""The signer of Standard Webhooks, and Apprise, at receivers of one's own."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from urllib.parse import urlsplit

import requests
from standardwebhooks.webhooks import Webhook

from sandbox import Sandbox

SERVICE = "webhook"


def signed(sandbox: Sandbox, body: str, **more: object) -> requests.Response:
    """Posts a body that the library signed, under this id, at this time, by this secret."""
    account = sandbox.accounts["webhook-standard_webhooks"]
    secret = str(more.get("secret", account["auth"]["secret"]))
    now = datetime.datetime.now(tz=datetime.UTC)
    time = now - datetime.timedelta(seconds=float(str(more.get("age", 0))))
    name = str(more.get("name", "msg_1"))
    headers = {
        "Content-Type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(int(time.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, time, body),
    }
    url = sandbox.url + urlsplit(account["url"]).path
    return requests.post(url, body.encode(), headers=headers, timeout=300)


def test_what_the_standard_s_library_signs_is_taken(sandbox: Sandbox) -> None:
    answer = signed(sandbox, json.dumps({"text": "鸿雁"}))
    assert (answer.status_code, answer.json()["taken"]) == (200, True)
    assert sandbox.last["text"] == "鸿雁"


def test_another_secret_or_an_old_time_is_refused(sandbox: Sandbox) -> None:
    other = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx"
    for more in ({"secret": other}, {"age": 3600}, {"age": -3600}):
        assert signed(sandbox, '{"text": "x"}', **more).status_code == 401, more
    assert sandbox.messages == []


def test_a_notice_of_apprise_arrives(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    url = urlsplit(sandbox.accounts["webhook-none"]["url"])
    # A name behind `:` is renamed: Apprise calls the text "message".
    there = f"json://hooks.example.com{url.path}?-key=goose-4711&:message=text"
    assert notify(there, "鸿雁", title="T")
    assert (sandbox.last["title"], sandbox.last["text"]) == ("T", "鸿雁")
    assert not notify(there.replace("4711", "4712"), "hi")
