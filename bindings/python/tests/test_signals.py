"""Python code that runs in the middle of a call: signal handlers, finalisers."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from hostile import Hostile
from programs import GUARD, guarded, run, start

SEND = "client.send('gate', to=U, text='x')"
#: What the main thread waits in; "gate" answers once the test lets it.
OUTER = {
    "send": SEND,
    "send with a time-out": "client.send('gate', to=U, text='x', timeout=1000)",
    "send_many": "list(client.send_many([{'account': 'gate', 'to': U, 'text': 'x'}]))",
    "results": "client.submit('gate', to=U, text='x'); next(client.results())",
    "close": "client.submit('gate', to=U, text='x'); client.close()",
    "leaving": "client.submit('gate', to=U, text='x'); client.__exit__(None, None, None)",
    "asyncio": """
async def main():
    async with hongyan.AsyncClient(config) as own:
        await own.send('gate', to=U, text='x')
asyncio.run(main())
""",
    "full": """
client.close()
client = hongyan.Client({**config, "max_in_flight": 1})
def fill():
    try:
        client.send('gate', to=U, text='x')
    except hongyan.Error:
        pass
filling = threading.Thread(target=fill)
filling.start()
while client.stats()["in_flight"] == 0 and filling.is_alive():
    time.sleep(0.001)
client.send('ok', to=U, text='x')
""",
}
#: What its signal handler does meanwhile.
INNER = {
    "send": "client.send('ok', to=U, text='x', timeout=1000)",
    "send that ends by itself": "client.send('hang', to=U, text='x', timeout=0.2)",
    "send_many": "list(client.send_many([{'account': 'ok', 'to': U, 'text': 'x'}] * 20))",
    "submit": "client.submit('ok', to=U, text='x')",
    "results": "list(client.results(timeout=0))",
    "accounts": "client.set_account('new', config['accounts']['ok']); client.remove_account('new')",
    "stats": "client.stats()",
}
#: These wait for what is under way, so that it has to be let go first.
CLOSING = {
    "close": "client.close()",
    "close at once": "client.close(0)",
    "with": "with client: pass",
}

HANDLER = """
def on_signal(number, frame):
    print("handling", flush=True)
    for inner in json.loads(sys.argv[2]):
        try:
            exec(inner, globals())
        except hongyan.Error:
            pass  # in words, and at once
    print("handled", flush=True)
signal.signal(signal.SIGUSR1, on_signal)
"""


def interrupted(hostile: Hostile, outer: str, inner: list[str], *, let_go: str) -> str:
    """Runs `outer` and in the middle of it, in a signal handler, `inner`; what was written last."""
    import json

    program = f"{HANDLER}\ntry:\n    pass\n{indented(outer)}\nexcept hongyan.Error: pass\n"
    program += "print('ended', flush=True)\nclient.close(0)\n"
    with guarded(start(program, hostile.config(), json.dumps(inner))) as process:
        assert hostile.arrived.wait(GUARD)
        process.send_signal(signal.SIGUSR1)
        assert process.stdout is not None
        said: list[str] = []
        for line in process.stdout:
            said.append(line.strip())
            if said[-1] == let_go:
                hostile.gate.set()
        _, err = process.communicate()
    assert (err, process.returncode) == ("", 0)
    return " ".join(said)


def indented(program: str) -> str:
    return "\n".join("    " + line for line in program.splitlines())


@pytest.mark.parametrize("outer", OUTER)
def test_everything_works_in_a_signal_handler(hostile: Hostile, outer: str) -> None:
    inner = list(INNER.values())
    if outer == "full":
        # There is no room in there either.
        inner = [call.replace("timeout=1000", "timeout=0.1") for call in inner]
        inner = [call for call in inner if "send_many" not in call]
    said = interrupted(hostile, OUTER[outer], inner, let_go="handled")
    assert said == "handling handled ended"


@pytest.mark.parametrize("inner", CLOSING)
@pytest.mark.parametrize("outer", OUTER)
def test_a_client_is_closed_in_a_signal_handler(hostile: Hostile, outer: str, inner: str) -> None:
    said = interrupted(hostile, OUTER[outer], [CLOSING[inner]], let_go="handling")
    assert said == "handling handled ended"


def test_a_handler_that_takes_its_time_holds_up_nobody_else(hostile: Hostile) -> None:
    program = """
done = threading.Event()
def others():
    arrived.wait()
    for _ in range(50):
        client.send('ok', to=U, text='x')
    list(client.send_many([{'account': 'ok', 'to': U, 'text': 'x'}] * 50))
    client.submit('ok', to=U, text='x')
    next(client.results())
    done.set()
