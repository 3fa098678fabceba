"""Many messages at once."""

from __future__ import annotations

import sys
import threading
import time
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


class Source:
    """A source that says how often it was asked, and may take its time."""

    def __init__(self, count: int, took: float = 0) -> None:
        self.count, self.took, self.asked = count, took, 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        self.asked += 1
        if self.asked > self.count:
            raise StopIteration
        if self.asked > 1 and self.took:
            time.sleep(self.took)
        return message("ok", self.asked)


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("in_flight", [1, 2, 5, 128])
def test_what_is_there_comes_before_the_source_is_asked(
    client: hongyan.Client, hostile: Hostile, in_flight: int, ordered: bool
) -> None:
    """Nobody knows how long the source takes for the next one."""
    source = Source(60)
    receipts = client.send_many(source, in_flight=in_flight, ordered=ordered)
    taken = 0
    while taken < 60:
        next(receipts)
        taken += 1
        # Everything that was asked for has its receipt by now, whatever the machine is like.
        while client.stats()["unfinished"] > 0:
            time.sleep(0.001)
        asked = source.asked
        for _ in range(min(asked, 60) - taken):
            next(receipts)
            taken += 1
            assert source.asked == asked
    assert list(receipts) == []


def test_the_receipts_of_a_slow_source_come_before_it_is_asked_again(
    client: hongyan.Client,
) -> None:
    source = Source(4, took=1.5)
    for taken, _ in enumerate(client.send_many(source), 1):
        # The first may wait for the second, on a machine that takes 50 ms for a message.
        assert source.asked <= max(taken, 2)


def test_a_slow_source_still_has_many_under_way(client: hongyan.Client, hostile: Hostile) -> None:
    """Its receipts are not waited for without end: here none comes before all were asked for."""

    def source() -> Iterator[Any]:
        for i in range(10):
            time.sleep(0.01)
            yield message("gate", i)
        hostile.gate.set()

    assert len(list(client.send_many(source(), in_flight=20))) == 10


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
