"""The end of a program that has submitted messages and does not wait for them."""

from __future__ import annotations

import signal
import subprocess
from contextlib import suppress
from typing import Any

import pytest

from hostile import Hostile
from programs import GUARD, guarded, run, start

SUBMIT = "[client.submit('ok', to=U, text=f'm {i}') for i in range(20)]"

#: Programs that end, with their status.
ENDS: dict[str, tuple[str, int]] = {
    "falling off": (SUBMIT, 0),
    "sys.exit": (f"{SUBMIT}\nsys.exit(3)", 3),
    "an exception": (f"{SUBMIT}\nraise SystemExit(4)", 4),
    "a thread": (f"threading.Thread(target=lambda: {SUBMIT}).start()", 0),
    "a daemon thread": (
        f"one = threading.Thread(target=lambda: {SUBMIT}, daemon=True); one.start(); one.join()",
        0,
    ),
    "a client that nobody holds": (
        f"def notify():\n    client = hongyan.Client(config)\n    {SUBMIT}\nnotify()",
        0,
    ),
    "one in a cycle": (
        "def notify():\n    client = hongyan.Client(config)\n    client.own = client\n"
        f"    {SUBMIT}\nnotify(); gc.collect()",
        0,
    ),
    "several clients": (
        "for i in range(20): hongyan.Client(config).submit('ok', to=U, text='x')",
        0,
    ),
    "a handler of atexit": (f"import atexit\natexit.register(lambda: {SUBMIT})", 0),
    "asyncio": (f"async def main():\n    {SUBMIT}\nasyncio.run(main())", 0),
    "a signal that exits": (
        f"signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n{SUBMIT}\n"
        "os.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(60)",
        5,
    ),
    "an own fork": (
        "import warnings; warnings.simplefilter('ignore', DeprecationWarning)\n"
        f"client.close()\nif os.fork() == 0:\n    client = hongyan.Client(config)\n    {SUBMIT}\n"
        "    sys.exit(0)\nprint(os.wait()[1])",
        0,
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_end_waits_for_what_was_submitted(hostile: Hostile, end: str) -> None:
    program, status = ENDS[end]
    out, err, code = run(program, hostile.config())
    assert (err, code) == ("", status)
    assert out == ("0\n" if end == "an own fork" else "")
    assert len(hostile.requests) == 20


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_end_of_a_process_of_multiprocessing_waits_too(hostile: Hostile, method: str) -> None:
    program = f"""
import multiprocessing
def work(config):
    client = hongyan.Client(config)
    {SUBMIT}
if __name__ == "__main__":
    client.close()
    import warnings; warnings.simplefilter('ignore', DeprecationWarning)
    child = multiprocessing.get_context({method!r}).Process(target=work, args=(config,))
    child.start(); child.join(); print(child.exitcode)
"""
    if method == "spawn":
        program = program.replace("target=work, args=(config,)", "target=exec, args=(source,)")
        source = f"""
import hongyan
U, client = {{'user': 'u'}}, hongyan.Client({hostile.config()!r})
for i in range(20): client.submit('ok', to=U, text='x')
"""
        program = f"source = {source!r}\n" + program
    out, err, code = run(program, hostile.config())
    assert (out, err, code) == ("0\n", "", 0)
    assert len(hostile.requests) == 20


def test_what_was_not_sent_by_then_is_told(hostile: Hostile) -> None:
    program = """
import hongyan._exit
hongyan._exit.PATIENCE = 0.2
[client.submit('hang', to=U, text='x') for i in range(3)]
[client.submit('hang', to=U, text='x', not_before=time.time() + 1000) for i in range(4)]
input()
"""
    with guarded(start(program, hostile.config())) as process:
        while len(hostile.requests) < 3:
            assert hostile.arrived.wait(GUARD)
        out, err = process.communicate("\n")
    assert (out, process.returncode) == ("", 0)
    assert "RuntimeWarning" in err and "submit()" in err
    assert "7 were still under way" in err, err


def test_failures_that_nobody_looked_at_are_told(hostile: Hostile) -> None:
    program = """
[client.submit('refused', to=U, text='x') for i in range(5)]
client.submit('ok', to=U, text='x')
"""
    out, err, code = run(program, hostile.config())
    assert (out, code) == ("", 0)
    assert "5 were not sent" in err and "RuntimeWarning" in err, err


@pytest.mark.parametrize(
    "program",
    [
        "client.submit('refused', to=U, text='x'); next(client.results())",
        "client.submit('refused', to=U, text='x'); client.close()",
        "with client: client.submit('refused', to=U, text='x')",
        "pass",
        "client.close()",
        "del client",
        "import threading\n"
        "threading.Thread(target=lambda: client.send('hang', to=U, text='x'), daemon=True).start()",
    ],
)
def test_nothing_is_said_where_nothing_was_missed(hostile: Hostile, program: str) -> None:
    assert run(program, hostile.config()) == ("", "", 0)


def test_a_later_submit_lets_go_of_clients_that_are_done(hostile: Hostile) -> None:
    program = """
import warnings; warnings.simplefilter("ignore", ResourceWarning)
from hongyan import _exit
for account in ["ok", "ok", "refused"]:
    hongyan.Client(config).submit(account, to=U, text='x')
while _exit._left:
    hongyan.Client(config)
    time.sleep(0.001)
print(len(_exit._given))
"""
    out, err, code = run(program, hostile.config())
    assert (out, code) == ("0\n", 0)
    assert "1 was not sent" in err


def test_what_is_submitted_after_that_is_refused(hostile: Hostile) -> None:
    program = """
import atexit, hongyan._exit
client.submit('ok', to=U, text='x')
def late():
    try:
        client.submit('ok', to=U, text='x')
    except hongyan.ClosedError as error:
        print(error)
    print(client.send('ok', to=U, text='x').delivery)
# As if it had been registered before hongyan was imported.
atexit.unregister(hongyan._exit._end)
atexit.register(late)
atexit.register(hongyan._exit._end)
"""
    out, err, code = run(program, hostile.config())
    assert (err, code) == ("", 0)
    assert out == "the program ends: what is submitted now would not be sent\nsent\n"
    assert len(hostile.requests) == 2


def test_ctrl_c_ends_the_wait_at_the_end(hostile: Hostile) -> None:
    program = """
import atexit
client.submit('hang', to=U, text='x')
atexit.register(lambda: print("ending", flush=True))
input()
"""
    with guarded(start(program, hostile.config(timeout_ms=600_000))) as process:
        assert hostile.arrived.wait(GUARD)
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "ending\n"
        # The first may come before that waits.
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(1)
        out, err = process.communicate()
    assert out == ""
    assert "1 was still under way" in err, err


def test_an_outbox_keeps_what_is_left_and_nothing_is_said(hostile: Hostile, tmp_path: Any) -> None:
    config = {**hostile.config(), "outbox": {"path": str(tmp_path / "outbox.db")}}
    program = """
for i in range(5):
    client.submit('ok', to=U, text='x')
    client.submit('ok', to=U, text='x', not_before=time.time() + 1000)
client.submit('refused', to=U, text='x')
"""
    assert run(program, config) == ("", "", 0)
    program = """
print(sum(1 for receipt in client.results(timeout=1)), client.stats()["outbox"]["unfinished"])
client.close(0)
"""
    assert run(program, config) == ("6 5\n", "", 0)
    # What was under way at the end has its verdict: no doubt is made by leaving.
    assert len(hostile.requests) == 6
