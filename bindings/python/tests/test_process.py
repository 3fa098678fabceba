"""Signals, fork, other processes, the end of the interpreter."""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import hongyan
from hostile import Hostile
from programs import start

U: Any = {"user": "u"}

#: Newer Pythons warn of fork() where there are threads; that it works here is what is tested.
FORKING = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

BLOCKED = {
    "send": "client.send('hang', to=U, text='x')",
    "send in a thread's company": (
        "threading.Thread(target=time.sleep, args=(0,)).start(); "
        "client.send('hang', to=U, text='x')"
    ),
    "send_many": "list(client.send_many([{'account': 'hang', 'to': U, 'text': 'x'}]))",
    "results": "client.submit('hang', to=U, text='x'); list(client.results())",
    "close": "client.submit('hang', to=U, text='x'); client.close()",
}


@pytest.mark.parametrize("call", BLOCKED)
def test_ctrl_c_ends_a_blocking_call(hostile: Hostile, call: str) -> None:
    program = f"""
try:
    {BLOCKED[call]}
except KeyboardInterrupt as interrupt:
    receipt = getattr(interrupt, "receipt", None)
    print(receipt.delivery if receipt else "interrupted")
client.close(0)
"""
    process = start(program, hostile.config())
    hostile.arrived.wait()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    said = "maybe_sent" if call.startswith("send") and call != "send_many" else "interrupted"
    assert (out.strip(), err, process.returncode) == (said, "", 0)


@FORKING
def test_a_forked_child_needs_a_client_of_its_own(client: hongyan.Client, hostile: Hostile) -> None:
    client.submit("ok", to=U, text="x")
    batch = client.send_many(iter([]))
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            for call in (
                lambda: client.send("ok", to=U, text="x"),
                lambda: client.submit("ok", to=U, text="x"),
                lambda: next(client.results()),
                lambda: next(batch),
                lambda: client.close(),
                lambda: client.stats(),
            ):
                try:
                    call()
                except hongyan.ForkedError:
                    continue
                os._exit(2)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                del client, batch
            with hongyan.Client(hostile.config()) as own:
                own.submit("ok", to=U, text="child")
                assert next(own.results(timeout=60)).delivery == "sent"
                assert own.send("ok", to=U, text="child").delivery == "sent"
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert next(client.results(timeout=60)).delivery == "sent"
    assert client.send("ok", to=U, text="x").delivery == "sent"
    assert list(batch) == []


def test_an_awaiting_client_after_fork(hostile: Hostile) -> None:
    program = """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
client.close()
client = hongyan.AsyncClient(config)
async def main():
    await client.send("ok", to=U, text="x")
    pid = os.fork()
    if pid == 0:
        try:
            asyncio.run(client.send("ok", to=U, text="x"))
        except hongyan.ForkedError:
            os._exit(0)
        finally:
            os._exit(1)
    print(os.WEXITSTATUS(os.waitpid(pid, 0)[1]))
    await client.send("ok", to=U, text="x")
    await client.close()
asyncio.run(main())
"""
    process = start(program, hostile.config())
    out, err = process.communicate(timeout=60)
    assert (out, err) == ("0\n", "")


def in_another_process(config: dict[str, Any]) -> hongyan.Receipt:
    with hongyan.Client(config) as client:
        return client.send("ok", to=U, text="x")


def failing_in_another_process(config: dict[str, Any]) -> None:
    with hongyan.Client(config) as client:
        client.send("refused", to=U, text="x")


@pytest.mark.parametrize("method", ["fork", "spawn"])
@FORKING
def test_multiprocessing(client: hongyan.Client, hostile: Hostile, method: str) -> None:
    client.submit("ok", to=U, text="x")
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        receipts = pool.map(in_another_process, [hostile.config()] * 4)
        assert {receipt.delivery for receipt in receipts} == {"sent"}
        assert len({receipt.id for receipt in receipts}) == 4
        with pytest.raises(hongyan.ForbiddenError) as caught:
            pool.apply(failing_in_another_process, [hostile.config()])
        assert caught.value.receipt is not None and caught.value.http_status == 403
    assert next(client.results(timeout=60)).delivery == "sent"


LEAVING = """
sys.stderr.flush()
def sends(client=client):
    while True:
        try:
            client.send(random.choice(["ok", "hang"]), to=U, text="x")
        except hongyan.Error:
            pass
def takes(client=client):
    for receipt in client.results():
        pass
def awaits():
    async def main():
        own = hongyan.AsyncClient(config)
        await asyncio.gather(*(own.send(random.choice(["ok", "hang"]), to=U, text="x")
                               for _ in range(20)))
    asyncio.run(main())
many = client.send_many(({"account": "ok", "to": U, "text": "x"} for _ in range(1000)))
work = [sends, takes, awaits, lambda: list(many)]
seed = int(sys.argv[2])
random.seed(seed)
hongyan._exit.PATIENCE = 0.05
for target in random.sample(work, 1 + seed % len(work)):
    threading.Thread(target=target, daemon=True).start()
for _ in range(random.randrange(30)):
    client.submit(random.choice(["ok", "hang"]), to=U, text="x")
time.sleep(random.random() * 0.02)
how = seed % 3
if how == 0:
    sys.exit(0)
elif how == 1:
    del client
"""


def test_leaving_the_interpreter_in_mid_send_never_crashes(hostile: Hostile) -> None:
    def leave(seed: int) -> tuple[int, int, str]:
        process = start(LEAVING, hostile.config(), str(seed))
        _, err = process.communicate(timeout=120)
        # What was cut is told, and nothing else is.
        said = [line for line in err.splitlines() if "submit()" not in line and "warn(" not in line]
        return seed, process.returncode, "\n".join(said)

    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(leave, range(200)))
    assert [outcome for outcome in ended if outcome[1:] != (0, "")] == []
