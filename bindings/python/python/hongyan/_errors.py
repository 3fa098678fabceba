"""The exceptions: one class a code."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._native import Receipt
    from .types import Delivery


# The native module makes these without a call of ``__init__``: it sets the attributes itself.
class Error(Exception):
    """What went wrong: with a call, or with the delivery of a message.

    ``str()`` of it says it in words. Two things matter to a program:

    * ``delivery``: ``"not_sent"`` (sending it again cannot make two of it), ``"maybe_sent"``
      (nobody can know; such an error is always a `MaybeSentError`) or ``"partly_sent"`` (some
      recipients or parts have arrived, the others surely have not: a `PartlySentError`);
    * ``retryable``: True only if nothing was sent and a later try may work, after
      ``retry_after`` seconds where that is known.
    """

    code: int = 0
    """The number of the code, the same in every language."""
    name: str = "error"
    """The name of the code, for instance ``"rate_limited"``."""
    delivery: Delivery
    """``"not_sent"``, ``"maybe_sent"`` or ``"partly_sent"``."""
    retryable: bool
    """True only if nothing was sent and a later try may work."""
    retry_after: float | None
    """Seconds to wait before that try, where the service or the library knows."""
    service_code: str | None
    """The service's own code, where it gave one."""
    http_status: int | None
    """The HTTP status of the service's answer, where there was one."""
    path: str | None
    """Where in the configuration or the message, for instance ``"parts[1].type"``."""
    hint: str | None
    """What to do about it, where there is advice."""
    receipt: Receipt | None
    """The receipt of the message; None where a call was refused and nothing was accepted."""

    def __init__(
        self,
        message: str = "",
        *,
        code: int | None = None,
        name: str | None = None,
        delivery: Delivery = "not_sent",
        retryable: bool = False,
        retry_after: float | None = None,
        service_code: str | None = None,
        http_status: int | None = None,
        path: str | None = None,
        hint: str | None = None,
        receipt: Receipt | None = None,
    ) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        if name is not None:
            self.name = name
        self.delivery = delivery
        self.retryable = retryable
        self.retry_after = retry_after
        self.service_code = service_code
        self.http_status = http_status
        self.path = path
        self.hint = hint
        self.receipt = receipt

    def __str__(self) -> str:
        words = str(self.args[0]) if self.args else ""
        if self.hint is not None:
            words += f"; {self.hint}"
        return words

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__.copy())


def receipt_of(error: BaseException | None) -> Receipt | None:
    """The receipt of the message that an exception is about, if it has one.

    It is in every `Error` of a message, in the `KeyboardInterrupt` of a send that Ctrl-C ended, in
    the ``CancelledError`` of a send that was cancelled, and behind the `TimeoutError` of
    ``asyncio.wait_for()`` and ``asyncio.timeout()``.
    """
    from ._native import Receipt

    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        found = getattr(one, "receipt", None)
        if isinstance(found, Receipt):
            return found
        waiting += [one.__context__, one.__cause__]
    return None


class MaybeSentError(Error):
    """Nobody can know whether the message arrived; sending it again may make two of it.

    ``name`` and ``code`` tell the cause, for instance ``"timeout"``.
    """

    name = "maybe_sent"

    def __str__(self) -> str:
        return f"the message may have been sent: {self.name}: {super().__str__()}"


class PartlySentError(Error):
    """Some recipients, or parts of the text, have arrived, and the others surely have not.

    ``receipt.recipients`` and ``receipt.pieces`` tell which; sending it again to the others cannot
    make two of it. ``name`` and ``code`` tell the cause of the first that failed.
    """

    name = "partly_sent"

    def __str__(self) -> str:
        return f"the message was partly sent: {self.name}: {super().__str__()}"


class InternalError(Error):
    """A bug in the library."""

    code = 1
    name = "internal"


class PanicError(Error):
    """A panic inside the library was caught; a bug as well."""

    code = 2
    name = "panic"


class ArgumentError(Error):
    """This is no message: not JSON, nested deeper than 64, or larger than 1 MiB."""

    code = 3
    name = "argument"


class ConfigError(Error, ValueError):
    """The configuration is wrong, or lacks what a message needs; ``path`` says where."""

    code = 4
    name = "config"


class ClosedError(Error):
    """The client is closed."""

    code = 5
    name = "closed"


class ForkedError(Error):
    """The client was made before ``fork``; make one of your own in this process."""

    code = 6
    name = "forked"


class FullError(Error):
    """``max_in_flight`` is reached: take receipts, or raise it."""

    code = 7
    name = "full"


class CancelledError(Error):
    """The send was cancelled."""

    code = 8
    name = "cancelled"


class ReentrantError(Error):
    """Called from inside the library's own log function."""

    code = 9
    name = "reentrant"


class MessageError(Error):
    """The message itself is wrong; ``path`` says where. It never reached the network."""

    code = 10
    name = "message"


class UnsupportedError(Error):
    """This service cannot carry that recipient or part. It never reached the network."""

    code = 11
    name = "unsupported"


class ExpiredError(Error):
    """The deadline passed before anything was sent."""

    code = 12
    name = "expired"


class StorageError(Error):
    """The outbox: disk, corruption or schema."""

    code = 13
    name = "storage"


class LockedError(Error):
    """An older version has the outbox's file open, or others open it for too long."""

    code = 14
    name = "locked"


class UnavailableError(Error):
    """The feature is not in this build."""

    code = 15
    name = "unavailable"


class SendTimeoutError(Error, TimeoutError):
    """The time ran out."""

    code = 100
    name = "timeout"


class NetworkError(Error):
    """Name, connection or proxy; or the connection was lost on the way."""

    code = 101
    name = "network"


class TlsError(Error):
    """The secure connection could not be made."""

    code = 102
    name = "tls"


class ProtocolError(Error):
    """An answer that cannot be understood."""

    code = 103
    name = "protocol"


class AuthError(Error):
    """The service refused the credentials."""

    code = 200
    name = "auth"


class ForbiddenError(Error):
    """The sender or the app may not do this."""

    code = 201
    name = "forbidden"


class NotFoundError(Error):
    """There is no such recipient."""

    code = 202
    name = "not_found"


class RateLimitedError(Error):
    """Too fast."""

    code = 203
    name = "rate_limited"


class TooLargeError(Error):
    """The content is too long."""

    code = 204
    name = "too_large"


class RejectedError(Error):
    """The content or the request was refused."""

    code = 205
    name = "rejected"


class ServiceError(Error):
    """The service's own fault."""

    code = 206
    name = "service"


class DuplicateError(Error):
    """The service says that this was already sent."""

    code = 207
    name = "duplicate"


class DroppedError(Error):
    """The service says OK but threw the message away."""

    code = 208
    name = "dropped"


class QuotaError(Error):
    """The allowance of the day or of the plan is used up."""

    code = 209
    name = "quota"


def _rebuild(cls: type[Error], args: tuple[Any, ...], state: dict[str, Any]) -> Error:
    """Makes an exception out of its pickle."""
    error = cls(*args)
    error.__dict__.update(state)
    return error
