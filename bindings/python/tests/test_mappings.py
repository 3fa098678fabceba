"""Mappings and sequences of every kind, wherever a dict or a list is wanted."""

from __future__ import annotations

import json
from collections import ChainMap, OrderedDict, UserDict, UserList, UserString, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pytest

import hongyan
from hostile import Hostile

U: Any = {"user": "u"}


class OwnMapping(Mapping[Any, Any]):
    def __init__(self, of: dict[Any, Any]) -> None:
        self.of = of

    def __getitem__(self, key: Any) -> Any:
        return self.of[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.of)

    def __len__(self) -> int:
        return len(self.of)


class OwnSequence(Sequence[Any]):
    def __init__(self, of: list[Any]) -> None:
        self.of = of

    def __getitem__(self, index: Any) -> Any:
        return self.of[index]

    def __len__(self) -> int:
        return len(self.of)


def proxied(of: dict[Any, Any]) -> Any:
    return MappingProxyType(of)


def chained(of: dict[Any, Any]) -> Any:
    return ChainMap({}, of)


def defaulted(of: dict[Any, Any]) -> Any:
    return defaultdict(str, of)


MAPPINGS: list[Callable[[dict[Any, Any]], Any]] = [
    dict,
    proxied,
    chained,
    defaulted,
    OrderedDict,
    UserDict,
    OwnMapping,
]
SEQUENCES: list[Callable[[list[Any]], Any]] = [list, tuple, deque, UserList, OwnSequence]


@pytest.mark.parametrize("kind", MAPPINGS)
def test_any_mapping_is_a_message(
    client: hongyan.Client, hostile: Hostile, kind: Callable[[dict[Any, Any]], Any]
) -> None:
    client.set_account("im", kind(tencent(hostile)))
    to, extra = (
        kind({"group": "@TGS#1"}),
        kind({"Random": 7, "OfflinePushInfo": kind({"Ext": "e"})}),
    )
    part = kind({"type": "raw", "value": kind({"MsgType": "Own", "MsgContent": kind({"a": 1})})})
    sent = client.send("im", to=to, parts=[part], extra=extra)
    # The hostile server answers as another service does: what counts is what it was sent.
    assert sent is not None
    message = kind({"account": "im", "to": to, "parts": [part], "extra": extra})
    assert [r.delivery for r in client.send_many([message])] == ["sent"]
    client.submit("im", to=to, parts=[part], extra=extra)
    next(client.results())
    wanted = [{"MsgType": "Own", "MsgContent": {"a": 1}}]
    bodies = [json.loads(body) for body in hostile.requests]
    assert [body["MsgBody"] for body in bodies] == [wanted] * 3
    assert [body["OfflinePushInfo"] for body in bodies] == [{"Ext": "e"}] * 3


@pytest.mark.parametrize("kind", SEQUENCES)
def test_any_sequence_is_a_list(
    client: hongyan.Client, hostile: Hostile, kind: Callable[[list[Any]], Any]
) -> None:
    client.set_account("im", tencent(hostile))
    to = {"group": "@TGS#1", "members": kind(["a", "b"])}
    parts = kind([{"type": "text", "text": "x"}])
    client.send("im", to=to, parts=parts)
    message = {"account": "im", "to": to, "parts": parts}
    assert [r.delivery for r in client.send_many(kind([message]))] == ["sent"]
    assert [json.loads(body)["To_Account"] for body in hostile.requests] == [["a", "b"]] * 2


def tencent(hostile: Hostile) -> dict[str, Any]:
    auth = hongyan.accounts.usersig(1400000000, "admin", "key")
    return {
        **hongyan.accounts.tencent_im(auth, base_url=f"{hostile.url}/im", rate=None),
        "max_in_flight": 100,
    }


@pytest.mark.parametrize("kind", MAPPINGS)
def test_any_mapping_is_a_configuration(
    hostile: Hostile, kind: Callable[[dict[Any, Any]], Any]
) -> None:
    config = hostile.config()
    accounts = {name: kind(account) for name, account in config["accounts"].items()}
    with hongyan.Client(kind({**config, "accounts": kind(accounts)})) as client:
        assert client.send("ok", to=U, text="x").delivery == "sent"


def generator() -> Iterator[str]:
    yield "x"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"to": {"users": b"ab"}}, r"to\.users must be .* not bytes"),
        ({"to": {"users": bytearray(b"ab")}}, r"to\.users must be .* not bytearray"),
        ({"to": {"users": UserString("ab")}}, r"to\.users must be .* not UserString"),
        ({"to": {"users": {"a"}}}, r"to\.users must be .* not set"),
        ({"to": {"users": generator()}}, r"to\.users must be .* not generator"),
        ({"to": UserDict({"users": ["a", 5]})}, r"to\.users\[1\] must be a str, not int"),
        ({"to": UserDict({"users": (UserDict(),)})}, r"to\.users\[0\] must be a str, not dict"),
        ({"to": [("user", "u")]}, "to must be a dict, not list"),
        ({"parts": "text"}, "parts must be a list of dicts, not str"),
        ({"parts": UserDict({"type": "text"})}, "parts must be a list of dicts, not dict"),
        ({"parts": ("text",)}, r"parts\[0\] must be a dict, not str"),
        ({"extra": UserDict({"a": {"b": {1}}})}, r"extra\.a\.b must be .* not set"),
        ({"extra": UserDict({5: "x"})}, "a key of extra must be a str, not int"),
        ({"text": UserString("x")}, "text must be a str, not UserString"),
    ],
)
def test_what_is_neither_is_refused_with_its_path(
    client: hongyan.Client, fields: Any, words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        client.send("ok", **{"to": U, **fields})
    with pytest.raises(TypeError, match=words):
        client.submit("ok", **{"to": U, **fields})


def test_a_str_is_never_a_list(client: hongyan.Client) -> None:
    (receipt,) = client.send_many([{"account": "ok", "to": U, "parts": "text"}])
    assert isinstance(receipt.error, hongyan.MessageError) and receipt.error.path == "parts"
    lookalikes: Any = (UserDict(), MappingProxyType({}), ChainMap(), OwnMapping({}), b"x", "x")
    for messages in lookalikes:
        with pytest.raises(TypeError, match="messages must be an iterable of dicts"):
            client.send_many(messages)


def test_what_a_mapping_raises_goes_on(client: hongyan.Client, hostile: Hostile) -> None:
    class Broken(OwnMapping):
        def __getitem__(self, key: Any) -> Any:
            raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        client.send("ok", to=Broken({"user": "u"}), text="x")
    with pytest.raises(LookupError, match="broken"):
        list(client.send_many([Broken({"account": "ok"})]))
    assert hostile.requests == []


def test_mappings_that_hold_themselves_end(client: hongyan.Client) -> None:
    own: Any = UserDict()
    own["a"], own["b"] = own, own
    listed: Any = deque()
    listed.extend([listed, listed])
    for extra in ({"x": own}, {"x": listed}):
        with pytest.raises((hongyan.ArgumentError, TypeError)):
            client.send("ok", to=U, text="x", extra=extra)
