"""The client whose calls wait."""

from __future__ import annotations

import gc
import json
import pickle
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest

import hongyan
from conftest import Sandbox
from hostile import Hostile

# The accounts of the others say whom a message is for that does not say it.
TO: dict[str, Any] = {
    "fanfou": {"to": {"user": "lisztli"}},
    "sina": {"to": {"user": "11051"}},
    "weibo": {"to": {"user": "2125034703"}},
    "renren": {
        "to": {"users": ["222209506"]},
        "extra": {"messageType": "ANY", "resourceTitle": "t"},
    },
    "tencent_im": {"to": {"group": "@TGS#2C5SZEAEF"}},
    "telegram": {"to": {"chat": "4711"}},
}
NOBODY: Any = {"user": "nobody"}
U: Any = {"user": "u"}


def test_every_account_of_the_sandbox_sends(sandbox: Sandbox) -> None:
    with hongyan.Client(sandbox.config) as client:
        for name, account in sandbox.config["accounts"].items():
            receipt = client.send(name, text=f"hello from {name}", **TO.get(account["service"], {}))
            assert (receipt.delivery, receipt.account) == ("sent", name)
            assert receipt.service == account["service"]
            assert receipt.error is None and receipt.attempts == 1 and not receipt.deduplicated
            assert len(receipt.id) == 26 and receipt.elapsed >= 0
            assert f'"id":"{receipt.id}"' in receipt.to_json()


def test_a_refusal_is_an_exception_with_its_receipt(sandbox: Sandbox) -> None:
    with hongyan.Client(sandbox.config) as client:
        with pytest.raises(hongyan.NotFoundError) as caught:
            client.send(sandbox.account("fanfou"), to=NOBODY, text="hello?")
    error = caught.value
    assert (error.code, error.name, error.delivery) == (202, "not_found", "not_sent")
    assert error.http_status == 404 and not error.retryable
    assert error.receipt is not None and error.receipt.delivery == "not_sent"
    assert isinstance(error.receipt.error, hongyan.NotFoundError)
    assert error.receipt.error.receipt == error.receipt


def test_ids_are_exact_and_the_answer_is_there_as_it_came(client: hongyan.Client) -> None:
    receipt = client.send("ok", to=U, text="x", key="k")
    assert receipt.message_id == "12345678901234567890"
    assert receipt.raw == {"id": "12345678901234567890", "text": "x"}
    assert receipt.key == "k"
    receipt.ack()
    again = client.send("ok", to=U, text="x", key="k")
    assert again.deduplicated and again.message_id == receipt.message_id


def test_a_receipt_is_a_value(client: hongyan.Client) -> None:
    receipt = client.send("ok", to=U, text="x")
    copy = pickle.loads(pickle.dumps(receipt))
    assert copy == receipt and hash(copy) == hash(receipt) and copy.to_json() == receipt.to_json()
    names = [
        "id",
        "key",
        "account",
        "service",
        "delivery",
        "message_id",
        "service_time",
        "deduplicated",
        "attempts",
    ]
    for name in [*names, "elapsed", "raw", "error"]:
        assert getattr(copy, name) == getattr(receipt, name), name
    assert receipt != client.send("ok", to=U, text="x") and receipt != receipt.id
    with pytest.raises(AttributeError):
        receipt.id = "another"  # type: ignore[misc] # pyright: ignore
    assert repr(receipt) == '<hongyan.Receipt sent account="ok" message_id="12345678901234567890">'


def test_configurations_come_in_every_form(sandbox: Sandbox, tmp_path: Path) -> None:
    text = json.dumps(sandbox.config)
    as_json = tmp_path / "c.json"
    as_json.write_text(text)
    as_toml = tmp_path / "c.toml"
    as_toml.write_text(
        'v = 1\n[accounts.ff]\nservice = "fanfou"\n'
        'auth = {type = "basic", username = "${env:HOME}", password = "p"}\n'
    )
    for config in (text, "\n " + text, str(as_json), as_json, str(as_toml), as_toml):
        hongyan.Client(config).close()
    with pytest.raises(FileNotFoundError):
        hongyan.Client(str(tmp_path / "none.json"))
    as_toml.write_text('v = 1\nsecret = "abc\n')
    with pytest.raises(hongyan.ConfigError) as caught:
        hongyan.Client(as_toml)
    assert "c.toml" in str(caught.value) and "abc" not in str(caught.value)
    as_json.write_bytes(b"\xff")
    with pytest.raises(hongyan.ConfigError, match="not UTF-8"):
        hongyan.Client(as_json)


