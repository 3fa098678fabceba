"""One name for one thing: in send, in submit and in the messages of send_many."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import hongyan
from hostile import Hostile

U: Any = {"user": "u"}
CHINA = timezone(timedelta(hours=8))
#: One point in time, in every way to write it.
AT = 2_000_000_000.5
SAME: list[dict[str, Any]] = [
    {"not_before": AT},
    {"not_before_ms": 2_000_000_000_500},
    {"not_before": datetime.fromtimestamp(AT, timezone.utc)},
    {"not_before": datetime.fromtimestamp(AT, CHINA)},
    {"not_before": "2033-05-18T03:33:20.5Z"},
    {"not_before": "2033-05-18t03:33:20.500000z"},
    {"not_before": "2033-05-18 11:33:20.5+08:00"},
    {"not_before": "2033-05-17T22:33:20.5-05:00"},
]


def doors(client: hongyan.Client, message: dict[str, Any]) -> list[hongyan.Receipt]:
    """The receipts of a message that goes through each door."""
    receipts = []
    try:
        receipts.append(client.send(**message))
    except hongyan.Error as error:
        receipts += [error.receipt] if error.receipt else []
    client.submit(**message)
    receipts += [*client.send_many([message]), next(client.results(timeout=60))]
    assert len(receipts) == 3
    return receipts


def test_one_point_in_time(hostile: Hostile, tmp_path: Path) -> None:
    config = {**hostile.config(), "outbox": {"path": str(tmp_path / "outbox.db")}}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    with hongyan.Client(config) as client:
        for when in SAME:
            client.submit("ok", to=U, text="x", deadline=1e9, ordered=True, **when)
        client.submit("ok", to=U, text="x", deadline_ms=10**12, not_before=AT, ordered=False)
        client.close(0)
    command = [sys.executable, "-m", "hongyan", "--config", str(path), "queue", "ls", "--json"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [json.loads(line) for line in found.splitlines()]
    assert [row["due_ms"] for row in rows] == [2_000_000_000_500] * (len(SAME) + 1)
    now = time.time() * 1000
    assert all(row["deadline_ms"] > now + 9e11 for row in rows)


@pytest.mark.parametrize("past", [{"not_before": 0}, {"not_before": "1970-01-01T00:00:00Z"}, {}])
def test_what_is_due_is_sent(client: hongyan.Client, past: dict[str, Any]) -> None:
    message = {"account": "ok", "to": U, "text": "x", "ordered": True, "deadline": 1000, **past}
    assert [receipt.delivery for receipt in doors(client, message)] == ["sent"] * 3


@pytest.mark.parametrize("when", [*SAME, {}])
@pytest.mark.parametrize("limit", [{"deadline": 0}, {"deadline": 0.01}, {"deadline_ms": 10}])
def test_what_is_not_due_by_its_deadline_has_expired(
    client: hongyan.Client, hostile: Hostile, when: dict[str, Any], limit: dict[str, Any]
) -> None:
    account = "ok" if when else "gate"
    message = {"account": account, "to": U, "text": "x", **when, **limit}
    for receipt in doors(client, message):
        assert receipt.error is not None and receipt.to_json().count('"deadline":true') == 1
        assert not when or isinstance(receipt.error, hongyan.ExpiredError)
    assert not when or hostile.requests == []


@pytest.mark.parametrize(
    ("both", "path"),
    [
        ({"deadline": 5, "deadline_ms": 5000}, "deadline"),
        ({"deadline": 5, "deadline_ms": 6000}, "deadline"),
        ({"not_before": 5, "not_before_ms": 5000}, "not_before"),
    ],
)
def test_two_names_of_one_thing_are_refused(
    client: hongyan.Client, hostile: Hostile, both: dict[str, Any], path: str
) -> None:
    for call in (client.send, client.submit):
        with pytest.raises(hongyan.MessageError, match="two names of one thing") as caught:
            call("ok", to=U, text="x", **both)
        assert caught.value.path == path
    message = {"account": "ok", "to": U, "text": "x", **both}
    (receipt,) = client.send_many([message])
    assert isinstance(receipt.error, hongyan.MessageError) and receipt.error.path == path
    # None is as good as nothing.
    message[path] = None
    (receipt,) = client.send_many([{**message, "not_before_ms": None, "deadline_ms": None}])
    assert receipt.delivery == "sent"
    assert len(hostile.requests) == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"not_before": datetime(2033, 5, 18)}, "no time zone"),
        ({"not_before": "2033-05-18T03:33:20"}, "with its zone"),
        ({"not_before": "2033-02-29T03:33:20Z"}, "with its zone"),
        ({"not_before": "2033-13-01T03:33:20Z"}, "with its zone"),
        ({"not_before": "2033-00-01T03:33:20Z"}, "with its zone"),
        ({"not_before": "2033-05-18T24:33:20Z"}, "with its zone"),
        ({"not_before": "2033-05-18T03:33:20+8"}, "with its zone"),
        ({"not_before": "tomorrow"}, "with its zone"),
        ({"not_before": "２０３３-05-18T03:33:20Z"}, "with its zone"),
        ({"not_before": ""}, "with its zone"),
        ({"not_before": -1}, "not be negative"),
        ({"not_before": float("nan")}, "NaN"),
        ({"not_before": 2_000_000_000_500}, "not milliseconds"),
        ({"deadline": -1}, "must not be negative"),
        ({"deadline": float("nan")}, "must not be negative or NaN"),
    ],
)
def test_a_time_that_is_none(client: hongyan.Client, wrong: dict[str, Any], words: str) -> None:
    for call in (client.send, client.submit):
        with pytest.raises(ValueError, match=words):
            call("ok", to=U, text="x", **wrong)
    (receipt,) = client.send_many([{"account": "ok", "to": U, "text": "x", **wrong}])
    assert isinstance(receipt.error, hongyan.MessageError) and words in str(receipt.error)
    assert receipt.error.path == next(iter(wrong))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"not_before": True}, "not_before must be"),
        ({"not_before": b"2033"}, "not_before must be"),
        ({"not_before": []}, "not_before must be"),
        ({"deadline": "5"}, "deadline must be a number of seconds, not str"),
        ({"ordered": 1}, "ordered must be a bool, not int"),
        ({"deadline_ms": 1.5}, "deadline_ms must be an int"),
        ({"not_before_ms": True}, "not_before_ms must be an int"),
    ],
)
def test_a_wrong_type(client: hongyan.Client, wrong: dict[str, Any], words: str) -> None:
    for call in (client.send, client.submit):
        with pytest.raises(TypeError, match=words):
            call("ok", to=U, text="x", **wrong)
    messages: Any = [{"account": "ok", "to": U, "text": "x", **wrong}]
    if wrong != {"not_before": b"2033"}:
        (receipt,) = client.send_many(messages)
        assert isinstance(receipt.error, hongyan.MessageError)
        assert receipt.error.path == next(iter(wrong))


def test_awaited_sends_take_the_same_names(hostile: Hostile) -> None:
    import asyncio

    async def main() -> None:
        async with hongyan.AsyncClient(hostile.config()) as client:
            sent = await client.send("ok", to=U, text="x", ordered=True, not_before=1, deadline=99)
            assert sent.delivery == "sent"
            for when in SAME:
                with pytest.raises(hongyan.ExpiredError):
                    await client.send("ok", to=U, text="x", deadline=0.01, **when)
            with pytest.raises(hongyan.MessageError, match="two names"):
                await client.send("ok", to=U, text="x", deadline=1, deadline_ms=1000)

    asyncio.run(main())
