"""Where the sends of one event loop wait that find the client full."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from ._errors import ExpiredError, FullError, SendTimeoutError
from ._refused import plain_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._native import Inbox, Receipt

#: How long to wait for others to make room: those of other loops and threads do not tell.
_CROWDED = 0.01
#: A limit that is none, in seconds.
_FOREVER = 1e9


class Waiting:
    """A send that waits for room."""

    __slots__ = ("began", "fields", "future", "guard", "number", "timeout")

    def __init__(
        self,
        future: asyncio.Future[Receipt],
        fields: tuple[Any, ...],
        timeout: float | None,
        began: float,
    ) -> None:
        self.future = future
        self.fields = fields
        self.timeout = timeout
        self.began = began
        self.guard: asyncio.TimerHandle | None = None
        #: Its number, once it was submitted.
        self.number: int | None = None


class Room:
    """Sends in line; those of each account keep their order."""

    def __init__(self, loop: asyncio.AbstractEventLoop, inbox: Inbox) -> None:
        self._loop = loop
        self._inbox = inbox
        self._lines: dict[str, OrderedDict[Waiting, None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __contains__(self, account: Any) -> bool:
        # What is no str is refused elsewhere, in words.
        return bool(self._lines) and isinstance(account, str) and account in self._lines

    def enter(
        self, future: asyncio.Future[Receipt], fields: tuple[Any, ...], timeout: float | None
    ) -> Waiting:
        """Puts a send in line, until there is room or its time is over."""
        waiting = Waiting(future, fields, timeout, self._loop.time())
        limit = _limit(timeout)
        error: type[SendTimeoutError | ExpiredError] = SendTimeoutError
        for deadline in (_limit(fields[7]), _limit(fields[10], 1000)):
            if deadline < limit:
                limit, error = deadline, ExpiredError
        if limit < _FOREVER:
            waiting.guard = self._loop.call_later(limit, self._give_up, waiting, error)
        self._lines.setdefault(fields[0], OrderedDict())[waiting] = None
        self._look_again()
        return waiting

    def leave(self, waiting: Waiting) -> None:
        """Takes a send out of its line."""
        if waiting.guard is not None:
            waiting.guard.cancel()
        account = waiting.fields[0]
        line = self._lines.get(account)
        if line is not None:
            line.pop(waiting, None)
            if not line:
                del self._lines[account]

    def fill(self) -> None:
        """Submits as many as there is room for."""
        for line in list(self._lines.values()):
            while line:
                if not self._submit(next(iter(line))):
                    break

    def _submit(self, waiting: Waiting) -> bool:
        """False if there is no room."""
        future, waited = waiting.future, self._loop.time() - waiting.began
        if not future.done():
            try:
                waiting.number = submit(
                    self._inbox, future, waiting.fields, waiting.timeout, waited
                )
            except FullError:
                return False
            except Exception as error:
                future.set_exception(error)
        self.leave(waiting)
        return True

    def _give_up(self, waiting: Waiting, error: type[SendTimeoutError | ExpiredError]) -> None:
        self.leave(waiting)
        if not waiting.future.done():
            words = "max_in_flight sends were under way, and there was no room for it in time"
            waiting.future.set_exception(error(words, retryable=error is SendTimeoutError))

    def _look_again(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(_CROWDED, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._lines:
            self.fill()
            self._look_again()


def _limit(value: object, scale: int = 1) -> float:
    """Seconds; what is no number is refused elsewhere, in words."""
    if isinstance(value, (int, float)) and 0 <= value / scale < _FOREVER:
        return value / scale
    return _FOREVER


def submit(
    inbox: Inbox,
    future: asyncio.Future[Receipt],
    fields: tuple[Any, ...],
    timeout: float | None,
    waited: float,
) -> int:
    """Submits a message whose receipt this future gets; its number."""
    try:
        return inbox.submit(future, fields, timeout, waited)
    except TypeError as error:
        fields = plain_fields(fields, error)
    return inbox.submit(future, fields, timeout, waited)
