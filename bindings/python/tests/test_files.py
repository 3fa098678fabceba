"""Files that go with messages."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import hongyan
from conftest import Sandbox

TO: Any = {"chat": "4711"}
PNG = b"\x89PNG\r\n\x1a\n rest"


class Buffer(bytearray):
    """Something that is no ``bytes`` itself."""


def delivered(sandbox: Sandbox) -> list[dict[str, Any]]:
    """What the sandbox was sent last, with files."""
    base: str = sandbox.config["accounts"]["telegram"]["base_url"]
    with urllib.request.urlopen(base.rsplit("/", 1)[0] + "/_/messages") as answer:
        messages: list[dict[str, Any]] = json.load(answer)
    return [message for message in messages if message.get("attachments")]


def last(sandbox: Sandbox, n: int) -> list[tuple[str, str]]:
    """Names and digests of the files of the last messages."""
    files = [file for message in delivered(sandbox)[-n:] for file in message["attachments"]]
    return [(file["name"], file["sha256"]) for file in files]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def every_form(folder: Path) -> list[tuple[Any, str, bytes]]:
    """Attachments with the names and contents that must arrive."""
    path = folder / "天地.png"
    path.write_bytes(PNG)
    long = bytes(range(256)) * 8192
    opened = io.BytesIO(b"in memory")
    opened.name = "folder/memory.txt"
    data = base64.b64encode(b"dict").decode()
    return [
        (str(path), "天地.png", PNG),
        (path, "天地.png", PNG),
        (b"plain", "file", b"plain"),
        (Buffer(b"buffer"), "file", b"buffer"),
        (memoryview(b"view"), "file", b"view"),
        (opened, "memory.txt", b"in memory"),
        (("long.bin", long), "long.bin", long),
        (("a.pdf", b"%PDF-1.7", "application/pdf"), "a.pdf", b"%PDF-1.7"),
        (("open.txt", io.BytesIO(b"open")), "open.txt", b"open"),
        ({"path": str(path), "name": "other.png"}, "other.png", PNG),
        ({"name": "d.txt", "data_base64": data}, "d.txt", b"dict"),
    ]


def test_every_form_of_a_file_arrives_as_it_is(sandbox: Sandbox, tmp_path: Path) -> None:
    with hongyan.Client(sandbox.config) as client:
        for attachment, name, content in every_form(tmp_path):
            client.send("telegram", to=TO, text="with", attachments=[attachment])
            assert last(sandbox, 1) == [(name, sha256(content))]
        with (tmp_path / "天地.png").open("rb") as file:
            client.submit("telegram", to=TO, attachments=(file,), title="t", silent=True)
            assert next(client.results()).delivery == "sent"
        assert last(sandbox, 1) == [("天地.png", sha256(PNG))]
        message = delivered(sandbox)[-1]
        assert message["silent"] is True


def test_files_keep_their_order(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "b.txt"
    path.write_bytes(b"b")
    data = base64.b64encode(b"c").decode()
    files: list[Any] = [
        ("a.txt", b"a"),
        path,
        {"name": "c.txt", "data_base64": data},
        ("d.txt", b"d"),
    ]
    with hongyan.Client(sandbox.config) as client:
        client.send("telegram", to=TO, attachments=files)
    names = [name for name, _ in last(sandbox, 4)]
    assert names[-4:] == ["a.txt", "b.txt", "c.txt", "d.txt"]


def test_send_many_takes_files(sandbox: Sandbox, tmp_path: Path) -> None:
    forms = every_form(tmp_path)
    messages: list[Any] = [
        {"account": "telegram", "to": TO, "attachments": [attachment]} for attachment, _, _ in forms
    ]
    with hongyan.Client(sandbox.config) as client:
        receipts = list(client.send_many(messages, in_flight=1))
    assert {receipt.delivery for receipt in receipts} == {"sent"}
    assert last(sandbox, len(forms)) == [(name, sha256(content)) for _, name, content in forms]


def test_what_cannot_be_read_is_told_with_its_place(sandbox: Sandbox, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with hongyan.Client(sandbox.config) as client:
        for wrong in (missing, tmp_path, "/dev/zero"):
            with pytest.raises(hongyan.MessageError) as raised:
                client.send("telegram", to=TO, attachments=[("a", b"a"), wrong])
            assert raised.value.path == "attachments[1].path"
        with pytest.raises(hongyan.UnsupportedError) as unsupported:
            client.send("fanfou-basic", to={"user": "lisztli"}, text="x", attachments=[b"a"])
        assert unsupported.value.path == "attachments[0]"
        [receipt] = client.send_many([{"account": "telegram", "to": TO, "attachments": [missing]}])
        assert isinstance(receipt.error, hongyan.MessageError)


@pytest.mark.parametrize(
    "wrong",
    [7, ["a", 7], [("a",)], [("a", "text")], [(7, b"a")], [io.StringIO("text")], "photo.png", b"x"],
)
def test_what_is_no_file_is_a_type_error(sandbox: Sandbox, wrong: Any) -> None:
    with hongyan.Client(sandbox.config) as client, pytest.raises(TypeError, match="attachment"):
        client.send("telegram", to=TO, attachments=wrong)


def test_a_size_alone_is_no_file(sandbox: Sandbox) -> None:
    forged: Any = [{"name": "a", "size": 3}]
    with hongyan.Client(sandbox.config) as client, pytest.raises(hongyan.MessageError) as raised:
        client.send("telegram", to=TO, attachments=[("b", b"b"), *forged])
    assert raised.value.path == "attachments[1].size"


def test_a_preview_shows_no_file_and_no_secret(sandbox: Sandbox) -> None:
    with hongyan.Client(sandbox.config) as client:
        shown = client.preview("telegram", to=TO, text="seen", attachments=[("a.png", PNG * 9)])
        assert shown["files"] == [{"name": "a.png", "type": "image/png", "size": 9 * len(PNG)}]
        assert "[a.png, image/png, " in shown["body"]
        assert "rest" not in shown["body"]
        token: str = sandbox.config["accounts"]["telegram"]["auth"]["token"]
        assert token.split(":")[1] not in json.dumps(shown)
        with pytest.raises(hongyan.MessageError):
            client.preview("telegram", text="to nobody")


def test_asyncio_sends_files(sandbox: Sandbox, tmp_path: Path) -> None:
    async def main() -> None:
        async with hongyan.AsyncClient(sandbox.config) as client:
            for attachment, name, content in every_form(tmp_path):
                await client.send("telegram", to=TO, attachments=[attachment])
                assert last(sandbox, 1) == [(name, sha256(content))]
            with pytest.raises(hongyan.MessageError) as raised:
                await client.send("telegram", to=TO, attachments=[tmp_path / "missing"])
            assert raised.value.path == "attachments[0].path"
            forms = every_form(tmp_path)
            messages: list[Any] = [
                {"account": "telegram", "to": TO, "attachments": [attachment]}
                for attachment, _, _ in forms
            ]
            sent = client.send_many(messages, in_flight=1)
            assert [receipt.delivery async for receipt in sent] == ["sent"] * len(forms)
            expected = [(name, sha256(content)) for _, name, content in forms]
            assert last(sandbox, len(forms)) == expected

    asyncio.run(main())


class Slow(io.BytesIO):
    """A file whose reading ends once the loop has gone on."""

    name = "slow.txt"

    def __init__(self) -> None:
        super().__init__(b"slow")
        self.reading = threading.Event()
        self.goes_on = threading.Event()

    def read(self, *args: Any) -> bytes:
        self.reading.set()
        assert self.goes_on.wait(300), "the loop stood still"
        return super().read(*args)


def test_the_loop_goes_on_while_a_file_is_read(sandbox: Sandbox) -> None:
    async def main() -> None:
        async with hongyan.AsyncClient(sandbox.config) as client:
            for many in (False, True):
                slow = Slow()
                message: Any = {"account": "telegram", "to": TO, "attachments": [slow]}

                async def send(message: Any = message, many: bool = many) -> str:
                    if not many:
                        return (await client.send(**message)).delivery
                    [receipt] = [receipt async for receipt in client.send_many([message])]
                    return receipt.delivery

                task = asyncio.ensure_future(send())
                while not slow.reading.is_set():
                    await asyncio.sleep(0)
                slow.goes_on.set()
                assert await task == "sent"

    asyncio.run(main())
