"""The cases of tests/corpus, as tests/corpus/case.rs reads them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
TEMPLATES = "templates"


@dataclasses.dataclass(frozen=True)
class Answer:
    """An answer as it goes over the wire."""

    data: bytes
    body: bytes
    # None if the head is cut, or there is nothing at all.
    status: int | None
    # The connection ends after it: it says so, or it is not whole.
    closes: bool


@dataclasses.dataclass(frozen=True)
class Case:
    """What a service answers, and what became of the message."""

    name: str
    # Where its bytes stand, below tests/corpus.
    file: str
    # sent, not_sent, maybe_sent or partly_sent.
    delivery: str
    # True if that was concluded, and neither read in a document or code nor seen.
    inferred: bool
    answer: Answer
    account: dict[str, Any]
    message: dict[str, Any]
    # True if it answers another message or account than is usual for the service.
    particular: bool
    # What the steps before the one that sends are answered, by the path that they ask for.
    prepares: dict[str, str]
    # What a mail server says, by the step that it says it to; the rest goes as usual.
    script: dict[str, str] | None


def services() -> list[str]:
    """The services that have cases."""
    return sorted(path.parent.name for path in CORPUS.glob("*/default.json"))


def cases(service: str, success: bytes | None = None) -> list[Case]:
    """The cases of a service by name.

    Its success is that of `success.body`, or a word: that ends where it ends, since the end of a
    line means nothing after JSON, and may after a word.
    """
    default = _read(CORPUS / service / "default.json")
    filling = success or (CORPUS / service / "success.body").read_bytes()
    mail = default.get("mail", False)
    kind = "smtp" if mail else "http"
    own = _names(service, kind)
    shared = [
        name
        for name in ([] if mail else _names(TEMPLATES))
        if name not in own and name not in default.get("without", [])
    ]
    found = []
    for folder, name in [(service, name) for name in own] + [(TEMPLATES, name) for name in shared]:
        case = _read(CORPUS / folder / f"{name}.json")
        data = (CORPUS / folder / f"{name}.{kind}").read_bytes()
        if folder == TEMPLATES:
            if success is not None and data.endswith(b"{{success}}\n"):
                data = data[:-1]
            data = filled(data, filling)
        found.append(
            Case(
                name=name,
                file=f"{folder}/{name}.{kind}",
                delivery=case["expect"]["delivery"],
                inferred=case["source"] == "inferred",
                answer=Answer(data, b"", None, True) if mail else answer(data),
                account={**default["account"], **case.get("account", {})},
                message={**default["message"], **case.get("message", {})},
                particular="account" in case or "message" in case,
                prepares=default.get("prepares", {}),
                script=_script(data) if mail else None,
            )
        )
    return sorted(found, key=lambda case: case.name)


def filled(template: bytes, success: bytes) -> bytes:
    """A template with the success of a service in it: the whole, its halves, and their lengths."""
    text = success.decode()
    head, tail = text[: len(text) // 2].encode(), text[len(text) // 2 :].encode()
    parts = {
        b"{{success}}": success,
        b"{{head}}": head,
        b"{{tail}}": tail,
        b"{{size}}": b"%d" % len(success),
        b"{{size+1}}": b"%d" % (len(success) + 1),
        b"{{hex}}": b"%x" % len(success),
        b"{{head.hex}}": b"%x" % len(head),
        b"{{tail.hex}}": b"%x" % len(tail),
    }
    whole, rest = b"", template
    while rest:
        name = next((name for name in parts if rest.startswith(name)), None)
        whole += rest[:1] if name is None else parts[name]
        rest = rest[1 if name is None else len(name) :]
    return whole


def answer(http: bytes) -> Answer:
    """Reads a file: `content-length: auto` is the length of the body, whose bytes are kept."""
    head: list[bytes] = []
    rest, whole = http, False
    while not whole and b"\n" in rest:
        line, _, rest = rest.partition(b"\n")
        head.append(line.removesuffix(b"\r"))
        whole = not head[-1]
    if not whole:
        return Answer(b"".join(line + b"\r\n" for line in head) + rest, b"", None, True)
    head = [
        b"Content-Length: %d" % len(rest) if line.lower() == b"content-length: auto" else line
        for line in head
    ]
    fields = {}
    for line in head[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            fields.setdefault(name.lower(), value.strip().lower())
    words = head[0].split(b" ")
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else None
    if b"content-length" in fields:
        complete = len(rest) >= int(fields[b"content-length"])
    elif b"transfer-encoding" in fields:
        complete = rest.endswith(b"0\r\n\r\n")
    else:
        complete = status in (204, 304)
    closes = not complete or fields.get(b"connection") == b"close"
    return Answer(b"\r\n".join(head) + b"\r\n" + rest, rest, status, closes)


def _script(data: bytes) -> dict[str, str]:
    lines = (line.partition(": ") for line in data.decode().splitlines())
    return {step: reply for step, _, reply in lines}


def _names(folder: str, kind: str = "http") -> list[str]:
    return sorted(path.stem for path in (CORPUS / folder).glob(f"*.{kind}"))


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())
