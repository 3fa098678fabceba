"""DingTalk's own client of its newer interfaces: tokens, and messages to users and groups."""

from __future__ import annotations

import json

import pytest
from alibabacloud_dingtalk.oauth2_1_0 import models as oauth2
from alibabacloud_dingtalk.oauth2_1_0.client import Client as OAuth2
from alibabacloud_dingtalk.robot_1_0 import models as robot
from alibabacloud_dingtalk.robot_1_0.client import Client as Robot
from alibabacloud_tea_openapi.models import Config
from alibabacloud_tea_util.models import RuntimeOptions
from Tea.exceptions import TeaException

from sandbox import Sandbox

SERVICE = "dingtalk_app"


def config(sandbox: Sandbox) -> Config:
    """Where the sandbox is."""
    return Config(
        endpoint=sandbox.url.removeprefix("http://"), protocol="http", region_id="central"
    )


def token(sandbox: Sandbox, secret: str | None = None) -> str:
    """A token of the sandbox's app."""
    auth = sandbox.accounts[SERVICE]["auth"]
    request = oauth2.GetAccessTokenRequest(app_key=auth["key"], app_secret=secret or auth["secret"])
    body = OAuth2(config(sandbox)).get_access_token(request).body
    assert body.expire_in == 7200
    return str(body.access_token)


def send(sandbox: Sandbox, token: str, users: list[str], key: str, **param: str) -> object:
    """A message to users."""
    headers = robot.BatchSendOTOHeaders(x_acs_dingtalk_access_token=token)
    request = robot.BatchSendOTORequest(
        robot_code=sandbox.accounts[SERVICE]["robot_code"],
        user_ids=users,
        msg_key=key,
        msg_param=json.dumps(param),
    )
    client = Robot(config(sandbox))
    return client.batch_send_otowith_options(request, headers, RuntimeOptions()).body


def test_text_and_markdown_arrive(sandbox: Sandbox) -> None:
    own = token(sandbox)
    told = send(sandbox, own, ["manager4220", "user2"], "sampleText", content="鸿雁")
    assert told.process_query_key
    assert [one["recipient"] for one in sandbox.messages] == ["manager4220", "user2"]
    assert sandbox.last["text"] == "鸿雁"
    send(sandbox, own, ["user2"], "sampleMarkdown", title="Disk", text="**90 %**")
    assert (sandbox.last["text"], sandbox.last["format"]) == ("**90 %**", "markdown")


def test_it_sees_whom_nothing_was_sent_to(sandbox: Sandbox) -> None:
    told = send(sandbox, token(sandbox), ["user2", "nobody"], "sampleText", content="hi")
    assert told.invalid_staff_id_list == ["nobody"]
    assert len(sandbox.messages) == 1


def test_a_group_gets_its_message(sandbox: Sandbox) -> None:
    headers = robot.OrgGroupSendHeaders(x_acs_dingtalk_access_token=token(sandbox))
    request = robot.OrgGroupSendRequest(
        robot_code=sandbox.accounts[SERVICE]["robot_code"],
        open_conversation_id="cidHongyan0000==",
        msg_key="sampleText",
        msg_param=json.dumps({"content": "hi"}),
    )
    client = Robot(config(sandbox))
    assert client.org_group_send_with_options(
        request, headers, RuntimeOptions()
    ).body.process_query_key
    assert sandbox.last["recipient"] == "cidHongyan0000=="


def test_refusals_are_understood(sandbox: Sandbox) -> None:
    with pytest.raises(TeaException) as refused:
        token(sandbox, "of-another")
    assert refused.value.code == "invalidClientIdOrSecret"
    with pytest.raises(TeaException) as refused:
        send(sandbox, "of-another", ["user2"], "sampleText", content="hi")
    assert refused.value.code == "InvalidAuthentication"
    own = token(sandbox)
    sandbox.fault(SERVICE, "rate_limit")
    with pytest.raises(TeaException) as refused:
        send(sandbox, own, ["user2"], "sampleText", content="hi")
    assert refused.value.code == "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"
    assert sandbox.messages == []
