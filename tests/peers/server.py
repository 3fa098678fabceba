"""A server that answers each request with the bytes of a case, for any host, by TLS or without.

A case of mail it answers over SMTP, which begins with TLS.
"""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import ssl
import threading
import urllib.parse
from pathlib import Path
from typing import Any

import corpus
import mail
import trustme
from corpus import Answer

# Where the redirect of the corpus leads, and what stands there: the portal of a network.
PORTAL = "login.example"
PORTAL_PAGE = corpus.answer((corpus.CORPUS / corpus.TEMPLATES / "html-200.http").read_bytes())
# No client waits within a request, so this only bounds threads that nobody needs any more.
IDLE_SECONDS = 300


@dataclasses.dataclass(frozen=True)
class Request:
    """What a client asked for."""

    method: str
    host: str
    target: str
    body: bytes


class Server:
    """Listens on a port of 127.0.0.1; a client that trusts `authority` may call it by any name."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.authority = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.authority))
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        self._answer = corpus.answer(b"")
        self._prepares: dict[str, str] = {}
        self._script: dict[str, str] | None = None
        self._asked: list[Request] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._context = self._context_of("localhost")
        self._context.sni_callback = self._choose
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listens no more."""
        # Closing it alone would leave `accept` waiting.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def give(
        self,
        answer: Answer,
        prepares: dict[str, str] | None = None,
        script: dict[str, str] | None = None,
    ) -> None:
        """Answers so from now on, mail by the script, and forgets what was asked."""
        with self._lock:
            self._answer, self._prepares, self._asked = answer, prepares or {}, []
            self._script = script

    @property
    def asked(self) -> list[Request]:
        """The requests since the last `give`, without preparing ones, or a mail's steps."""
        with self._lock:
            return list(self._asked)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(IDLE_SECONDS)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            # A handshake of TLS begins with this byte, and no method of HTTP does.
            if connection.recv(1, socket.MSG_PEEK) == b"\x16":
                connection = self._context.wrap_socket(connection, server_side=True)
                stack.callback(connection.close)
            reader = stack.enter_context(connection.makefile("rb"))
            with self._lock:
                script = self._script
            if script is not None:
                for step in mail.serve(reader, connection.sendall, script):
                    with self._lock:
                        self._asked.append(Request("SMTP", "", step, b""))
                return
            while (request := _request(reader)) is not None:
                answer = self._chosen(request)
                connection.sendall(answer.data)
                if answer.closes:
                    _end(connection)
                    return

    def _chosen(self, request: Request) -> Answer:
        with self._lock:
            path = urllib.parse.unquote(request.target.partition("?")[0])
            prepared = self._prepares.get(path)
            if prepared is not None:
                head = "HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: auto\n\n"
                return corpus.answer((head + prepared).encode())
            self._asked.append(request)
            return PORTAL_PAGE if request.host == PORTAL else self._answer

    def _choose(self, connection: Any, name: str | None, _: ssl.SSLContext) -> None:
        connection.context = self._context_of(name or "localhost")

    def _context_of(self, name: str) -> ssl.SSLContext:
        with self._lock:
            if name not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._authority.issue_cert(name).configure_cert(context)
                self._contexts[name] = context
            return self._contexts[name]


def _request(reader: Any) -> Request | None:
    """Reads a request to its end; None where the client has no more."""
    line = reader.readline()
    if not line.strip():
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    fields = {}
    while (field := reader.readline().strip()) != b"":
        name, _, value = field.decode("latin-1").partition(":")
        fields[name.lower()] = value.strip()
    if "chunked" in fields.get("transfer-encoding", "").lower():
        body = b""
        while size := int(reader.readline().split(b";")[0], 16):
            body += reader.read(size)
            reader.readline()
        reader.readline()
    else:
        body = reader.read(int(fields.get("content-length", 0)))
    host = fields.get("host", "").rpartition("@")[2].split(":")[0]
    return Request(method, host, target, body)


def _end(connection: socket.socket) -> None:
    """Ends a connection in order, TLS's goodbye said: only HTTP tells that something is missing."""
    if isinstance(connection, ssl.SSLSocket):
        connection.setblocking(False)
        # The goodbye is out when it begins to wait for the other's.
        with contextlib.suppress(OSError):
            connection.unwrap()
