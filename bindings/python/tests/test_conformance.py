"""The cases of tests/conformance, as its README tells."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hongyan

FOLDER = Path(__file__).parents[3] / "tests" / "conformance"
INDEX: dict[str, Any] = json.loads((FOLDER / "index.json").read_bytes())
LEFT_OUT = {"text": "a message is a mapping", "full": "sends wait for room"}
# The members that a step of each kind has.
KNOWN = {
    "sandbox": {"do", "body", "expect"},
    "open": {"config", "error"},
    "send": {"message", "timeout_ms", "expect", "error"},
    "submit": {"as", "message", "timeout_ms", "error"},
    "result": {"of", "expect"},
    "cancel": {"of"},
    "close": {"timeout_ms", "unfinished"},
    "end": set[str](),
}


def check(expect: Any, found: Any, where: str = "$") -> None:
    """Raises where `found` is not what `expect` asks for."""
    if expect == "{string}":
        fits = isinstance(found, str) and found != ""
    elif expect == "{number}":
        fits = isinstance(found, (int, float)) and not isinstance(found, bool)
    elif isinstance(expect, dict):
        fits = isinstance(found, dict) and all(name in found for name in expect)
        for name in expect if fits else ():
            check(expect[name], found[name], f"{where}.{name}")
    elif isinstance(expect, list):
        fits = isinstance(found, list) and len(found) == len(expect)
        for i in range(len(expect) if fits else 0):
            check(expect[i], found[i], f"{where}[{i}]")
    else:
        fits = expect == found and isinstance(expect, bool) == isinstance(found, bool)
    assert fits, f"{where}: expected {expect!r}, found {found!r}"


def ask(url: str, do: str, body: Any = None) -> Any:
    method, path = do.split(" ")
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, method=method)
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.load(answer)


def compare_error(step: dict[str, Any], error: hongyan.Error) -> None:
    assert "error" in step, f"the call failed: {error!r}"
    found = {name: getattr(error, name, None) for name in step["error"]} | {"message": str(error)}
    check(step["error"], found)


def compare_receipt(step: dict[str, Any], receipt: hongyan.Receipt) -> None:
    assert "error" not in step, "the call did not fail"
    check(step["expect"], json.loads(receipt.to_json()))


async def outcome(sending: asyncio.Future[hongyan.Receipt]) -> hongyan.Receipt:
    """What became of a send, which an exception may carry."""
    await asyncio.wait({sending}, timeout=300)
    assert sending.done(), "no result"
    try:
        return await sending
    except (hongyan.Error, asyncio.CancelledError) as error:
        receipt = hongyan.receipt_of(error)
        if receipt is None:
            raise
        return receipt


def begin(client: hongyan.AsyncClient, step: dict[str, Any]) -> asyncio.Task[hongyan.Receipt]:
    fields = dict(step["message"])
    assert fields.pop("v") == 1
    timeout_ms = step.get("timeout_ms", -1)
    timeout = None if timeout_ms < 0 else timeout_ms / 1000
    return asyncio.ensure_future(client.send(fields.pop("account"), timeout=timeout, **fields))


async def take(
    step: dict[str, Any],
    url: str,
    client: hongyan.AsyncClient,
    sends: dict[str, asyncio.Task[hongyan.Receipt]],
    seen: set[str],
) -> None:
    op = step["op"]
    assert step.keys() - {"op"} <= KNOWN[op], "a member that nobody knows"
    if op == "sandbox":
        answer = ask(url, step["do"], step.get("body"))
        if "expect" in step:
            check(step["expect"], answer)
    elif op == "open":
        with pytest.raises(hongyan.Error) as failed:
            hongyan.AsyncClient(step["config"])
        compare_error(step, failed.value)
    elif op == "send" or (op == "submit" and "error" in step):
        try:
            compare_receipt(step, await outcome(begin(client, step)))
        except hongyan.Error as error:
            compare_error(step, error)
    elif op == "submit":
        sends[step["as"]] = begin(client, step)
        # Until it waits for its outcome.
        await asyncio.sleep(0)
    elif op == "result":
        compare_receipt(step, await outcome(sends[step["of"]]))
        seen.add(step["of"])
    elif op == "cancel":
        sends[step["of"]].cancel()
        await asyncio.sleep(0)
    elif op == "close":
        timeout = None if step["timeout_ms"] < 0 else step["timeout_ms"] / 1000
        check(step["unfinished"], await client.close(timeout))
    else:
        assert op == "end"
        assert seen == sends.keys() and all(task.done() for task in sends.values())


async def run(case: dict[str, Any], config: dict[str, Any], url: str) -> None:
    ask(url, "POST /_/reset", {})
    client = hongyan.AsyncClient(case.get("config", config))
    sends: dict[str, asyncio.Task[hongyan.Receipt]] = {}
    seen: set[str] = set()
    try:
        for number, step in enumerate(case["steps"], 1):
            try:
                await take(step, url, client, sends, seen)
            except Exception as error:
                raise AssertionError(f"{case['name']}: step {number}: {error!r}") from error
    finally:
        await client.close(0)
        await asyncio.gather(*sends.values(), return_exceptions=True)


@pytest.fixture
def url() -> Iterator[str]:
    hongyan_command = os.environ.get("HONGYAN", f"{shlex.quote(sys.executable)} -m hongyan")
    command = [*shlex.split(hongyan_command), "sandbox", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.kill()


def test_the_comparison() -> None:
    pairs = json.loads((FOLDER / "compare.json").read_bytes())["pairs"]
    for pair in pairs:
        try:
            check(pair["expect"], pair["found"])
            fits = True
        except AssertionError:
            fits = False
        assert fits == pair["fits"], pair
    assert len(pairs) == INDEX["pairs"]


def test_what_is_left_out_is_there() -> None:
    assert LEFT_OUT.keys() <= INDEX["files"].keys()


@pytest.mark.parametrize("name", [name for name in INDEX["files"] if name not in LEFT_OUT])
def test_conformance(name: str, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (FOLDER / f"{name}.json").read_text("utf-8")
    text = text.replace("{sandbox}", url).replace("{port}", url.rsplit(":", 1)[1])
    file = json.loads(text)
    ran = 0
    for case in file["cases"]:
        asyncio.run(run(case, file["config"], url))
        ran += 1
    assert ran == INDEX["files"][name]
    with capsys.disabled():
        print(f"conformance: {ran} cases of {name}")
