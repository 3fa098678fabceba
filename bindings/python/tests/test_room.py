"""More sends than there is room for."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import hongyan
from hostile import Hostile, message

U: Any = {"user": "u"}
PATIENCE: list[dict[str, Any]] = [
    {"timeout": 0.02},
    {"timeout": 0},
    {"timeout": 0.02, "deadline": 9},
]
DEADLINES: list[dict[str, Any]] = [
    {"deadline": 0.02},
    {"deadline_ms": 20},
    {"deadline": 0, "timeout": 9},
]


@pytest.mark.parametrize("count", [2_000, 6_000])
def test_any_number_is_awaited_at_once(hostile: Hostile, count: int) -> None:
    config = hostile.config()
    for account in config["accounts"].values():
        del account["max_in_flight"]

    async def main() -> None:
        async with hongyan.AsyncClient(config) as client:
            receipts = await asyncio.gather(
                *(client.send("ok", to=U, text=f"m {i}") for i in range(count))
            )
        assert [receipt.delivery for receipt in receipts] == ["sent"] * count

    asyncio.run(main())
    assert len(hostile.requests) == count


def test_those_of_an_account_keep_their_order(hostile: Hostile) -> None:
    async def main() -> None:
        config = hostile.config(max_in_flight=7)
        config["accounts"]["refused"]["max_in_flight"] = 3
        async with hongyan.AsyncClient(config) as client:
            sends = [
                client.send(account, to=U, text=f"{account} {i}", ordered=True)
                for i in range(200)
                for account in ("ok", "refused")
            ]
            outcomes = await asyncio.gather(*sends, return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [
                hongyan.Receipt,
                hongyan.ForbiddenError,
            ] * 200

    asyncio.run(main())
    for account in ("ok", "refused"):
        arrived = [body for body in hostile.requests if account in body]
        numbers = [int(body.split(f"{account}+")[1].split("&")[0]) for body in arrived]
        assert numbers == list(range(200))


def test_others_make_room(hostile: Hostile) -> None:
    """Those of another loop, and those of send_many."""

    async def main() -> None:
        sends = (client.send("ok", to=U, text=f"m {i}") for i in range(50))
        many = client.send_many([message("ok", i) for i in range(50)])
        for receipt in await asyncio.gather(*sends):
            assert receipt.delivery == "sent"
        assert [receipt.delivery async for receipt in many] == ["sent"] * 50

    client = hongyan.AsyncClient(hostile.config(max_in_flight=3))
    threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hostile.requests) == 400
    assert asyncio.run(client.close()) == 0


def test_who_waits_for_room_may_lose_patience(hostile: Hostile) -> None:
    async def main() -> None:
        async with hongyan.AsyncClient(hostile.config(max_in_flight=1)) as client:
            held = asyncio.ensure_future(client.send("gate", to=U, text="held"))
            while not hostile.requests:
                await asyncio.sleep(0.001)
            for limit in PATIENCE:
                with pytest.raises(hongyan.SendTimeoutError, match="no room") as late:
                    await client.send("ok", to=U, text="x", **limit)
                assert (late.value.delivery, late.value.receipt) == ("not_sent", None)
                assert late.value.retryable
            for limit in DEADLINES:
                with pytest.raises(hongyan.ExpiredError, match="no room"):
                    await client.send("ok", to=U, text="x", **limit)
            waits = asyncio.ensure_future(client.send("ok", to=U, text="cancelled"))
            await asyncio.sleep(0.03)
            waits.cancel()
            with pytest.raises(asyncio.CancelledError) as cancelled:
                await waits
            # Nothing was accepted, so nothing was sent.
            assert hongyan.receipt_of(cancelled.value) is None
            with pytest.raises(TypeError, match="text must be a str"):
                await client.send("ok", to=U, text=5)  # type: ignore[arg-type] # pyright: ignore
            hostile.gate.set()
            assert (await held).delivery == "sent"
            assert (await client.send("ok", to=U, text="at last")).delivery == "sent"

    asyncio.run(main())
    assert len(hostile.requests) == 2


def test_the_wait_for_room_counts(hostile: Hostile) -> None:
    """Whoever waited for room has less time left, and not anew all of it."""

    async def main() -> None:
        async with hongyan.AsyncClient(hostile.config(max_in_flight=1)) as client:
            held = asyncio.ensure_future(client.send("hang", to=U, text="held", timeout=0.2))
            await asyncio.sleep(0)
            late = asyncio.ensure_future(
                client.send("ok", to=U, text="x", deadline=1000, not_before=2_000_000_000)
            )
            soon = asyncio.ensure_future(
                client.send("ok", to=U, text="x", deadline=0.25, not_before=2_000_000_000)
            )
            outcomes = await asyncio.gather(held, soon, return_exceptions=True)
            assert isinstance(outcomes[0], hongyan.Error)
            assert isinstance(outcomes[1], hongyan.ExpiredError)
            late.cancel()

    asyncio.run(main())


def test_closing_ends_the_wait_for_room(hostile: Hostile) -> None:
    async def main() -> None:
        client = hongyan.AsyncClient(hostile.config(max_in_flight=1))
        held = asyncio.ensure_future(client.send("hang", to=U, text="held"))
        waits = [asyncio.ensure_future(client.send("ok", to=U, text="x")) for _ in range(5)]
        while not hostile.requests:
            await asyncio.sleep(0.001)
        await client.close(0)
        outcomes = await asyncio.gather(held, *waits, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [
            hongyan.MaybeSentError,
            *[hongyan.ClosedError] * 5,
        ]

    asyncio.run(main())


def test_threads_wait_for_room_too(hostile: Hostile) -> None:
    with hongyan.Client(hostile.config(max_in_flight=4)) as client:
        sent: list[str] = []

        def work(number: int) -> None:
            sent.append(client.send("ok", to=U, text=f"m {number}").delivery)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(300)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sent == ["sent"] * 300


def test_receipts_that_nobody_takes_hold_no_room_for_a_send(hostile: Hostile) -> None:
    with hongyan.Client(hostile.config(max_in_flight=3)) as client:
        ids = [client.submit("ok", to=U, text="x") for _ in range(3)]
        assert client.send("ok", to=U, text="x").delivery == "sent"
        with pytest.raises(hongyan.FullError):
            client.submit("ok", to=U, text="x")
        results = client.results(timeout=60)
        assert {next(results).id for _ in ids} == set(ids)


def test_a_thread_may_lose_patience(hostile: Hostile) -> None:
    with hongyan.Client(hostile.config(max_in_flight=1)) as client:
        client.submit("gate", to=U, text="held")
        for limit in PATIENCE:
            with pytest.raises(hongyan.SendTimeoutError, match="no room") as late:
                client.send("ok", to=U, text="x", **limit)
            assert late.value.delivery == "not_sent" and late.value.retryable
        for limit in DEADLINES:
            with pytest.raises(hongyan.ExpiredError, match="no room"):
                client.send("ok", to=U, text="x", **limit)
        threading.Timer(0.05, hostile.gate.set).start()
        assert client.send("ok", to=U, text="x").delivery == "sent"
    assert len(hostile.requests) == 2
