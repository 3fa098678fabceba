"""The examples run."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from conftest import Sandbox

EXAMPLES = Path(__file__).parents[3] / "examples/python"


@pytest.fixture
def config(sandbox: Sandbox, tmp_path: Path) -> str:
    path = tmp_path / "hongyan.json"
    path.write_text(json.dumps(sandbox.config))
    return str(path)


def example(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_hello(config: str) -> None:
    done = example("hello.py", config)
    assert done.returncode == 0
    assert done.stdout.startswith("sent, with the id ")


def test_all_services(config: str, sandbox: Sandbox) -> None:
    done = example("all_services.py", config)
    assert done.returncode == 0, done.stdout + done.stderr
    for account in sandbox.config["accounts"]:
        assert account in done.stdout


def test_bulk_reports_its_failures(config: str, tmp_path: Path) -> None:
    source, failures = tmp_path / "messages.csv", tmp_path / "failures.csv"
    with open(source, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["account", "kind", "recipient", "text", "key"])
        for i in range(20):
            recipient = "nobody" if i == 7 else "lisztli"
            writer.writerow(["fanfou-basic", "user", recipient, f"letter {i}", f"key {i}"])
    done = example("bulk.py", config, str(source), str(failures))
    assert (done.returncode, done.stdout.splitlines()[0]) == (4, "1 not_sent, 19 sent")
    assert "20/20" in done.stderr
    with open(failures, newline="", encoding="utf-8") as file:
        (failed,) = csv.DictReader(file)
    assert (failed["recipient"], failed["error"]) == ("nobody", "not_found")
    assert (failed["delivery"], failed["retryable"]) == ("not_sent", "no")


def test_the_latency_is_plotted(config: str, tmp_path: Path) -> None:
    picture = tmp_path / "latency.png"
    to = ("renren-bearer", "users=222209506", "50", str(picture))
    done = example("latency.py", config, *to)
    assert done.returncode == 0, done.stderr
    assert "50 sends: median" in done.stdout
    assert picture.exists() or "#" in done.stdout


def test_a_service_sends_in_the_background(config: str) -> None:
    def call(path: str, message: Any = None) -> Any:
        data = None if message is None else json.dumps(message).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data) as answer:
            return json.load(answer)

    # A port that is free now: the service says when it listens there.
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, str(EXAMPLES / "service.py"), config, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdout is not None
            assert json.loads(service.stdout.readline()) == {"port": port}
            hello = {"account": "fanfou-basic", "to": {"user": "lisztli"}, "text": "hi"}
            sent = call("/messages?wait=1", hello)
            assert sent["state"] == "sent"
            refused = call("/messages?wait=1", {**hello, "to": {"user": "nobody"}})
            assert (refused["state"], refused["error"]) == ("not_sent", "not_found")
            under_way = call("/messages", hello)
            state = under_way["state"]
            while state == "under way":
                state = call(f"/messages/{under_way['number']}")["state"]
            assert state == "sent"
            with pytest.raises(urllib.error.HTTPError, match="400"):
                call("/messages", {"colour": "red"})
        finally:
            service.terminate()
