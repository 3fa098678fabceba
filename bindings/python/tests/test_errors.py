"""Exceptions, and what becomes of bad input."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Any

import pytest

import hongyan
from conftest import Sandbox
from hongyan import _native
from hostile import message

U: Any = {"user": "u"}


def test_every_code_has_its_class() -> None:
    for number, name, class_name in _native.codes():
        cls = getattr(hongyan, class_name)
        assert issubclass(cls, hongyan.Error) and (cls.code, cls.name) == (number, name)
        assert class_name in hongyan.__all__ and cls.__doc__
    assert len(_native.codes()) == len({number for number, _, _ in _native.codes()}) == 29


def test_exceptions_survive_pickle(client: hongyan.Client) -> None:
    with pytest.raises(hongyan.RateLimitedError) as limited:
        client.send("limited", to=U, text="x")
    with pytest.raises(hongyan.MaybeSentError) as maybe:
        client.send("reset", to=U, text="x")
    for error in (limited.value, maybe.value, hongyan.SendTimeoutError("mine", path="p")):
        copy = pickle.loads(pickle.dumps(error))
        assert type(copy) is type(error) and str(copy) == str(error)
        assert copy.__dict__ == error.__dict__


def test_who_has_a_message_is_told_one_by_one(sandbox: Sandbox) -> None:
    im = sandbox.account("tencent_im")
    with hongyan.Client(sandbox.config) as client:
        users: Any = {"users": ["leckie", "nobody"]}
        with pytest.raises(hongyan.PartlySentError) as partly:
            client.send(im, to=users, text="hi")
        error = partly.value
        assert (error.delivery, error.name, error.retryable) == ("partly_sent", "not_found", False)
        assert str(error).startswith("the message was partly sent: not_found: 1 of 2 recipients")
        receipt = error.receipt
        assert receipt is not None
        for told in (receipt, pickle.loads(pickle.dumps(receipt))):
            assert told.recipients is not None
            first, second = told.recipients
            assert first == {
                "to": {"users": "leckie"},
                "delivery": "sent",
                "message_id": None,
                "error": None,
            }
            assert (second["to"], second["delivery"]) == ({"users": "nobody"}, "not_sent")
            cause = second["error"]
            assert cause is not None
            assert cause["service_code"] == "70107"
            assert (told.pieces, told.notes) == (None, [])
            assert isinstance(told.error, hongyan.PartlySentError)
        sent = client.send(im, to={"user": "leckie"}, text="hi")
        assert sent.recipients is None and sent.message_id


def test_a_users_own_tests_can_make_them() -> None:
    error = hongyan.RateLimitedError("too fast", retryable=True, retry_after=2, hint="wait")
    assert (error.code, error.name, error.delivery) == (203, "rate_limited", "not_sent")
    assert str(error) == "too fast; wait"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"account": 5}, "account must be a str, not int"),
        ({"account": None}, "account must be a str, not NoneType"),
        ({"to": "lisztli"}, "to must be a dict, not str"),
        ({"to": {"user": 5}}, r"to\.user must be a str, or a list of them, not int"),
        ({"to": {"users": ["a", 5]}}, r"to\.users\[1\] must be a str, not int"),
        ({"to": {5: "a"}}, "a key of to must be a str, not int"),
        ({"text": b"bytes"}, "text must be a str, not bytes"),
        ({"text": None, "parts": "x"}, "parts must be a list of dicts, not str"),
        ({"text": None, "parts": ["x"]}, r"parts\[0\] must be a dict, not str"),
        (
            {"text": None, "parts": [{"type": "raw", "value": {"a": [1, {2}]}}]},
            r"parts\[0\]\.value\.a\[1\] must be .* not set",
        ),
        ({"reply_to": 5}, "reply_to must be a str, not int"),
        ({"key": 5}, "key must be a str, not int"),
        ({"extra": [1]}, "extra must be a dict, not list"),
        ({"extra": {"a": object()}}, r"extra\.a must be .* not object"),
        ({"deadline": "1"}, "deadline must be a number of seconds, not str"),
        ({"timeout": True}, "timeout must be a number of seconds, not bool"),
    ],
)
def test_wrong_types_name_the_field(
    client: hongyan.Client, wrong: dict[str, Any], words: str
) -> None:
    arguments: dict[str, Any] = {"account": "ok", "to": U, "text": "x", **wrong}
    with pytest.raises(TypeError, match=words):
        client.send(**arguments)
    if "timeout" not in wrong:
        with pytest.raises(TypeError, match=words):
            client.submit(**arguments)


@pytest.mark.parametrize("seconds", [-1, -0.5, float("nan")])
def test_times_are_not_negative(client: hongyan.Client, seconds: float) -> None:
    for name in ("timeout", "deadline"):
        with pytest.raises(ValueError, match=f"{name} must not be negative"):
            client.send("ok", to=U, text="x", **{name: seconds})  # type: ignore[arg-type] # pyright: ignore


def test_endless_times_are_no_limit(client: hongyan.Client) -> None:
    for seconds in (float("inf"), 1e300, 10**15):
        assert client.send("ok", to=U, text="x", timeout=seconds).delivery == "sent"


@pytest.mark.parametrize(
    ("wrong", "error", "path"),
    [
        ({"text": "\ud800"}, hongyan.MessageError, "text"),
        ({"to": {"user": "a\udfff"}}, hongyan.MessageError, "to.user"),
        ({"extra": {"\ud800": 1}}, hongyan.MessageError, "extra"),
        ({"extra": {"mode": float("inf")}}, hongyan.MessageError, "extra.mode"),
        ({"text": "a\0b"}, hongyan.MessageError, "text"),
        ({"account": "a\0b"}, hongyan.MessageError, "account"),
        ({"to": {"planet": "x"}}, hongyan.MessageError, "to.planet"),
        ({"to": {"users": []}}, hongyan.MessageError, "to.users"),
        ({"to": {"user": "\u3000"}}, hongyan.MessageError, "to.user"),
        ({"to": {"members": ["a", ""]}}, hongyan.MessageError, "to.members[1]"),
        ({"text": "x" * 141}, hongyan.TooLargeError, "text"),
        ({"text": "x" * (1 << 21)}, hongyan.ArgumentError, "text"),
        ({"to": {"users": ["x"] * 400_000}}, hongyan.ArgumentError, None),
    ],
)
def test_what_is_wrong_in_a_message_has_its_path(
    client: hongyan.Client, wrong: dict[str, Any], error: type[hongyan.Error], path: str | None
) -> None:
    arguments: dict[str, Any] = {"account": "ok", "to": U, "text": "x", **wrong}
    with pytest.raises(error) as caught:
        client.send(**arguments)
    assert caught.value.delivery == "not_sent"
    assert path is None or caught.value.path == path
    # Many at once: the same as a receipt, and the others go on.
    before, bad, after = client.send_many([message(), {**arguments}, message()])
    assert (before.delivery, bad.delivery, after.delivery) == ("sent", "not_sent", "sent")
    assert type(bad.error) is error and len(bad.id) == 26
    assert path is None or (bad.error is not None and bad.error.path == path)


def test_a_list_that_holds_itself_ends(client: hongyan.Client) -> None:
    own: list[Any] = []
    own.append(own)
    with pytest.raises(hongyan.ArgumentError, match="deeper than 64"):
        client.send("ok", to=U, text="x", extra={"a": own})


def test_values_keep_their_meaning(client: hongyan.Client, hostile: Any) -> None:
    class Colour(IntEnum):
        RED = 7

    class Word(str, Enum):
        HI = "hi"

    to: Mapping[str, Any] = MappingProxyType({"user": Word.HI})
    client.send("ok", to=to, text=Word.HI)
    assert hostile.requests[-1] == "user=hi&text=hi"
    config = hostile.config()
    account = {
        "service": "tencent_im",
        "auth": {
            "type": "usersig",
            "sdk_app_id": 1400000000,
            "identifier": "admin",
            "secret_key": "k",
        },
        "base_url": hostile.url + "/ok",
    }
    with hongyan.Client({**config, "accounts": {"im": account}}) as im:
        value = {
            "MsgType": "TIMX",
            "MsgContent": {"a": [Colour.RED, True, None, 1.5, 10**30, "鸿"]},
        }
        part = hongyan.parts.raw(value)
        with pytest.raises(hongyan.MaybeSentError):
            im.send("im", to={"group": "g"}, parts=(part,))
    assert '"a":[7,true,null,1.5,1000000000000000000000000000000,"鸿"]' in hostile.requests[-1]
