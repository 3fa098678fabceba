"""Alibaba Cloud's own client of its SMS, which raises nothing where a message is refused."""

from __future__ import annotations

import json

import pytest
from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_dysmsapi20170525.models import SendSmsRequest
from alibabacloud_tea_openapi.models import Config
from Tea.exceptions import TeaException

from sandbox import Sandbox

SERVICE = "aliyun_sms"


def client_of(sandbox: Sandbox, **wrong: str) -> Client:
    """A client of the sandbox's account, with other credentials where they are given."""
    auth = {**sandbox.accounts[SERVICE]["auth"], **wrong}
    endpoint = sandbox.url.removeprefix("http://")
    return Client(
        Config(
            access_key_id=auth["id"],
            access_key_secret=auth["secret"],
            endpoint=endpoint,
            protocol="HTTP",
        )
    )


def request(numbers: str, template: str = "SMS_100000001", **variables: str) -> SendSmsRequest:
    """A message to these numbers."""
    return SendSmsRequest(
        phone_numbers=numbers,
        sign_name="鸿雁",
        template_code=template,
        template_param=json.dumps(variables),
    )


def test_a_template_arrives(sandbox: Sandbox) -> None:
    told = client_of(sandbox).send_sms(request("13800000001", content="鸿雁 & 90 % ~*")).body
    assert (told.code, told.message) == ("OK", "OK")
    last = sandbox.last
    assert (last["text"], last["recipient"]) == ("鸿雁 & 90 % ~*", "13800000001")
    assert last["id"] == told.biz_id


def test_several_numbers_have_one_answer(sandbox: Sandbox) -> None:
    client = client_of(sandbox)
    told = client.send_sms(request("13800000001,+8613800000002", "SMS_100000003")).body
    assert told.code == "OK"
    assert [one["recipient"] for one in sandbox.messages] == ["13800000001", "13800000002"]
    assert {one["id"] for one in sandbox.messages} == {told.biz_id}
    told = client.send_sms(request("13800000003,1", "SMS_100000003")).body
    assert told.code == "isv.MOBILE_NUMBER_ILLEGAL"
    assert len(sandbox.messages) == 2


def test_refusals_of_the_message_come_in_a_success(sandbox: Sandbox) -> None:
    client = client_of(sandbox)
    assert client.send_sms(request("13800000001", content="x")).body.code == "OK"
    for wrong, code in [
        (request("13800000001", content="x"), "isv.BUSINESS_LIMIT_CONTROL"),
        (request("13800000002", "SMS_1", content="x"), "isv.SMS_TEMPLATE_ILLEGAL"),
        (request("13800000002"), "isv.TEMPLATE_MISSING_PARAMETERS"),
        (request(",".join(["13800000002"] * 1001), content="x"), "isv.MOBILE_COUNT_OVER_LIMIT"),
    ]:
        assert client.send_sms(wrong).body.code == code
    assert len(sandbox.messages) == 1


def test_wrong_credentials_and_too_many_calls_are_refused(sandbox: Sandbox) -> None:
    for other, code in [
        ({"id": "LTAI5tAnother"}, "InvalidAccessKeyId.NotFound"),
        ({"secret": "of-another"}, "SignatureDoesNotMatch"),
    ]:
        with pytest.raises(TeaException) as refused:
            client_of(sandbox, **other).send_sms(request("13800000001", content="x"))
        assert refused.value.code == code
    sandbox.fault(SERVICE, "rate_limit")
    with pytest.raises(TeaException) as refused:
        client_of(sandbox).send_sms(request("13800000001", content="x"))
    assert refused.value.code == "Throttling.User"
    assert sandbox.messages == []
