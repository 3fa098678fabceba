"""Apprise at a webhook of Rocket.Chat."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from sandbox import Sandbox

SERVICE = "rocketchat"


def test_apprise_agrees(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    hook = sandbox.accounts["rocketchat-webhook"]["auth"]["url"].split("/hooks/", 1)[1]
    place = urlsplit(sandbox.url)
    host = f"{place.hostname}:{place.port}"
    for target, recipient in [
        ("/", "general"),
        ("/%23off-topic", "off-topic"),
        ("/@anna", "@anna"),
    ]:
        assert notify(f"rocket://{hook}@{host}{target}", "it is so", body_format="text")
        last = sandbox.last
        assert (last["text"], last["recipient"]) == ("it is so", recipient)
    assert not notify(f"rocket://{hook[:-1]}x@{host}/", "hi")
    sandbox.fault(SERVICE, "rate_limit")
    assert not notify(f"rocket://{hook}@{host}/", "hi")
    assert len(sandbox.messages) == 3
