"""Measures every route and writes docs/truth-peers.md."""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import control
import page
from measuring import FALSE_SUCCESS, Finding, Unmeasured, Worker, command, measure
from routes import ENDPOINTS, PEERS, ROUTES
from server import Server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "truth-peers.md"
NAMES = {"apprise": "Apprise"}


def main() -> int:
    """Says what it found in a line a client."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--node-packages", type=Path, required=True)
    node_packages = parser.parse_args().node_packages

    def of(peer: str) -> list[Finding]:
        with tempfile.TemporaryDirectory() as folder, closing(Server(Path(folder))) as server:
            with closing(Worker(command(peer, server.port, node_packages), server)) as worker:
                return [
                    finding
                    for route in ROUTES
                    if route.peer == peer
                    for finding in measure(route, ENDPOINTS[route.endpoint], server, worker)
                ]

    def by_hongyan() -> int:
        services = sorted({ENDPOINTS[route.endpoint].service for route in ROUTES})
        with tempfile.TemporaryDirectory() as folder, closing(Server(Path(folder))) as server:
            return control.check(services, server)

    try:
        with ThreadPoolExecutor() as pool:
            checked = pool.submit(by_hongyan)
            found = [finding for peer in pool.map(of, PEERS) for finding in peer]
            count = checked.result()
    except Unmeasured as error:
        print(f"nothing was measured: {error}", file=sys.stderr)
        return 1
    PAGE.write_text(page.page(found, _versions(node_packages), count, datetime.date.today()))
    for peer in PEERS:
        own = [one for one in found if one.peer == peer]
        refused = [one for one in own if one.case.delivery == "not_sent"]
        lost = [one for one in refused if one.verdict == FALSE_SUCCESS]
        print(f"{peer}: {len(own)} cases; success of {len(lost)} of {len(refused)} refusals")
    print(f"wrote {PAGE}")
    return 0


def _versions(node_packages: Path) -> dict[str, str]:
    versions = {}
    for peer in PEERS:
        package = node_packages / "node_modules" / peer / "package.json"
        version = (
            json.loads(package.read_text())["version"]
            if package.exists()
            else importlib.metadata.version(peer)
        )
        versions[NAMES.get(peer, peer)] = version
    return versions


if __name__ == "__main__":
    sys.exit(main())
