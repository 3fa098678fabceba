"""Tencent's own client of its cloud's SMS."""

from __future__ import annotations

import time

import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111 import models
from tencentcloud.sms.v20210111.sms_client import SmsClient

from sandbox import Sandbox

SERVICE = "tencent_sms"


def client_of(sandbox: Sandbox, **wrong: str) -> SmsClient:
    """A client of the sandbox's account, with other credentials where they are given."""
    auth = {**sandbox.accounts[SERVICE]["auth"], **wrong}
    http = HttpProfile(protocol="http", endpoint=sandbox.url.removeprefix("http://"))
    profile = ClientProfile(httpProfile=http)
    return SmsClient(Credential(auth["id"], auth["secret"]), "ap-guangzhou", profile)


def request(
    *numbers: str, template: str = "1110", params: list[str] | None = None
) -> models.SendSmsRequest:
    """A message to these numbers."""
    one = models.SendSmsRequest()
    one.PhoneNumberSet = list(numbers)
    one.SmsSdkAppId = "1400006666"
    one.SignName = "鸿雁"
    one.TemplateId = template
    one.TemplateParamSet = ["鸿雁 & 90 % {1}"] if params is None else params
    return one


def test_a_template_arrives(sandbox: Sandbox) -> None:
    client = client_of(sandbox)
    told = client.SendSms(request("+8613800000001")).SendStatusSet
    assert [(one.Code, one.PhoneNumber, one.Fee) for one in told] == [("Ok", "+8613800000001", 1)]
    last = sandbox.last
    assert (last["text"], last["title"]) == ("鸿雁 & 90 % {1}", "鸿雁")
    assert last["id"] == told[0].SerialNo
    client.SendSms(request("13800000002", template="1111", params=["1234", "5"]))
    assert sandbox.last["text"] == "您的验证码是1234，5分钟内有效。"
    assert sandbox.last["recipient"] == "+8613800000002"


def test_each_number_is_told_of_by_itself(sandbox: Sandbox) -> None:
    client = client_of(sandbox)
    told = client.SendSms(request("+8613800000001", "+8613800000004", "+86138")).SendStatusSet
    assert [one.Code for one in told] == [
        "Ok",
        "FailedOperation.PhoneNumberInBlacklist",
        "InvalidParameterValue.IncorrectPhoneNumber",
    ]
    told = client.SendSms(request("+8613800000001", "+8613800000002")).SendStatusSet
    assert [one.Code for one in told] == ["LimitExceeded.PhoneNumberThirtySecondLimit", "Ok"]
    assert len(sandbox.messages) == 2


def test_refusals_are_understood(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(sandbox)
    for wrong, code in [
        (request("+8613800000001", template="1"), "FailedOperation.TemplateIncorrectOrUnapproved"),
        (
            request("+8613800000001", params=[]),
            "FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
        ),
        (
            request("+8613800000001", "+14155550100"),
            "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber",
        ),
        (request(*["+8613800000001"] * 201), "LimitExceeded.PhoneNumberCountLimit"),
    ]:
        with pytest.raises(TencentCloudSDKException) as refused:
            client.SendSms(wrong)
        assert refused.value.get_code() == code
    for other, code in [
        ({"id": "AKIDofAnother"}, "AuthFailure.SecretIdNotFound"),
        ({"secret": "of-another"}, "AuthFailure.SignatureFailure"),
    ]:
        with pytest.raises(TencentCloudSDKException) as refused:
            client_of(sandbox, **other).SendSms(request("+8613800000001"))
        assert refused.value.get_code() == code
    sandbox.fault(SERVICE, "rate_limit")
    with pytest.raises(TencentCloudSDKException) as refused:
        client.SendSms(request("+8613800000001"))
    assert refused.value.get_code() == "RequestLimitExceeded"
    late = time.time() - 301
    monkeypatch.setattr(time, "time", lambda: late)
    with pytest.raises(TencentCloudSDKException) as refused:
        client.SendSms(request("+8613800000001"))
    assert refused.value.get_code() == "AuthFailure.SignatureExpire"
    assert sandbox.messages == []
