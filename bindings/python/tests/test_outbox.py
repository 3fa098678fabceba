"""Messages that outlive their client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import hongyan
from conftest import Sandbox


@pytest.fixture
def config(sandbox: Sandbox, tmp_path: Path) -> dict[str, Any]:
    return {**sandbox.config, "outbox": {"path": str(tmp_path / "outbox.db")}}


def test_a_receipt_comes_again_until_it_is_acknowledged(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    account = sandbox.account("fanfou")
    with hongyan.Client(config) as client:
        kept = client.submit(account, to={"user": "lisztli"}, text="kept")
        done = client.submit(account, to={"user": "lisztli"}, text="done")
        results = client.results(timeout=60)
        for receipt in (next(results), next(results)):
            assert receipt.delivery == "sent"
            if receipt.id == done:
                receipt.ack()
        # What waits for its receipt here never goes there.
        assert client.send(account, to={"user": "lisztli"}, text="now").delivery == "sent"
    with hongyan.Client(config) as client:
        again = next(client.results(timeout=60))
        assert (again.id, again.delivery) == (kept, "sent")
        again.ack()
        assert list(client.results(timeout=0.2)) == []
    with hongyan.Client(config) as client:
        assert list(client.results(timeout=0.2)) == []


def test_clients_share_it(sandbox: Sandbox, config: dict[str, Any]) -> None:
    account = sandbox.account("fanfou")
    only_submits = {**config, "accounts": {}, "outbox": {**config["outbox"], "sends": False}}
    with hongyan.Client(only_submits) as submits:
        kept = submits.submit(account, to={"user": "lisztli"}, text="shared")
        with hongyan.Client(config):
            receipt = next(submits.results(timeout=60))
            assert (receipt.id, receipt.delivery) == (kept, "sent")
            receipt.ack()
