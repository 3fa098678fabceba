"""The server, for as long as the measurements last."""

import http.client
import json
import os
import subprocess

from .build import OUT

WARM_UP = 600
REFUSED_EVERY = 50


def pinned(core):
    """The words before a command that keep it on a core, where there are two."""
    return ["taskset", "-c", str(core)] if os.cpu_count() > 1 else []


class Server:
    """The server on core 0: a context that ends it."""

    def __enter__(self):
        command = [*pinned(0), str(OUT / "bench-server"), "server.pem", "server.key"]
        self.process = subprocess.Popen(command, cwd=OUT, stdout=subprocess.PIPE, text=True)
        self.ports = json.loads(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def url(self, scheme, answer, by_number):
        host = "127.0.0.1" if by_number else "localhost"
        return f"{scheme}://{host}:{self.ports[scheme]}/{answer}"

    def counters(self):
        """What was counted since the last time."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["http"], timeout=10)
        connection.request("GET", "/counters")
        counters = json.load(connection.getresponse())
        connection.close()
        return counters

    def check(self, what, messages):
        """Compares the server's counts with those that a run has to make: all counters."""
        counters = self.counters()
        expected = {"messages": messages, "refused": messages // REFUSED_EVERY}
        counted = {name: counters[name] for name in expected}
        if counted != expected:
            raise SystemExit(f"{what}: the server counted {counted}, not {expected}")
        return counters
