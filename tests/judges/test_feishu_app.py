"""Feishu's own client, lark-oapi."""

from __future__ import annotations

import io
import json

import lark_oapi as lark
import pytest
from lark_oapi.api.im.v1 import (
    CreateFileRequest,
    CreateFileRequestBody,
    CreateMessageRequest,
    CreateMessageRequestBody,
    ReplyMessageRequest,
    ReplyMessageRequestBody,
)
from lark_oapi.core.cache import LocalCache
from lark_oapi.core.token.manager import TokenManager

from sandbox import Sandbox

SERVICE = "feishu_app"
USER = "ou_7d8a6e6df7621556ce0d21922b676706"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the client forget the tokens of other sandboxes, which it keeps for all its life."""
    monkeypatch.setattr(TokenManager, "cache", LocalCache())


def client(sandbox: Sandbox, secret: str | None = None) -> lark.Client:
    """A client of the sandbox's app."""
    auth = sandbox.accounts[SERVICE]["auth"]
    builder = lark.Client.builder().app_id(auth["id"]).app_secret(secret or auth["secret"])
    return builder.domain(sandbox.url).build()


def message(
    to: str, content: dict, kind: str = "text", id_type: str = "open_id"
) -> CreateMessageRequest:
    """A message to somebody."""
    body = CreateMessageRequestBody.builder().receive_id(to).msg_type(kind)
    body = body.content(json.dumps(content)).build()
    return CreateMessageRequest.builder().receive_id_type(id_type).request_body(body).build()


def test_text_post_and_answer_arrive(sandbox: Sandbox) -> None:
    own = client(sandbox)
    answer = own.im.v1.message.create(message(USER, {"text": "鸿雁"}))
    assert answer.success(), answer.msg
    assert sandbox.last["text"] == "鸿雁"
    assert sandbox.last["id"] == answer.data.message_id
    post = {"zh_cn": {"title": "Disk", "content": [[{"tag": "text", "text": "90 %"}]]}}
    assert own.im.v1.message.create(message(USER, post, "post")).success()
    assert (sandbox.last["title"], sandbox.last["text"]) == ("Disk", "90 %")
    body = ReplyMessageRequestBody.builder().msg_type("text").content('{"text": "yes"}').build()
    reply = ReplyMessageRequest.builder().message_id(answer.data.message_id)
    assert own.im.v1.message.reply(reply.request_body(body).build()).success()
    assert sandbox.last["thread"] == answer.data.message_id


def test_a_file_goes_up_and_is_sent(sandbox: Sandbox) -> None:
    own = client(sandbox)
    body = CreateFileRequestBody.builder().file_type("stream").file_name("letter.txt")
    body = body.file(io.BytesIO(b"hongyan carries letters")).build()
    up = own.im.v1.file.create(CreateFileRequest.builder().request_body(body).build())
    assert up.success(), up.msg
    sent = own.im.v1.message.create(message(USER, {"file_key": up.data.file_key}, "file"))
    assert sent.success(), sent.msg
    assert [one["name"] for one in sandbox.last["attachments"]] == ["letter.txt"]


def test_what_is_refused_has_its_code(sandbox: Sandbox) -> None:
    own = client(sandbox)
    nobody = own.im.v1.message.create(message("ou_nobody", {"text": "hi"}))
    assert (nobody.success(), nobody.code) == (False, 230034)
    outside = message("oc_without_the_bot", {"text": "hi"}, id_type="chat_id")
    assert own.im.v1.message.create(outside).code == 230002
    codes = {own.im.v1.message.create(message(USER, {"text": str(n)})).code for n in range(60)}
    assert codes & {230020, 99991400}
    assert 0 in codes
