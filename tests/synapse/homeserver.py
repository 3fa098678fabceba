"""A real homeserver, Synapse, and what stands between it and hongyan."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SECRET = "registration-secret"
PASSWORD = "swan-goose-7"
GUARD = 300
"""The longest that a test waits for what must come, in seconds."""

CONFIG = """
server_name: "localhost"
report_stats: false
suppress_key_server_warning: true
trusted_key_servers: []
listeners:
  - port: {port}
    type: http
    bind_addresses: ["127.0.0.1"]
    resources: [{{names: [client, media], compress: false}}]
database: {{name: sqlite3, args: {{database: "{folder}/homeserver.db"}}}}
log_config: "{folder}/log.yaml"
media_store_path: "{folder}/media"
signing_key_path: "{folder}/signing.key"
registration_shared_secret: "{secret}"
macaroon_secret_key: "macaroon-secret"
form_secret: "form-secret"
enable_registration: false
presence: {{enabled: false}}
federation_domain_whitelist: []
max_upload_size: 1M
rc_message: {{per_second: 2, burst_count: 5}}
rc_login:
  address: {free}
  account: {free}
  failed_attempts: {free}
rc_registration: {free}
rc_room_creation: {free}
rc_joins: {{local: {free}, remote: {free}}}
rc_invites: {{per_room: {free}, per_user: {free}, per_issuer: {free}}}
"""
FREE = "{per_second: 1000, burst_count: 1000}"
LOG = """
version: 1
formatters: {{words: {{format: "%(levelname)s %(name)s %(message)s"}}}}
handlers:
  told: {{class: logging.StreamHandler, stream: "ext://sys.stdout", formatter: words}}
root: {{level: INFO, handlers: [told]}}
disable_existing_loggers: false
"""


class Homeserver:
    """A running Synapse, asked by its own API."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def ask(
        self, method: str, path: str, body: Any = None, token: str | None = None
    ) -> tuple[int, Any]:
        """Asks for a path, as often as it is told to wait; gives the status and the answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        while True:
            request = urllib.request.Request(self.url + path, data, headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=GUARD) as answer:
                    data_back = answer.read()
                    is_json = "json" in answer.headers.get("Content-Type", "")
                    return answer.status, json.loads(data_back) if is_json else data_back
            except urllib.error.HTTPError as error:
                told = json.loads(error.read() or b"null")
                if error.code != 429:
                    return error.code, told
                time.sleep(told["retry_after_ms"] / 1000)

    def register(self, name: str) -> User:
        """Makes a user by the shared secret."""
        path = "/_synapse/admin/v1/register"
        nonce = self.ask("GET", path)[1]["nonce"]
        words = b"\0".join(word.encode() for word in [nonce, name, PASSWORD, "notadmin"])
        mac = hmac.new(SECRET.encode(), words, hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": name, "password": PASSWORD, "admin": False, "mac": mac}
        status, made = self.ask("POST", path, body)
        assert status == 200, made
        return User(self, made["user_id"], made["access_token"])


class User:
    """A user, who looks at what arrived."""

    def __init__(self, server: Homeserver, user_id: str, token: str) -> None:
        self.server = server
        self.id = user_id
        self.token = token

    def ask(self, method: str, path: str, body: Any = None, version: str = "v3") -> Any:
        """Asks for a path of the client API, which must succeed."""
        status, told = self.server.ask(method, f"/_matrix/client/{version}{path}", body, self.token)
        assert status == 200, (status, told)
        return told

    def make_room(self, invited: User | None = None, **more: Any) -> str:
        """Makes a room, which the invited user enters."""
        body = {"preset": "private_chat", "invite": [invited.id] if invited else [], **more}
        room: str = self.ask("POST", "/createRoom", body)["room_id"]
        if invited is not None:
            invited.ask("POST", f"/join/{quoted(room)}", {})
        return room

    def event(self, room: str, event: str) -> dict[str, Any]:
        """An event of a room, as this user sees it."""
        found: dict[str, Any] = self.ask("GET", f"/rooms/{quoted(room)}/event/{quoted(event)}")
        return found

    def messages(self, room: str) -> list[dict[str, Any]]:
        """The contents of the messages in a room, oldest first."""
        found = self.ask("GET", f"/rooms/{quoted(room)}/messages?dir=b&limit=100")["chunk"]
        return [one["content"] for one in reversed(found) if one["type"] == "m.room.message"]


def quoted(text: str) -> str:
    """Text as a segment of a path."""
    return urllib.parse.quote(text, safe="")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Homeserver]:
    """Runs Synapse in a folder of its own, from when it listens."""
    port = free_port()
    (folder / "homeserver.yaml").write_text(
        CONFIG.format(port=port, folder=folder, secret=SECRET, free=FREE)
    )
    (folder / "log.yaml").write_text(LOG.format())
    seed = base64.b64encode(bytes(range(32))).decode().rstrip("=")
    (folder / "signing.key").write_text(f"ed25519 a_test {seed}\n")
    command = [sys.executable, "-m", "synapse.app.homeserver", "-c", "homeserver.yaml"]
    with (
        subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
        (folder / "synapse.log").open("w") as log,
    ):
        try:
            assert process.stdout is not None
            for line in process.stdout:
                log.write(line)
                if f"now listening on TCP port {port}" in line:
                    break
            else:
                log.flush()
                words = (folder / "synapse.log").read_text()
                raise AssertionError(f"Synapse did not start:\n{words[-4000:]}")
            # It goes on to write what nobody reads.
            drain = threading.Thread(target=lambda: log.writelines(process.stdout or []))
            drain.start()
            try:
                yield Homeserver(port)
            finally:
                process.terminate()
                drain.join()
        finally:
            process.kill()


class Proxy(ThreadingHTTPServer):
    """Stands before Synapse, sees what goes through, and cuts where it is told to."""

    daemon_threads = True

    def __init__(self, to: Homeserver) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.to = to
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.seen: list[Seen] = []
        self.cuts = 0

    def paths(self, what: str) -> list[str]:
        """The paths that these words stand in, in the order in which they came."""
        return [seen.path for seen in self.seen if re.search(what, seen.path)]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is none of ours."""


class Seen:
    """A request, and what it was answered."""

    def __init__(self, method: str, path: str) -> None:
        self.method = method
        self.path = path
        self.came = time.monotonic()
        self.answered = self.came
        self.status = 0
        self.body = b""


class Handler(BaseHTTPRequestHandler):
    """Hands a request on."""

    server: Proxy
    protocol_version = "HTTP/1.1"
    timeout = GUARD

    def hand_on(self) -> None:
        seen = Seen(self.command, self.path)
        self.server.seen.append(seen)
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in ("connection", "content-length", "host")
        }
        to = http.client.HTTPConnection("127.0.0.1", self.server.to.port, timeout=GUARD)
        to.request(self.command, self.path, data or None, headers)
        answer = to.getresponse()
        seen.status, seen.body = answer.status, answer.read()
        seen.answered = time.monotonic()
        to.close()
        if "/send/" in self.path and answer.status == 200 and self.server.cuts > 0:
            # The message is in the room, and nobody is told so.
            self.server.cuts -= 1
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name in ("Content-Type", "Retry-After"):
            if answer.headers[name] is not None:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(seen.body)))
        self.end_headers()
        self.wfile.write(seen.body)

    do_GET = do_POST = do_PUT = hand_on

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is told of requests."""
