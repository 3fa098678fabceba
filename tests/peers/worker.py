"""Sends by one of the Python peers, once for each line of standard input, and says what it told.

Whatever host a peer has in its code, its connections go to the server of the cases. A line is
`{"how": …}`, what comes back `{"said": "success" | "failure" | "raised" | "nothing", "words": …}`.
"""

from __future__ import annotations

import contextlib
import json
import os
import smtplib
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

TEXT = "hello"


def apprise(how: str) -> bool | None:
    """By a URL of Apprise; the status of its result is a word."""
    import apprise

    one = apprise.Apprise()
    assert one.add(how), f"Apprise does not take {how}"
    return {"SUCCESS": True, "FAILURE": False}.get(one.notify(body=TEXT).status.name)


def notifiers(how: list[Any]) -> bool | None:
    """By a provider of notifiers and its arguments; the status that it gives is a word."""
    from notifiers import get_notifier

    provider, named = how
    status = get_notifier(provider).notify(message=TEXT, **named).status
    return {"Success": True, "Failure": False}.get(status)


def onepush(how: list[Any]) -> bool:
    """By a provider of onepush: it hands back a response of `requests`, or None: true or false.

    For mail it hands back whom `smtplib` could not send to, or lets that one's error out.
    """
    from onepush import notify

    provider, named = how
    try:
        given = notify(provider, content=TEXT, **named)
    except smtplib.SMTPException:
        return False
    except ValueError as error:
        if isinstance(error.__cause__, smtplib.SMTPException):
            return False
        raise
    return not given if isinstance(given, dict) else bool(given)


def always_success(how: str) -> bool:
    """No peer: asks, and says success whatever comes."""
    _ask(how)
    return True


def always_failure(how: str) -> bool:
    """No peer: asks, and says failure whatever comes."""
    _ask(how)
    return False


def by_status(how: str) -> bool:
    """No peer: believes the status, and nothing else."""
    import requests

    return requests.post(how, data=TEXT, timeout=60).ok


def raises(how: str) -> bool:
    """No peer: asks, and fails over its own feet."""
    _ask(how)
    raise KeyError("result")


def says_nothing(how: str) -> None:
    """No peer: asks, and leaves it at that."""
    _ask(how)


def hangs(how: str) -> bool:
    """No peer: asks, and never comes back."""
    _ask(how)
    while True:
        WAIT(60)


def asks_nobody(how: str) -> bool:
    """No peer: says success without a request."""
    return bool(how)


def _ask(url: str) -> None:
    import requests

    with contextlib.suppress(requests.RequestException):
        requests.post(url, data=TEXT, timeout=60)


WAIT = time.sleep
PEERS: dict[str, Callable[[Any], bool | None]] = {
    "apprise": apprise,
    "notifiers": notifiers,
    "onepush": onepush,
    "always_success": always_success,
    "always_failure": always_failure,
    "by_status": by_status,
    "raises": raises,
    "says_nothing": says_nothing,
    "hangs": hangs,
    "asks_nobody": asks_nobody,
}


def _elsewhere(port: int) -> None:
    """Lets every connection go to a port of this machine, and every wait pass at once."""

    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    socket.getaddrinfo = getaddrinfo  # type: ignore[assignment]
    time.sleep = lambda _: None  # type: ignore[assignment]


def _told(peer: Callable[[Any], bool | None], how: Any) -> dict[str, str]:
    try:
        word = peer(how)
    except Exception as error:
        return {"said": "raised", "words": f"{type(error).__name__}: {error}"}
    return {"said": {True: "success", False: "failure"}.get(word, "nothing"), "words": repr(word)}


def main() -> None:
    peer, port = PEERS[sys.argv[1]], int(sys.argv[2])
    _elsewhere(port)
    # What a peer prints must not stand between the answers.
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        for line in sys.stdin:
            print(json.dumps(_told(peer, json.loads(line)["how"])), file=answers, flush=True)


if __name__ == "__main__":
    main()