arrived = threading.Event()
threads = [threading.Thread(target=others) for _ in range(4)]
[thread.start() for thread in threads]
def on_signal(number, frame):
    arrived.set()
    done.wait()
    print("others are done", flush=True)
    # Its own message goes on too.
    before = client.stats()["accounts"]["gate"]["sent"]
    print(before, flush=True)
    while client.stats()["accounts"]["gate"]["sent"] == before:
        time.sleep(0.001)
signal.signal(signal.SIGUSR1, on_signal)
print(client.send('gate', to=U, text='x').delivery)
[thread.join() for thread in threads]
client.close()
"""
    with guarded(start(program, hostile.config())) as process:
        assert hostile.arrived.wait(GUARD)
        process.send_signal(signal.SIGUSR1)
        assert process.stdout is not None
        assert process.stdout.readline() == "others are done\n"
        assert process.stdout.readline() == "0\n"
        hostile.gate.set()
        out, err = process.communicate()
    assert (out, err, process.returncode) == ("sent\n", "", 0)


def test_what_a_handler_raises_goes_on_with_the_receipt(hostile: Hostile) -> None:
    program = """
class Stop(Exception): pass
def on_signal(number, frame):
    client.send('ok', to=U, text='x')
    raise Stop
signal.signal(signal.SIGUSR1, on_signal)
try:
    client.send('hang', to=U, text='x')
except Stop as stop:
    print(stop.receipt.delivery, hongyan.receipt_of(stop).error.name)
client.close()
"""
    with guarded(start(program, hostile.config())) as process:
        assert hostile.arrived.wait(GUARD)
        process.send_signal(signal.SIGUSR1)
        out, err = process.communicate()
    assert (out, err, process.returncode) == ("maybe_sent cancelled\n", "", 0)


FINALISERS: dict[str, str] = {
    "send": "client.send('ok', to=U, text='x')",
    "send_many": "list(client.send_many([{'account': 'ok', 'to': U, 'text': 'x'}]))",
    "submit": "client.submit('ok', to=U, text='x')",
    "results": "list(client.results(timeout=0))",
    "error": "client.send('refused', to=U, text='x')",
    "raw": "client.send('ok', to=U, text='x').raw",
    "close": "client.close(0)",
}


@pytest.mark.parametrize("call", FINALISERS)
@pytest.mark.parametrize("kind", ["__del__", "weakref"])
def test_everything_works_in_a_finaliser(hostile: Hostile, call: str, kind: str) -> None:
    """The collector runs whenever something is allocated: inside our own calls, above all."""
    made = {
        "__del__": "def __del__(self): final()",
        "weakref": "def __init__(self): weakref.finalize(self, final)",
    }
    program = f"""
count = 0
def final():
    global count
    count += 1
    if count > 100:
        return
    try:
        {FINALISERS[call]}
    except hongyan.Error:
        pass
class Garbage:
    {made[kind]}
def litter():
    one = Garbage()
    one.own = one
gc.set_threshold(1, 1, 1)
for i in range(30):
    litter()
    for account in ("ok", "refused"):
        try:
            client.send(account, to=U, text=5 if i % 7 == 6 else 'x').raw
        except (hongyan.Error, TypeError):
            pass
    litter()
    try:
        list(client.send_many(
            {{'account': 'refused', 'to': U, 'text': 'x'}} for _ in range(3)))[0].error
        client.submit('ok', to=U, text='x')
        next(client.results()).raw
    except (hongyan.Error, StopIteration):
        pass
    litter()
async def main():
    async with hongyan.AsyncClient(config) as own:
        for _ in range(10):
            litter()
            await asyncio.gather(*(own.send('ok', to=U, text='x') for _ in range(5)))
asyncio.run(main())
client.close(0)
print("some" if count else "none")
"""
    assert run(program, hostile.config()) == ("some\n", "", 0)


def test_ctrl_c_ends_a_send_that_waits_for_room(hostile: Hostile) -> None:
    config: dict[str, Any] = hostile.config(max_in_flight=1)
    program = """
client.submit('hang', to=U, text='x')
try:
    client.send('ok', to=U, text='x')
except KeyboardInterrupt:
    print("interrupted")
client.close(0)
list(client.results())
"""
    with guarded(start(program, config)) as process:
        assert hostile.arrived.wait(GUARD)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (out, err, process.returncode) == ("interrupted\n", "", 0)
