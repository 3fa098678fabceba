"""Sends messages through many chat services and tells the truth about each of them.

>>> import hongyan
>>> with hongyan.Client("hongyan.toml") as client:
...     receipt = client.send("ff", to={"user": "lisztli"}, text="hi")
...     print(receipt.delivery, receipt.message_id)

`Client` waits, `AsyncClient` is awaited. `hongyan.accounts` and `hongyan.parts` make the dicts
that go into a configuration and a message; ``python -m hongyan`` is the command line, which has a
sandbox that plays every service.
"""

from __future__ import annotations

from ._client import Client, services
from ._errors import (
    ArgumentError,
    AuthError,
    CancelledError,
    ClosedError,
    ConfigError,
    DroppedError,
    DuplicateError,
    Error,
    ExpiredError,
    ForbiddenError,
    ForkedError,
    FullError,
    InternalError,
    LockedError,
    MaybeSentError,
    MessageError,
    NetworkError,
    NotFoundError,
    PanicError,
    PartlySentError,
    ProtocolError,
    QuotaError,
    RateLimitedError,
    ReentrantError,
    RejectedError,
    SendTimeoutError,
    ServiceError,
    StorageError,
    TlsError,
    TooLargeError,
    UnavailableError,
    UnsupportedError,
    receipt_of,
)
from ._native import Receipt, __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import accounts, parts, types
    from ._aio import AsyncClient

__all__ = [
    "ArgumentError",
    "AsyncClient",
    "AuthError",
    "CancelledError",
    "Client",
    "ClosedError",
    "ConfigError",
    "DroppedError",
    "DuplicateError",
    "Error",
    "ExpiredError",
    "ForbiddenError",
    "ForkedError",
    "FullError",
    "InternalError",
    "LockedError",
    "MaybeSentError",
    "MessageError",
    "NetworkError",
    "NotFoundError",
    "PanicError",
    "PartlySentError",
    "ProtocolError",
    "QuotaError",
    "RateLimitedError",
    "Receipt",
    "ReentrantError",
    "RejectedError",
    "SendTimeoutError",
    "ServiceError",
    "StorageError",
    "TlsError",
    "TooLargeError",
    "UnavailableError",
    "UnsupportedError",
    "__version__",
    "accounts",
    "parts",
    "receipt_of",
    "services",
    "types",
]


def __getattr__(name: str) -> object:
    """Imports what costs time when it is first used: asyncio, above all."""
    if name == "AsyncClient":
        from ._aio import AsyncClient

        globals()[name] = AsyncClient
        return AsyncClient
    if name in ("accounts", "parts", "types"):
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
