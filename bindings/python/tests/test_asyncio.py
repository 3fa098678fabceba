"""The client whose calls are awaited."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any
from weakref import ref

import pytest
import uvloop

import hongyan
from hostile import Hostile, message

U: Any = {"user": "u"}


class NoReaders(asyncio.SelectorEventLoop):
    """A loop that cannot watch descriptors, such as the Proactor loop of Windows."""

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> None:  # type: ignore[override]
        raise NotImplementedError


def new_uvloop() -> asyncio.AbstractEventLoop:
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


Run = Callable[[Coroutine[Any, Any, Any]], Any]


def run_in(loop: asyncio.AbstractEventLoop, main: Coroutine[Any, Any, Any]) -> Any:
    try:
        return loop.run_until_complete(main)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


@pytest.fixture(params=["asyncio", "uvloop", "no readers"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    makers: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
        "asyncio": asyncio.new_event_loop,
        "uvloop": new_uvloop,
        "no readers": NoReaders,
    }
    yield lambda main: run_in(makers[request.param](), main)


def test_sends_in_every_kind_of_loop(run: Run, hostile: Hostile) -> None:
    async def main() -> None:
        async with hongyan.AsyncClient(hostile.config()) as client:
            receipt = await client.send("ok", to=U, text="x")
            assert (receipt.delivery, receipt.message_id) == ("sent", "12345678901234567890")
            receipts = await asyncio.gather(
                *(client.send("ok", to=U, text=f"m {i}") for i in range(200))
            )
            assert len({receipt.id for receipt in receipts}) == 200
            with pytest.raises(hongyan.ForbiddenError) as refused:
                await client.send("refused", to=U, text="x")
            assert refused.value.receipt is not None
            with pytest.raises(hongyan.MaybeSentError):
                await client.send("reset", to=U, text="x")
            with pytest.raises(TypeError, match="text must be a str"):
                await client.send("ok", to=U, text=5)  # type: ignore[arg-type] # pyright: ignore
        assert repr(client) == "<hongyan.AsyncClient closed>"

    run(main())


def test_send_many_in_every_kind_of_loop(run: Run, hostile: Hostile) -> None:
    async def async_source() -> AsyncIterator[Any]:
        for i in range(20):
            await asyncio.sleep(0)
            yield message("ok", i)

    async def main() -> None:
        async with hongyan.AsyncClient(hostile.config()) as client:
            messages = [message("refused" if i % 3 == 0 else "ok", i) for i in range(200)]
            receipts = [r async for r in client.send_many(messages, in_flight=16)]
            assert [r.account for r in receipts] == [m["account"] for m in messages]
            found = client.send_many([message("gate"), message()], ordered=False)
            assert (await found.__anext__()).account == "ok"
            hostile.gate.set()
            assert [r.account async for r in found] == ["gate"]
            for ordered in (True, False):
                many = client.send_many(async_source(), in_flight=3, ordered=ordered)
                assert [r.delivery async for r in many] == ["sent"] * 20
            bad: Any = [{"account": "ok", "text": "\ud800"}, {}, message()]
            receipts = [r async for r in client.send_many(bad)]
            assert [r.delivery for r in receipts] == ["not_sent", "not_sent", "sent"]

    run(main())


def test_who_cannot_be_asked_for_credentials_says_so(run: Run, hostile: Hostile) -> None:
    async def main() -> None:
        async with hongyan.AsyncClient(hostile.config()) as client:
            with pytest.raises(hongyan.UnsupportedError, match="fanfou cannot be asked"):
                await client.check_account("ok")
            with pytest.raises(hongyan.ConfigError, match="absent"):
                await client.check_account("absent", timeout=5)

    run(main())


def test_a_source_that_raises(hostile: Hostile) -> None:
    def source() -> Iterator[Any]:
        yield message()
        raise LookupError

    async def async_source() -> AsyncIterator[Any]:
        yield message()
        raise LookupError

    async def main() -> None:
        async with hongyan.AsyncClient(hostile.config()) as client:
            for messages in (source(), async_source()):
                receipts = client.send_many(messages)
                assert (await receipts.__anext__()).delivery == "sent"
                with pytest.raises(LookupError):
                    await receipts.__anext__()
            wrong: Any = [message(), "text"]
            receipts = client.send_many(wrong)
            assert (await receipts.__anext__()).delivery == "sent"
            with pytest.raises(TypeError, match=r"messages\[1\] must be a dict, not str"):
                await receipts.__anext__()

    asyncio.run(main())


def test_cancelling_a_task_cancels_its_send(run: Run, hostile: Hostile) -> None:
    async def main() -> None:
        client = hongyan.AsyncClient(hostile.config())
        tasks = [asyncio.ensure_future(client.send("hang", to=U, text="x")) for _ in range(20)]
        while len(hostile.requests) < 20:
            await asyncio.sleep(0.001)
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
        # The sends themselves end too: nothing is left to wait for.
        assert await client.close() == 0
        stats = client.stats()["accounts"]["hang"]
        assert (stats["maybe_sent"], stats["in_flight"]) == (20, 0)

    run(main())


def test_wait_for_and_time_outs(hostile: Hostile) -> None:
    async def main() -> None:
        async with hongyan.AsyncClient(hostile.config()) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.send("hang", to=U, text="x"), 0.05)
            for seconds in (0.1, 1, 10, 100):
                # On a slow machine the request may not have begun by then.
                with pytest.raises((hongyan.MaybeSentError, hongyan.SendTimeoutError)) as late:
                    await client.send("hang", to=U, text="x", timeout=seconds)
                if isinstance(late.value, hongyan.MaybeSentError):
                    break
            assert (late.value.name, late.value.delivery) == ("timeout", "maybe_sent")
            with pytest.raises(hongyan.SendTimeoutError):
                await client.send("ok", to=U, text="x", timeout=0)

    asyncio.run(main())


def test_closing_ends_what_is_awaited(run: Run, hostile: Hostile) -> None:
    async def main() -> None:
        client = hongyan.AsyncClient(hostile.config())
        task = asyncio.ensure_future(client.send("hang", to=U, text="x"))
        while not hostile.requests:
            await asyncio.sleep(0.001)
        assert await client.close(0) == 1
        with pytest.raises(hongyan.MaybeSentError):
            await task
        with pytest.raises(hongyan.ClosedError):
            await client.send("ok", to=U, text="x")

    run(main())


def test_one_client_in_several_loops(hostile: Hostile) -> None:
    client = hongyan.AsyncClient(hostile.config())
    outcomes: list[list[hongyan.Receipt]] = []

    async def main(start: threading.Barrier) -> None:
        start.wait()
        sends = (client.send("ok", to=U, text=f"m {i}") for i in range(100))
        outcomes.append(await asyncio.gather(*sends))

    for _ in range(3):
        start = threading.Barrier(4)
        makers = [asyncio.new_event_loop, asyncio.new_event_loop, NoReaders, new_uvloop]
        threads = [threading.Thread(target=run_in, args=(make(), main(start))) for make in makers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(outcomes) == 12
    assert len({receipt.id for receipts in outcomes for receipt in receipts}) == 1200
    assert asyncio.run(client.close()) == 0


def test_nothing_is_leaked(hostile: Hostile) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    async def use() -> Any:
        client = hongyan.AsyncClient(hostile.config())
        task = asyncio.ensure_future(client.send("hang", to=U, text="x"))
        await client.send("ok", to=U, text="x")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        core = ref(client._mailbox())
        del client, task
        return core

    async def collect() -> None:
        # The loop still holds the step that it takes: its next one holds nothing of it.
        await asyncio.sleep(0)
        gc.collect()

    async def main() -> None:
        with pytest.warns(ResourceWarning, match="unclosed <hongyan.AsyncClient>"):
            await use()
            await collect()
        # A recorded warning holds what it is about.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mailbox = await use()
            await collect()
            assert mailbox() is None
            before = descriptors()
            for _ in range(5):
                await use()
                await collect()
            assert descriptors() <= before

    asyncio.run(main())


def test_a_closed_loop_is_forgotten(hostile: Hostile) -> None:
    client = hongyan.AsyncClient(hostile.config())

    async def send() -> None:
        await client.send("ok", to=U, text="x")

    async def leave_behind() -> None:
        task = asyncio.ensure_future(client.send("gate", to=U, text="x"))
        while not any("x" in request for request in hostile.requests[1:]):
            await asyncio.sleep(0.001)
        del task

    asyncio.run(send())
    asyncio.run(leave_behind())
    hostile.gate.set()
    asyncio.run(send())
    assert len(client._mailboxes) == 1
    assert asyncio.run(client.close()) == 0


def test_a_full_client_is_waited_for(hostile: Hostile) -> None:
    async def main() -> None:
        async with hongyan.AsyncClient(hostile.config(max_in_flight=2)) as client:
            tasks = [asyncio.ensure_future(client.send("gate", to=U, text="x")) for _ in range(2)]
            await asyncio.sleep(0)
            tasks.append(asyncio.ensure_future(client.send("ok", to=U, text="x")))
            await asyncio.sleep(0.03)
            assert not tasks[2].done()
            many = client.send_many([message() for _ in range(10)])
            hostile.gate.set()
            assert [r.delivery async for r in many] == ["sent"] * 10
            await asyncio.gather(*tasks)

    asyncio.run(main())


def test_a_cancelled_send_says_what_became_of_it(run: Run, hostile: Hostile) -> None:
    async def main() -> None:
        async with hongyan.AsyncClient(hostile.config()) as client:
            # By hand, by wait_for and, where there is one, by timeout.
            task = asyncio.ensure_future(client.send("hang", to=U, text="x"))
            while not hostile.requests:
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as cancelled:
                await task
            receipt = hongyan.receipt_of(cancelled.value)
            assert receipt is not None and receipt.delivery == "maybe_sent"
            with pytest.raises(asyncio.TimeoutError) as late:
                await asyncio.wait_for(
                    client.send("ok", to=U, text="x", not_before=2_000_000_000), 0.01
                )
            receipt = hongyan.receipt_of(late.value)
            assert receipt is not None and receipt.delivery == "not_sent"
            limit: Any = getattr(asyncio, "timeout", None)
            if limit is not None:
                with pytest.raises(TimeoutError) as over:
                    async with limit(0.01):
                        await client.send("ok", to=U, text="x", not_before=2_000_000_000)
                assert hongyan.receipt_of(over.value) is not None

    run(main())


def test_every_cancelled_send_has_its_receipt(run: Run, hostile: Hostile) -> None:
    """Whenever it is cancelled: before, during and after its answer comes."""

    async def main() -> None:
        async with hongyan.AsyncClient(hostile.config()) as client:
            told = []
            for steps in range(60):
                tasks = [asyncio.ensure_future(client.send("ok", to=U, text="x")) for _ in range(5)]
                for _ in range(steps):
                    await asyncio.sleep(0)
                for task in tasks:
                    task.cancel()
                for task in tasks:
                    try:
                        told.append(await task)
                    except asyncio.CancelledError as error:
                        receipt = hongyan.receipt_of(error)
                        # A task that never began was given nothing.
                        assert (receipt is None) == (steps == 0)
                        told += [] if receipt is None else [receipt]
            assert len(told) == 59 * 5
            assert client._mailbox()._late == {}
            assert len(client._mailbox().inbox) == 0
            sent = sum(receipt.delivery == "sent" for receipt in told)
            assert sent == client.stats()["accounts"]["ok"]["sent"]

    run(main())


def test_cancelling_again_and_again_is_as_good(run: Run, hostile: Hostile) -> None:
    """As some frameworks do, until the task has ended."""

    async def main() -> None:
        async with hongyan.AsyncClient(hostile.config()) as client:
            task = asyncio.ensure_future(client.send("hang", to=U, text="x"))
            while not hostile.requests:
                await asyncio.sleep(0.001)
            while not task.done():
                task.cancel()
                await asyncio.sleep(0)
            with pytest.raises(asyncio.CancelledError) as cancelled:
                await task
            receipt = hongyan.receipt_of(cancelled.value)
            assert receipt is not None and receipt.delivery == "maybe_sent"

    run(main())


def test_the_end_of_a_loop_tells_what_became_of_its_sends(hostile: Hostile) -> None:
    told: list[hongyan.Receipt | None] = []

    async def sends(client: hongyan.AsyncClient) -> None:
        try:
            await client.send("hang", to=U, text="x")
        except asyncio.CancelledError as error:
            told.append(hongyan.receipt_of(error))
            raise

    async def main(client: hongyan.AsyncClient) -> None:
        task = asyncio.ensure_future(sends(client))
        while not hostile.requests:
            await asyncio.sleep(0.001)
        del task

    client = hongyan.AsyncClient(hostile.config())
    asyncio.run(main(client))
    assert [receipt and receipt.delivery for receipt in told] == ["maybe_sent"]
    assert asyncio.run(client.close()) == 0


@pytest.mark.parametrize("ordered", [True, False])
def test_what_is_there_comes_before_the_source_is_asked(hostile: Hostile, ordered: bool) -> None:
    async def main() -> None:
        asked = 0

        def source() -> Iterator[Any]:
            nonlocal asked
            for i in range(40):
                asked += 1
                yield message("ok", i)

        async with hongyan.AsyncClient(hostile.config()) as client:
            receipts = client.send_many(source(), in_flight=8, ordered=ordered)
            taken = 0
            while taken < 40:
                await receipts.__anext__()
                taken += 1
                while client.stats()["unfinished"] > 0 or client._mailbox().inbox:
                    await asyncio.sleep(0.001)
                before = asked
                for _ in range(before - taken):
                    await receipts.__anext__()
                    taken += 1
                    assert asked == before
            with pytest.raises(StopAsyncIteration):
                await receipts.__anext__()

    asyncio.run(main())


def test_a_slow_source_of_an_awaiting_client(hostile: Hostile) -> None:
    """What blocks the loop is at least not asked before receipts could come."""

    async def main() -> None:
        asked = 0

        def source() -> Iterator[Any]:
            nonlocal asked
            for i in range(4):
                asked += 1
                if i > 0:
                    time.sleep(1.0)
                yield message("ok", i)

        async def waits_for_receipts() -> AsyncIterator[Any]:
            for i in range(5):
                yield message("ok", i)
                await seen.acquire()

        async with hongyan.AsyncClient(hostile.config()) as client:
            taken = 0
            async for _ in client.send_many(source()):
                taken += 1
                assert asked <= max(taken, 2)
            seen = asyncio.Semaphore(0)
            async for _ in client.send_many(waits_for_receipts()):
                seen.release()

    asyncio.run(main())
