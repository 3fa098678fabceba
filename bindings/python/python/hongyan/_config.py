"""Configurations: from a dict, from JSON text, from a file."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .types import Config


def load(config: Config) -> dict[str, Any] | str:
    """What the native module takes: a dict, or JSON text."""
    if isinstance(config, dict):
        return config
    if isinstance(config, str) and _is_content(config):
        # What else it may be, the core says, with line and column and without repeating it.
        return config.lstrip("\ufeff")
    if isinstance(config, (str, os.PathLike)):
        return _read(os.fspath(config))
    if hasattr(config, "keys"):
        return dict(config)
    found = type(config).__qualname__
    raise TypeError(f"config must be a dict, JSON text or a path, not {found}")


def _is_content(text: str) -> bool:
    """True for what is no path of a file but the content of one, with secrets in it."""
    return (len(text) > 4096 or any(c in text for c in "{\n\r\0")) and not _exists(text)


def _exists(path: str) -> bool:
    try:
        return os.path.exists(path)
    except (OSError, ValueError):
        return False


def _read(path: str) -> dict[str, Any] | str:
    if _is_content(path):
        raise _wrong("config", "is a path that cannot be one; give JSON as a str")
    with open(path, "rb") as file:
        content = file.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _wrong(path, "is not UTF-8") from None
    if path.endswith(".json") or (not path.endswith(".toml") and text.lstrip().startswith("{")):
        return text
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # pyright: ignore[reportMissingImports]
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The words name line and column; the line itself may hold a secret, and is not shown.
        raise _wrong(path, f"is not TOML: {error}") from None


def _wrong(path: str, words: str) -> Exception:
    from ._errors import ConfigError

    return ConfigError(f"{path}: {words}")
