"""Apprise at KOOK."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sandbox import Sandbox

SERVICE = "kook"
CHANNEL = "7480000000000001"
USER = "2418200001"


def token(sandbox: Sandbox) -> str:
    """The bot's token, as it stands in a URL of Apprise."""
    return sandbox.accounts["kook"]["auth"]["token"].replace("/", "%2F").replace("=", "%3D")


def test_markdown_and_a_text_arrive(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    url = f"kook://{token(sandbox)}/{CHANNEL}/@{USER}"
    assert notify(url, "**鸿雁**", body_format="markdown")
    assert [one["recipient"] for one in sandbox.messages] == [CHANNEL, USER]
    assert (sandbox.last["text"], sandbox.last["format"]) == ("**鸿雁**", "markdown")
    assert notify(f"{url}?format=text", "as *it* is", body_format="text")
    assert sandbox.last["text"] == "as *it* is"
    assert "format" not in sandbox.last


def test_a_file_is_uploaded_and_follows(
    sandbox: Sandbox, notify: Callable[..., bool], png: bytes, tmp_path: Path
) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(png)
    assert notify(f"kook://{token(sandbox)}/{CHANNEL}", "look", attach=str(picture))
    assert len(sandbox.messages) == 2
    assert sandbox.last["attachments"][0]["name"] == "a.png"


def test_what_is_refused_fails(sandbox: Sandbox, notify: Callable[..., bool]) -> None:
    assert not notify(f"kook://another/{CHANNEL}", "hi")
    assert not notify(f"kook://{token(sandbox)}/7480000000000003", "hi")
    assert not notify(f"kook://{token(sandbox)}/4711", "hi")
    sandbox.fault(SERVICE, "rate_limit")
    assert not notify(f"kook://{token(sandbox)}/{CHANNEL}", "hi")
    assert sandbox.messages == []
