"""Many messages at once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import hongyan
from hostile import Hostile, message


def test_receipts_come_in_order(client: hongyan.Client) -> None:
    messages = [message("refused" if i % 3 == 0 else "ok", i) for i in range(500)]
    receipts = list(client.send_many(messages, in_flight=50))
    assert [r.account for r in receipts] == [m["account"] for m in messages]
    assert all((r.error is None) == (r.account == "ok") for r in receipts)


def test_or_as_they_come(client: hongyan.Client, hostile: Hostile) -> None:
    receipts = client.send_many(
        [message("gate"), message("ok", 1), message("ok", 2)], ordered=False
    )
    assert [next(receipts).account for _ in range(2)] == ["ok", "ok"]
    hostile.gate.set()
    assert [r.account for r in receipts] == ["gate"]


def test_the_source_is_read_lazily(client: hongyan.Client) -> None:
    asked = 0

    def source() -> Iterator[Any]:
        nonlocal asked
        for i in range(1000):
            asked += 1
            yield message("ok", i)

    receipts = client.send_many(source(), in_flight=8)
    assert asked == 0
    for done in range(1, 100):
        next(receipts)
        assert asked <= done + 8
    assert sum(1 for _ in receipts) == 901


def test_a_source_that_waits_for_receipts_gets_them(client: hongyan.Client) -> None:
    """A source may take its time: receipts of earlier messages do not wait for it."""
    seen = threading.Semaphore(0)

    def source() -> Iterator[Any]:
        yield message("ok", 0)
        yield message("ok", 1)

    for receipt in client.send_many(source(), in_flight=1):
        seen.release()
        assert receipt.delivery == "sent"
    assert seen.acquire(blocking=False) and seen.acquire(blocking=False)


@pytest.mark.parametrize("ordered", [True, False])
def test_what_was_accepted_before_the_source_raised_still_reports(
    client: hongyan.Client, ordered: bool
) -> None:
    def source() -> Iterator[Any]:
        for i in range(5):
            yield message("ok", i)
        raise LookupError("in the middle")

    receipts = client.send_many(source(), ordered=ordered)
    assert [next(receipts).delivery for _ in range(5)] == ["sent"] * 5
    with pytest.raises(LookupError, match="in the middle"):
        next(receipts)
    assert list(receipts) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("text", r"messages\[2\] must be a dict, not str"),
        (None, r"messages\[2\] must be a dict, not NoneType"),
        ({"account": "ok", "text": b"x"}, "text must be .* not bytes"),
        ({"account": "ok", 5: "x"}, "a key of the message must be a str, not int"),
    ],
)
def test_what_is_no_message_at_all_is_a_mistake_of_the_program(
    client: hongyan.Client, wrong: Any, words: str
) -> None:
    receipts = client.send_many([message(), message(), wrong, message()])
    assert [next(receipts).delivery for _ in range(2)] == ["sent", "sent"]
    with pytest.raises(TypeError, match=words):
        next(receipts)


def test_wrong_arguments_are_told_at_once(client: hongyan.Client) -> None:
    for wrong in (5, "text", {"account": "ok"}, None):
        with pytest.raises(TypeError):
            client.send_many(wrong)  # type: ignore[arg-type] # pyright: ignore
    with pytest.raises(ValueError, match="in_flight must be at least 1"):
        client.send_many([], in_flight=0)
    with pytest.raises(TypeError, match="in_flight must be an int"):
        client.send_many([], in_flight=1.5)  # type: ignore[arg-type] # pyright: ignore
    assert list(client.send_many([])) == []


def test_core_rules_arrive_as_receipts(client: hongyan.Client) -> None:
    messages: Any = [
        {},
        {"account": "nope"},
        {"v": 2, "account": "ok"},
        {"account": "ok", "text": 5},
    ]
    receipts = list(client.send_many(messages))
    assert [type(r.error) for r in receipts] == [
        hongyan.MessageError,
        hongyan.MessageError,
        hongyan.ArgumentError,
        hongyan.MessageError,
    ]
    assert [r.error.path for r in receipts if r.error] == ["account", "account", "v", "text"]


def test_a_full_client_is_waited_for(hostile: Hostile) -> None:
    with hongyan.Client(hostile.config(max_in_flight=2)) as client:
        receipts = client.send_many((message("ok", i) for i in range(50)), in_flight=20)
        assert [r.delivery for r in receipts] == ["sent"] * 50
        # Also where others fill it.
        held = [client.submit("gate", to={"user": "u"}, text="x") for _ in range(2)]
        receipts = client.send_many([message()])
        threading.Timer(0.05, hostile.gate.set).start()
        done = threading.Thread(target=lambda: taken.extend(receipts))
        taken: list[hongyan.Receipt] = []
        done.start()
        results = client.results(timeout=60)
        assert {next(results).id for _ in held} == set(held)
        done.join()
        assert [r.delivery for r in taken] == ["sent"]


def test_leaving_early_cancels_what_is_under_way(client: hongyan.Client, hostile: Hostile) -> None:
    receipts = client.send_many([message("ok"), *(message("gate", i) for i in range(10))])
    next(receipts)
    del receipts
    assert client.close(60) == 0
    assert client.stats()["unfinished"] == 0
    assert hostile.gate.is_set() is False


def test_two_at_once_do_not_mix(client: hongyan.Client) -> None:
    first = client.send_many(message("ok", i) for i in range(100))
    second = client.send_many(message("refused", i) for i in range(100))
    pairs = list(zip(first, second))
    assert {(a.account, b.account) for a, b in pairs} == {("ok", "refused")} and len(pairs) == 100


def test_a_progress_bar_where_there_is_tqdm(
    client: hongyan.Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    receipts = client.send_many([message("ok", i) for i in range(5)], progress=True)
    assert [r.delivery for r in receipts] == ["sent"] * 5
    assert "5/5" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    receipts = client.send_many([message("ok", i) for i in range(5)], progress=True)
    assert [r.delivery for r in receipts] == ["sent"] * 5
    assert capsys.readouterr().err == ""
