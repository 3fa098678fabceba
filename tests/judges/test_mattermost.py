"""mattermostdriver and Apprise at Mattermost's API."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from mattermostdriver import Driver
from mattermostdriver.exceptions import (
    InvalidOrMissingParameters,
    NoAccessTokenProvided,
    NotEnoughPermissions,
)

from sandbox import Sandbox

SERVICE = "mattermost"
TOWN_SQUARE = "4xp9fdt77pncbef59f4k1qe83o"
ANNA = "u1annaannaannaannaannaanna"


def driver(sandbox: Sandbox, token: str | None = None) -> Driver:
    """The client of a bot, which asks first who it is."""
    own = token or sandbox.accounts["mattermost"]["auth"]["token"]
    place = urlsplit(sandbox.url)
    options = {"url": place.hostname, "port": place.port, "scheme": "http", "token": own}
    one = Driver(options)
    one.login()
    return one


def post(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    """Posts into the channel."""
    options = {"channel_id": TOWN_SQUARE, "message": "hi", **more}
    return driver(sandbox).posts.create_post(options)


def test_a_text_arrives_as_it_is(sandbox: Sandbox) -> None:
    text = "鸿雁 carries **this** 😀"
    sent = post(sandbox, message=text, metadata={"priority": {"priority": "urgent"}})
    last = sandbox.last
    assert (sent["message"], sent["id"]) == (last["text"], last["id"])
    assert (last["text"], last["recipient"], last["priority"]) == (text, TOWN_SQUARE, "urgent")


def test_files_arrive_to_the_byte(sandbox: Sandbox) -> None:
    data = bytes(range(256)) * 40
    bot = driver(sandbox)
    uploaded = bot.files.upload_file(TOWN_SQUARE, {"files": ("鸿雁.bin", data)})
    ids = [info["id"] for info in uploaded["file_infos"]]
    sent = bot.posts.create_post({"channel_id": TOWN_SQUARE, "message": "", "file_ids": ids})
    assert sent["file_ids"] == ids
    attached = sandbox.last["attachments"][0]
    assert (attached["name"], attached["sha256"]) == ("鸿雁.bin", hashlib.sha256(data).hexdigest())


def test_a_direct_message_a_thread_and_a_mention_are_kept(sandbox: Sandbox) -> None:
    bot = driver(sandbox)
    me = bot.users.get_user("me")["id"]
    channel = bot.channels.create_direct_message_channel([me, ANNA])
    assert channel["type"] == "D"
    first = bot.posts.create_post({"channel_id": channel["id"], "message": "hi @anna"})
    assert (sandbox.last["recipient"], sandbox.last["mentions"]) == (channel["id"], ["anna"])
    reply = {"channel_id": channel["id"], "message": "more", "root_id": first["id"]}
    bot.posts.create_post(reply)
    assert sandbox.last["thread"] == first["id"]


def test_a_post_is_known_again(sandbox: Sandbox) -> None:
    first = post(sandbox, pending_post_id="me:1")
    assert post(sandbox, pending_post_id="me:1")["id"] == first["id"]
    assert len(sandbox.messages) == 1


def test_refusals_are_understood(sandbox: Sandbox) -> None:
    with pytest.raises(NoAccessTokenProvided):
        driver(sandbox, "wrong")
    for more, error in [
        ({"channel_id": "8xyzabcdefghijklmnopqrstu3"}, NotEnoughPermissions),
        ({"message": ""}, InvalidOrMissingParameters),
        ({"message": "x" * 16384}, InvalidOrMissingParameters),
        ({"root_id": "nonsense"}, InvalidOrMissingParameters),
    ]:
        with pytest.raises(error):
            post(sandbox, **more)
    assert sandbox.messages == []


def test_apprise_agrees(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    hook = sandbox.accounts["mattermost-webhook"]["auth"]["url"].rsplit("/", 1)[1]
    place = urlsplit(sandbox.url)
    url = f"mmost://{place.hostname}:{place.port}"
    assert notify(f"{url}/{hook}", "it is so", title="A title", body_format="text")
    assert "it is so" in sandbox.last["text"]
    assert not notify(f"{url}/{hook[:-1]}x", "hi")
    sandbox.fault(SERVICE, "status", status=500)
    assert not notify(f"{url}/{hook}", "hi")
    assert len(sandbox.messages) == 1
