"""requests-oauthlib, which signs for most Python clients of such services, at three of them."""

from __future__ import annotations

from typing import Any

import pytest
from requests_oauthlib import OAuth1Session

from sandbox import Sandbox

SERVICE = None
SERVICES = ["fanfou", "sina", "statusnet"]
TEXT = "鸿雁: a&b=c + 100% ~ 'so'"


def session(sandbox: Sandbox, service: str, **other: str) -> OAuth1Session:
    """A session with the credentials that the sandbox accepts, or with others."""
    auth: dict[str, Any] = sandbox.accounts[f"{service}-oauth1"]["auth"]
    return OAuth1Session(
        auth["consumer_key"],
        client_secret=other.get("consumer_secret", auth["consumer_secret"]),
        resource_owner_key=auth["token"],
        resource_owner_secret=other.get("token_secret", auth["token_secret"]),
    )


def send(sandbox: Sandbox, service: str, session: OAuth1Session) -> Any:
    """Sends one text."""
    to, path = {
        "fanfou": ({"user": "lisztli"}, ""),
        "sina": ({"id": "11051"}, ""),
        "statusnet": ({"screen_name": "anna"}, "api/"),
    }[service]
    url = f"{sandbox.url}/{service}/{path}direct_messages/new.json"
    return session.post(url, data={**to, "text": TEXT}, timeout=300)


@pytest.mark.parametrize("service", SERVICES)
def test_its_signature_is_accepted(sandbox: Sandbox, service: str) -> None:
    answer = send(sandbox, service, session(sandbox, service))
    assert answer.status_code == 200, answer.text
    assert (answer.json()["text"], sandbox.last["text"]) == (TEXT, TEXT)
    assert str(answer.json()["id"]) == sandbox.last["id"]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("secret", ["consumer_secret", "token_secret"])
def test_one_by_another_secret_is_refused(sandbox: Sandbox, service: str, secret: str) -> None:
    answer = send(sandbox, service, session(sandbox, service, **{secret: "another"}))
    assert answer.status_code in (401, 403), answer.text
    assert sandbox.messages == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_rate_limit_is_a_refusal(sandbox: Sandbox, service: str) -> None:
    sandbox.fault(service, "rate_limit", retry_after_s=7)
    answer = send(sandbox, service, session(sandbox, service))
    assert (answer.ok, answer.headers["Retry-After"]) == (False, "7")
    assert sandbox.messages == []
