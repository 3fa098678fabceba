"""A small server that misbehaves on purpose; the first folder of the path says how."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from typing import Any

#: What it does, by the name of the account that is sent from.
WAYS = ("ok", "hang", "reset", "garbage", "refused", "limited", "gate")


class Hostile:
    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        #: The bodies of the requests that arrived, oldest first.
        self.requests: list[str] = []
        #: Set once a request arrived.
        self.arrived = threading.Event()
        #: What requests to "gate" wait for.
        self.gate = threading.Event()
        self.lock = threading.Lock()
        self.open: set[socket.socket] = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def config(self, **more: Any) -> dict[str, Any]:
        accounts = {
            way: {
                "service": "fanfou",
                "auth": {"type": "basic", "username": "u", "password": "p"},
                "base_url": f"{self.url}/{way}",
                "rate": None,
                "max_in_flight": more.get("max_in_flight", 1024),
            }
            for way in WAYS
        }
        return {"v": 1, "accounts": accounts, "retry": {"max_attempts": 1}, **more}

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.open.add(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            stream = connection.makefile("rb")
            while (line := stream.readline()) != b"":
                way = line.split()[1].split(b"/")[1].decode()
                length = 0
                while (header := stream.readline()) not in (b"\r\n", b""):
                    name, _, value = header.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                body = stream.read(length).decode()
                with self.lock:
                    self.requests.append(body)
                self.arrived.set()
                if not self.answer(connection, way):
                    return

    def answer(self, connection: socket.socket, way: str) -> bool:
        if way == "hang":
            connection.recv(1)
            return False
        if way == "reset":
            option = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
            return False
        if way == "gate":
            self.gate.wait()
        status, answer = "200 OK", json.dumps({"id": "12345678901234567890", "text": "x"})
        if way == "garbage":
            answer = "no JSON"
        elif way == "im":
            told = {
                "ActionStatus": "OK",
                "ErrorCode": 0,
                "ErrorInfo": "",
                "MsgTime": 1,
                "MsgSeq": 1,
            }
            answer = json.dumps(told)
        elif way == "refused":
            status, answer = "403 Forbidden", json.dumps({"error": "no", "request": "/"})
        elif way == "limited":
            status, answer = "429 Too Many Requests\r\nRetry-After: 7", "slow down"
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(answer)}\r\n\r\n"
        connection.sendall((head + answer).encode())
        return True

    def close(self) -> None:
        self.gate.set()
        self.listener.close()
        with self.lock:
            for connection in self.open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def message(way: str = "ok", number: int = 0) -> Any:
    """A message for an account of the hostile server."""
    return {"account": way, "to": {"user": "u"}, "text": f"message {number}"}
