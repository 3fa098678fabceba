"""hongyan itself through the same server: what it says of each case is what the corpus says.

So the measure is checked by what it measures with: a server that garbled an answer would show here.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

from corpus import Case, cases
from measuring import Unmeasured
from server import Server

HONGYAN = os.environ.get("HONGYAN", "hongyan")


def check(services: list[str], server: Server) -> int:
    """Sends the cases of services by the command, and returns how many there were."""
    wrong, count = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for service in services:
            for case in cases(service):
                count += 1
                said = _delivery(case, server, Path(folder) / "hongyan.json")
                if said != case.delivery:
                    wrong.append(f"{service}: {case.name} is {case.delivery}, and it said {said}")
    if wrong:
        raise Unmeasured("hongyan does not say what the corpus says:\n" + "\n".join(wrong))
    return count


def _delivery(case: Case, server: Server, config: Path) -> str:
    url = f"http://127.0.0.1:{server.port}"
    if case.script is not None:
        url = f"smtps://localhost:{server.port}"
    settings = {"retry": {"max_attempts": 1}, "ca_file": str(server.authority)}
    accounts = {"corpus": {**case.account, "base_url": url}}
    config.write_text(json.dumps({"v": 1, "accounts": accounts, **settings}))
    server.give(case.answer, case.prepares, case.script)
    done = subprocess.run(
        [HONGYAN, "send", "--config", str(config), "--json", "-m", "-"],
        input=json.dumps({"v": 1, "account": "corpus", **case.message}),
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    if not server.asked:
        raise Unmeasured(f"hongyan has not asked anything for {case.name}: {done.stdout}")
    return json.loads(done.stdout)["delivery"]
