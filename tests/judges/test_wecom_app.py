"""wechatpy's client of WeCom, which the package calls enterprise."""

from __future__ import annotations

import pytest
from wechatpy.enterprise import WeChatClient
from wechatpy.exceptions import WeChatClientException

from sandbox import Sandbox

SERVICE = "wecom_app"
AGENT = 1000002


@pytest.fixture
def client(sandbox: Sandbox, everywhere: None) -> WeChatClient:
    """A client whose requests go to the sandbox, that for a token too, whose URL is a literal."""
    auth = sandbox.accounts[SERVICE]["auth"]
    return WeChatClient(auth["corp_id"], auth["secret"])


def test_text_and_markdown_arrive(sandbox: Sandbox, client: WeChatClient) -> None:
    answer = client.message.send_text(AGENT, ["anna", "bruno"], "鸿雁")
    assert answer["errcode"] == 0
    assert [one["recipient"] for one in sandbox.messages] == ["anna", "bruno"]
    assert sandbox.last["text"] == "鸿雁"
    client.message.send_markdown(AGENT, "anna", "**90 %**")
    assert (sandbox.last["text"], sandbox.last["format"]) == ("**90 %**", "markdown")


def test_a_file_goes_up_and_is_sent(sandbox: Sandbox, client: WeChatClient) -> None:
    media = client.media.upload("file", ("letter.txt", b"hongyan carries letters"))
    client.message.send_file(AGENT, "anna", media["media_id"])
    assert [one["name"] for one in sandbox.last["attachments"]] == ["letter.txt"]


def test_it_sees_whom_nothing_was_sent_to(sandbox: Sandbox, client: WeChatClient) -> None:
    assert client.message.send_text(AGENT, ["anna", "nobody"], "hi")["invaliduser"] == "nobody"
    with pytest.raises(WeChatClientException) as refused:
        client.message.send_text(AGENT, ["nobody"], "hi")
    assert refused.value.errcode == 81013
    assert len(sandbox.messages) == 1


def test_a_wrong_secret_is_refused(sandbox: Sandbox, client: WeChatClient) -> None:
    client.secret = "another"
    with pytest.raises(WeChatClientException) as refused:
        client.message.send_text(AGENT, ["anna"], "hi")
    assert refused.value.errcode == 40001
    assert sandbox.messages == []


def test_a_token_that_is_not_valid_is_got_anew(sandbox: Sandbox, client: WeChatClient) -> None:
    client.session.set(client.access_token_key, "of-another", 7200)
    assert client.message.send_text(AGENT, ["anna"], "hi")["errcode"] == 0
    assert len(sandbox.messages) == 1
