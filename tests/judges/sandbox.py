"""A sandbox in a process of its own, as the judges and the browser see it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

HONGYAN = os.environ["HONGYAN"]


class Sandbox:
    """A running sandbox: its own paths, and the accounts that it accepts."""

    def __init__(self, config: dict[str, Any], url: str) -> None:
        self.accounts = config["accounts"]
        self.url = url

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Asks for a path, with a JSON body, and returns the status and what was answered."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What the services took, oldest first."""
        return self.request("GET", "/_/messages")[1]

    @property
    def last(self) -> dict[str, Any]:
        """The newest message."""
        return self.messages[-1]

    def fault(self, service: str, kind: str, **more: Any) -> None:
        """Lets something go wrong with the next request."""
        status, answer = self.request(
            "POST", "/_/faults", {"service": service, "kind": kind, **more}
        )
        assert status == 200, answer


@contextlib.contextmanager
def running(service: str | None = None) -> Iterator[Sandbox]:
    """Runs a sandbox on a free port; with a service that is at the root of it."""
    command = [HONGYAN, "sandbox", "--port", "0", "--print-config"]
    if service is not None:
        command += ["--service", service]
    # What it says beside the configuration goes to nobody: nothing reads a pipe to its end here.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            text = ""
            for line in process.stdout:
                text += line
                if line == "}\n":
                    break
            assert text, f"{' '.join(command)} wrote nothing: is the service played?"
            config = json.loads(text)
            url = next(iter(config["accounts"].values()))["base_url"]
            yield Sandbox(config, url if service is not None else url.rsplit("/", 1)[0])
        finally:
            process.kill()
