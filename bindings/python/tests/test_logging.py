"""The library's log, as Python's."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import hongyan
from hongyan import _native
from hostile import Hostile
from programs import run

U: Any = {"user": "u"}


@pytest.fixture(autouse=True)
def levels_are_as_before() -> Iterator[None]:
    yield
    for name in ("hongyan", "hongyan.send", "hongyan.retry", "hongyan.client"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def names(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int]]:
    records = [(record.name, record.levelno) for record in caplog.records]
    return [record for record in records if record[0].startswith("hongyan")]


def test_each_line_is_a_record_of_its_target_s_logger(
    hostile: Hostile, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "hongyan")
    before = time.time()
    config = {**hostile.config(), "retry": {"max_attempts": 2, "initial_ms": 1, "max_ms": 1}}
    with hongyan.Client(config) as client:
        assert names(caplog) == [("hongyan.client", logging.INFO)]
        receipt = client.send("ok", to=U, text="secret text")
        assert names(caplog)[1:] == [("hongyan.send", logging.DEBUG)]
        record = caplog.records[-1]
        assert receipt.id in record.getMessage() and "secret" not in record.getMessage()
        assert before - 1 <= record.created <= time.time() + 1
        caplog.clear()
        list(client.send_many([{"account": "ok", "to": U, "text": "x"}] * 3))
        assert names(caplog) == [("hongyan.send", logging.DEBUG)] * 3
        caplog.clear()
        client.submit("ok", to=U, text="x")
        next(client.results())
        assert names(caplog) == [("hongyan.send", logging.DEBUG)]
        caplog.clear()
        with pytest.raises(hongyan.Error):
            client.send("refused", to=U, text="x")
        assert names(caplog) == [("hongyan.send", logging.DEBUG)]


def test_asyncio_shows_them_too(hostile: Hostile, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "hongyan")

    async def main() -> None:
        async with hongyan.AsyncClient(hostile.config()) as client:
            await client.send("ok", to=U, text="x")
            assert names(caplog)[-1] == ("hongyan.send", logging.DEBUG)
            caplog.clear()
            await asyncio.gather(*(client.send("ok", to=U, text="x") for _ in range(10)))
            assert names(caplog) == [("hongyan.send", logging.DEBUG)] * 10

    asyncio.run(main())


def test_levels_are_those_of_the_loggers(
    client: hongyan.Client, caplog: pytest.LogCaptureFixture
) -> None:
    def sent() -> list[tuple[str, int]]:
        caplog.clear()
        client.send("ok", to=U, text="x")
        return names(caplog)

    debug = [("hongyan.send", logging.DEBUG)]
    assert sent() == []
    caplog.set_level(logging.INFO)
    assert sent() == []
    caplog.set_level(logging.DEBUG)
    assert sent() == debug
    logging.getLogger("hongyan").setLevel(logging.WARNING)
    assert sent() == []
    # A child alone.
    logging.getLogger("hongyan.send").setLevel(logging.DEBUG)
    assert sent() == debug
    logging.getLogger("hongyan.send").setLevel(logging.NOTSET)
    logging.getLogger("hongyan.retry").setLevel(1)
    assert sent() == []
    logging.getLogger("hongyan").setLevel(logging.NOTSET)
    logging.disable(logging.CRITICAL)
    try:
        assert sent() == []
    finally:
        logging.disable(logging.NOTSET)
    assert sent() == debug


def test_nothing_is_kept_that_nobody_wants(client: hongyan.Client) -> None:
    for _ in range(3):
        client.send("ok", to=U, text="x")
    client._core.send(("ok", U, "x", *[None] * 8, (None,) * 8), None)
    assert not _native.has_log() and _native.take_log() == ([], 0)


def test_a_handler_may_send(client: hongyan.Client, hostile: Hostile) -> None:
    """It must not go round for ever: the lines of its own sends come the next time."""

    class Sends(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            client.send("ok", to=U, text="from the handler")

    logger, handler = logging.getLogger("hongyan"), Sends()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        client.send("ok", to=U, text="x")
    finally:
        logger.removeHandler(handler)
    assert len(hostile.requests) == 2


def test_a_filter_that_raises_costs_no_receipt(
    client: hongyan.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, *_: seen.append(kind))

    def broken(record: logging.LogRecord) -> bool:
        raise LookupError

    logger = logging.getLogger("hongyan.send")
    logger.addFilter(broken)
    logger.setLevel(logging.DEBUG)
    try:
        assert client.send("ok", to=U, text="x").delivery == "sent"
    finally:
        logger.removeFilter(broken)
    assert seen == [LookupError]


def test_what_is_lost_is_told(client: hongyan.Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "hongyan")
    client.send("ok", to=U, text="x")
    caplog.clear()
    fields = ("ok", U, "x", *[None] * 8, (None,) * 8)
    for _ in range(10_050):
        # Past the package, which would fetch the lines.
        with pytest.raises(hongyan.SendTimeoutError):
            client._core.send(fields, 0)
    client.stats()
    client.send("ok", to=U, text="x")
    told = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert told == ["50 lines of the log were lost: too many came between two calls of hongyan"]
    assert len(names(caplog)) == 10_002


def test_every_thread_hands_lines_over(
    client: hongyan.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "hongyan")

    def work() -> None:
        for _ in range(20):
            client.send("ok", to=U, text="x")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.send("ok", to=U, text="x")
    assert len(names(caplog)) == 161


def test_a_child_has_its_own_lines(hostile: Hostile) -> None:
    program = """
import logging, warnings
warnings.simplefilter("ignore", DeprecationWarning)
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(process)d %(name)s")
parent = os.getpid()
client.send("ok", to=U, text="x")
client._core.send(("ok", U, "x", *[None] * 8, (None,) * 8), None)
if os.fork() == 0:
    own = hongyan.Client(config)
    own.send("ok", to=U, text="x")
    own.close()
    sys.stdout.flush()
    os._exit(0)
os.wait()
client.close()
"""
    out, err, code = run(program, hostile.config())
    assert (err, code) == ("", 0)
    lines = [line.split() for line in out.splitlines()]
    by_process: dict[str, list[str]] = {}
    for process, name in lines:
        if name.startswith("hongyan"):
            by_process.setdefault(process, []).append(name)
    assert sorted(by_process.values()) == [["hongyan.client", "hongyan.send"], ["hongyan.send"] * 2]


def test_a_program_without_logging_stays_without(hostile: Hostile) -> None:
    program = """
import sys, json
import hongyan
with hongyan.Client(json.loads(sys.argv[1])) as client:
    client.send("ok", to={"user": "u"}, text="x")
print("logging" in sys.modules)
"""
    import json

    command = [sys.executable, "-I", "-c", program, json.dumps(hostile.config())]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (found.stdout, found.stderr) == ("False\n", "")
    # And one that configures nothing sees nothing.
    program = "import logging\nclient.send('ok', to=U, text='x'); client.close()"
    assert run(program, hostile.config()) == ("", "", 0)