def test_the_text_of_a_configuration_is_never_taken_for_a_path(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    text = json.dumps(sandbox.config)
    for right in ("\ufeff" + text, "\ufeff \n" + text, "\t\r\n" + text):
        hongyan.Client(right).close()
    secret = {"v": 1, "accounts": {}, "password": "hunter2"}
    wrong = json.dumps(secret)
    toml = 'v = 1\npassword = "hunter2"'
    for content in (
        wrong,
        "// a comment\n" + wrong,
        "/* a comment */" + wrong,
        "# a comment\n" + wrong,
        "\ufeff# a comment\n" + wrong,
        wrong[:-1],
        "hunter2" * 1000,
        toml,
        toml.replace("\n", "\r"),
        "hunter2\0",
    ):
        for config in (content, Path(content)):
            with pytest.raises(hongyan.ConfigError) as caught:
                hongyan.Client(config)
            shown = "".join(traceback.format_exception(caught.type, caught.value, caught.tb))
            assert "hunter2" not in f"{caught.value!r} {shown}", content
    odd = tmp_path / "{odd}.json"
    odd.write_text("\ufeff" + text, encoding="utf-8")
    hongyan.Client(str(odd)).close()


def test_a_wrong_configuration_is_refused_with_its_path() -> None:
    config: Any = {"v": 1, "accounts": {"ff": {"service": "fanfou", "auth": {"type": "magic"}}}}
    with pytest.raises(hongyan.ConfigError) as caught:
        hongyan.Client(config)
    assert isinstance(caught.value, ValueError)
    assert caught.value.path == "accounts.ff.auth.type" and caught.value.receipt is None
    config["accounts"]["ff"]["auth"] = {"type": b"basic"}
    with pytest.raises(TypeError, match=r"accounts\.ff\.auth\.type must be .* not bytes"):
        hongyan.Client(config)
    with pytest.raises(hongyan.ConfigError, match="twice") as caught:
        hongyan.Client('{"v": 1, "accounts": {"a": {"service": "x", "servic\\u0065": "y"}}}')
    assert caught.value.path == "accounts.a.service"
    for wrong in (5, None, b"{}", ["v"]):
        with pytest.raises(TypeError, match="config must be"):
            hongyan.Client(wrong)  # type: ignore[arg-type] # pyright: ignore


def test_accounts_come_and_go(client: hongyan.Client, hostile: Hostile) -> None:
    account = hostile.config()["accounts"]["ok"]
    client.set_account("new", account)
    assert client.send("new", to=U, text="x").account == "new"
    assert client.stats()["accounts"]["new"]["sent"] == 1
    client.remove_account("new")
    with pytest.raises(hongyan.MessageError) as caught:
        client.send("new", to=U, text="x")
    assert caught.value.path == "account"
    with pytest.raises(hongyan.ConfigError):
        client.set_account("new", {**account, "service": "carrier pigeon"})
    with pytest.raises(TypeError, match="name must be a str"):
        client.set_account(5, account)  # type: ignore[arg-type] # pyright: ignore
    with pytest.raises(TypeError, match="account must be a dict"):
        client.set_account("new", "x")  # type: ignore[arg-type] # pyright: ignore


def test_who_cannot_be_asked_for_credentials_says_so(
    client: hongyan.Client, hostile: Hostile
) -> None:
    with pytest.raises(hongyan.UnsupportedError, match="fanfou cannot be asked"):
        client.check_account("ok")
    with pytest.raises(hongyan.ConfigError, match="absent"):
        client.check_account("absent", timeout=5)
    with pytest.raises(TypeError, match="name must be a str"):
        client.check_account(5)  # type: ignore[arg-type] # pyright: ignore
    client.close()
    with pytest.raises(hongyan.ClosedError):
        client.check_account("ok")


def test_the_services_are_listed() -> None:
    services = hongyan.services()["services"]
    assert {"fanfou", "tencent_im"} <= {service["name"] for service in services}
    assert hongyan.Client.services() == hongyan.services()


def test_what_was_submitted_comes_out_of_results(client: hongyan.Client) -> None:
    ids = {client.submit("ok", to=U, text=f"m {i}") for i in range(100)}
    results = client.results(timeout=60)
    assert {next(results).id for _ in ids} == ids
    assert list(client.results(timeout=0)) == []
    planet: Any = {"planet": "x"}
    wrong = client.submit("ok", to=planet, text="x")
    receipt = next(client.results(timeout=60))
    assert receipt.id == wrong and isinstance(receipt.error, hongyan.MessageError)
    assert receipt.error.path == "to.planet"
    with pytest.raises(TypeError, match="timeout must be"):
        client.results("soon")  # type: ignore[arg-type] # pyright: ignore


def test_results_end_when_the_client_is_closed(client: hongyan.Client) -> None:
    waiting = threading.Thread(target=lambda: taken.extend(client.results()))
    taken: list[hongyan.Receipt] = []
    waiting.start()
    ids = {client.submit("ok", to=U, text=f"m {i}") for i in range(10)}
    assert client.close() == 0
    waiting.join()
    assert {receipt.id for receipt in taken} == ids


def test_submit_is_bounded_until_the_receipts_are_taken(hostile: Hostile) -> None:
    with hongyan.Client(hostile.config(max_in_flight=4)) as client:
        for _ in range(4):
            client.submit("ok", to=U, text="x")
        # Whoever else takes receipts from the core must not make room for more.
        list(client.send_many([]))
        client._core.pump(0.05)
        with pytest.raises(hongyan.FullError) as caught:
            client.submit("ok", to=U, text="x")
        assert caught.value.retryable and "results()" in str(caught.value)
        results = client.results(timeout=60)
        next(results)
        client.submit("ok", to=U, text="x")
        assert len([next(results) for _ in range(4)]) == 4


def test_a_time_out_tells_the_truth(client: hongyan.Client, hostile: Hostile) -> None:
    with pytest.raises(hongyan.SendTimeoutError) as caught:
        client.send("hang", to=U, text="x", timeout=0)
    assert isinstance(caught.value, TimeoutError) and hostile.requests == []
    for seconds in (0.1, 1, 10, 100):
        # On a slow machine the request may not have begun by then.
        with pytest.raises((hongyan.MaybeSentError, hongyan.SendTimeoutError)) as late:
            client.send("hang", to=U, text="x", timeout=seconds)
        if isinstance(late.value, hongyan.MaybeSentError):
            break
        assert hostile.requests == []
    assert (late.value.name, late.value.delivery) == ("timeout", "maybe_sent")
    assert not late.value.retryable and "timeout" in str(late.value)
    with pytest.raises(hongyan.ExpiredError):
        client.send("ok", to=U, text="x", deadline=0)


def test_the_ways_of_a_hostile_server(client: hongyan.Client) -> None:
    for way in ("reset", "garbage"):
        with pytest.raises(hongyan.MaybeSentError) as maybe:
            client.send(way, to=U, text="x")
        assert maybe.value.name == {"reset": "network", "garbage": "protocol"}[way]
    with pytest.raises(hongyan.ForbiddenError):
        client.send("refused", to=U, text="x")
    with pytest.raises(hongyan.RateLimitedError) as limited:
        client.send("limited", to=U, text="x")
    assert limited.value.retryable and limited.value.retry_after == 7.0


def test_close_says_how_many_it_cancelled(client: hongyan.Client, hostile: Hostile) -> None:
    ids = {client.submit("hang", to=U, text=f"m {i}") for i in range(3)}
    hostile.arrived.wait()
    assert client.close(0) == 3 and client.close(0) == 0
    receipts = list(client.results())
    assert {receipt.id for receipt in receipts} == ids
    assert all(receipt.error is not None for receipt in receipts)
    for call in (
        lambda: client.send("ok", to=U, text="x"),
        lambda: client.submit("ok", to=U, text="x"),
        lambda: list(client.send_many([{"account": "ok"}])),
        lambda: client.set_account("a", hostile.config()["accounts"]["ok"]),
    ):
        with pytest.raises(hongyan.ClosedError):
            call()


def test_leaving_the_block_warns_of_what_was_cancelled(
    hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hongyan._client.LEAVING", 0.0)
    with pytest.warns(ResourceWarning, match="1 sends were still under way"):
        with hongyan.Client(hostile.config()) as client:
            client.submit("hang", to=U, text="x")


def test_a_client_that_nobody_closed_warns(hostile: Hostile) -> None:
    client = hongyan.Client(hostile.config())
    client.submit("hang", to=U, text="x")
    with pytest.warns(ResourceWarning, match="unclosed <hongyan.Client>"):
        del client
        gc.collect()


def test_many_threads_share_one_client(client: hongyan.Client) -> None:
    sent: list[str] = []
    submitted: set[str] = set()

    def send() -> None:
        sent.extend(client.send("ok", to=U, text=f"s {i}").id for i in range(20))

    def send_many() -> None:
        messages = [{"account": "ok", "to": U, "text": f"m {i}"} for i in range(50)]
        sent.extend(receipt.id for receipt in client.send_many(messages))

    def submit() -> None:
        submitted.update(client.submit("ok", to=U, text=f"r {i}") for i in range(50))

    def take() -> None:
        while len(taken) < 100:
            taken.extend(receipt.id for receipt in client.results(timeout=0.05))

    taken: list[str] = []
    work = [send, send, send_many, send_many, submit, submit, take]
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(sent)) == len(sent) == 140
    assert sorted(taken) == sorted(submitted) and len(submitted) == 100
