"""Apprise at WhatsApp's Cloud API, and requests written as the document has them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import requests

from sandbox import Sandbox

SERVICE = "whatsapp_cloud"
PHONE = "+8613800138000"
SILENT = "+447700900123"


def place(sandbox: Sandbox) -> tuple[str, str]:
    """The token and the id of the number that sends."""
    account = sandbox.accounts["whatsapp_cloud"]
    return account["auth"]["token"], account["phone_number_id"]


def ask(sandbox: Sandbox, path: str, **more: Any) -> dict[str, Any]:
    """Asks for a path of the number."""
    token, number = place(sandbox)
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{sandbox.url}/v25.0/{number}/{path}"
    answer: dict[str, Any] = requests.post(url, headers=headers, timeout=300, **more).json()
    return answer


def test_apprise_sends_a_text(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    token, number = place(sandbox)
    url = f"whatsapp://{token}@{number}/{PHONE}"
    assert notify(url, "鸿雁 carries *this*", body_format="text")
    last = sandbox.last
    assert (last["text"], last["recipient"]) == ("鸿雁 carries *this*", PHONE[1:])
    assert not notify(url.replace(token, token[:-1] + "x"), "hi")
    assert not notify(f"whatsapp://{token}@{number}/+4915100000000", "hi")
    assert not notify(f"whatsapp://{token}@{number}/{SILENT}", "hi")
    sandbox.fault(SERVICE, "rate_limit")
    assert not notify(url, "hi")
    assert len(sandbox.messages) == 1


def test_apprise_sends_a_template(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    token, number = place(sandbox)
    url = f"whatsapp://disk_full:{token}@{number}/{SILENT}?lang=zh_CN&:1=sda1&:2=full"
    assert notify(url, "is not shown")
    assert sandbox.last["text"] == "disk_full sda1 full"
    assert not notify(url.replace("disk_full", "disk_empty"), "hi")
    assert len(sandbox.messages) == 1


def test_a_file_is_uploaded_and_sent_by_its_id(sandbox: Sandbox) -> None:
    data = bytes(range(256)) * 40
    form = {"messaging_product": "whatsapp", "type": "application/pdf"}
    file = ("鸿雁.pdf", data, "application/pdf")
    media = ask(sandbox, "media", data=form, files={"file": file})
    message = {
        "messaging_product": "whatsapp",
        "to": PHONE,
        "type": "document",
        "document": {"id": media["id"], "filename": "鸿雁.pdf"},
    }
    sent = ask(sandbox, "messages", json=message)
    last = sandbox.last
    assert sent["messages"][0]["id"] == last["id"]
    attached = last["attachments"][0]
    assert (attached["name"], attached["sha256"]) == (
        "鸿雁.pdf",
        hashlib.sha256(data).hexdigest(),
    )
