"""wechatpy at WeChat's official accounts."""

from __future__ import annotations

import pytest
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from sandbox import Sandbox

SERVICE = "wechat_oa"
ANNA = "oAnna6_hongyan0123456789abcd"


@pytest.fixture
def client(sandbox: Sandbox, everywhere: None) -> WeChatClient:
    """A client whose requests go to the sandbox, that for a token too, whose URL is a literal."""
    auth = sandbox.accounts[SERVICE]["auth"]
    return WeChatClient(auth["id"], auth["secret"])


def test_a_customer_message_and_a_template_arrive(sandbox: Sandbox, client: WeChatClient) -> None:
    assert client.message.send_text(ANNA, "鸿雁")["errcode"] == 0
    assert (sandbox.last["recipient"], sandbox.last["text"]) == (ANNA, "鸿雁")
    answer = client.message.send_template(ANNA, "tpl-disk", {"first": {"value": "90 %"}})
    assert str(answer["msgid"]) == sandbox.last["id"]
    assert sandbox.last["text"] == "90 %"


def test_a_file_goes_up_and_is_sent(sandbox: Sandbox, client: WeChatClient) -> None:
    for kind, name, send in [
        ("image", "goose.png", client.message.send_image),
        ("voice", "call.amr", client.message.send_voice),
        ("video", "flight.mp4", client.message.send_video),
    ]:
        media = client.media.upload(kind, (name, b"hongyan carries letters"))
        assert media["type"] == kind
        send(ANNA, media["media_id"])
        assert [one["name"] for one in sandbox.last["attachments"]] == [name]
    with pytest.raises(WeChatClientException) as refused:
        client.message.send_image(ANNA, media["media_id"])
    assert refused.value.errcode == 40007
    with pytest.raises(WeChatClientException) as refused:
        client.media.upload("image", ("letter.txt", b"hongyan carries letters"))
    assert refused.value.errcode == 40005
    assert len(sandbox.messages) == 3


def test_what_is_refused_is_seen(sandbox: Sandbox, client: WeChatClient) -> None:
    with pytest.raises(WeChatClientException) as refused:
        client.message.send_text("oSilent_hongyan0123456789abc", "hi")
    assert refused.value.errcode == 45015
    client.secret = "another"
    client.session.set(client.access_token_key, "", 0)
    with pytest.raises(WeChatClientException) as refused:
        client.message.send_text(ANNA, "hi")
    assert refused.value.errcode == 40125
    assert sandbox.messages == []


def test_a_token_that_is_not_the_latest_is_got_anew(sandbox: Sandbox, client: WeChatClient) -> None:
    client.session.set(client.access_token_key, "of-another", 7200)
    assert client.message.send_text(ANNA, "hi")["errcode"] == 0
    assert len(sandbox.messages) == 1
