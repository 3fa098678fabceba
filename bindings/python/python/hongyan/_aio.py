"""The client whose calls are awaited."""

from __future__ import annotations

import asyncio
from _warnings import warn
from contextlib import suppress
from os import name
from threading import Thread
from typing import TYPE_CHECKING, Any, cast
from weakref import ReferenceType, ref

from . import _exit
from ._async_batch import AsyncBatch
from ._batch import in_flight_of, progress_bar, refuse_lookalike
from ._client import LEAVING, core_of, services, set_account, warn_of_cancelled
from ._drain import drain
from ._errors import Error, FullError
from ._load import loaded
from ._native import Core, Inbox
from ._room import Room, Waiting, submit

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterable,
        AsyncIterator,
        Iterable,
        Mapping,
        Sequence,
    )
    from types import TracebackType

    from typing_extensions import Self

    from ._native import Receipt
    from .types import (
        Attachment,
        Config,
        Format,
        Message,
        Overflow,
        Part,
        Priority,
        Time,
        To,
    )

#: How long the thread of a loop without readers waits before it looks whether it is needed.
_PUMP = 0.5
#: How long a cancelled send may take to say what had become true, in seconds.
_SETTLING = 5.0


class AsyncClient:
    """Many accounts of many chat services, for asyncio.

    The same as `Client`, awaited:

    >>> async with hongyan.AsyncClient("hongyan.toml") as client:
    ...     receipt = await client.send("ff", to={"user": "lisztli"}, text="hi")

    It works in any event loop, and in several at once.

    Cancelling a task cancels its send, and ends once the truth about it is known: the
    `asyncio.CancelledError` has the ``receipt``. `hongyan.receipt_of` finds it there, and in the
    `TimeoutError` of ``asyncio.wait_for()`` and ``asyncio.timeout()``.
    """

    def __init__(self, config: Config) -> None:
        _exit.begin()
        self._core = core_of(config)
        self._mailboxes: dict[asyncio.AbstractEventLoop, Mailbox] = {}

    async def send(
        self,
        account: str,
        *,
        to: To | Mapping[str, Any] | None = None,
        text: str | None = None,
        parts: Sequence[Part | Mapping[str, Any]] | None = None,
        title: str | None = None,
        format: Format | None = None,
        attachments: Sequence[Attachment] | None = None,
        silent: bool | None = None,
        priority: Priority | None = None,
        thread: str | None = None,
        overflow: Overflow | None = None,
        reply_to: str | None = None,
        key: str | None = None,
        extra: Mapping[str, Any] | None = None,
        deadline: float | None = None,
        not_before: Time | None = None,
        ordered: bool | None = None,
        timeout: float | None = None,
        deadline_ms: int | None = None,
        not_before_ms: int | None = None,
    ) -> Receipt:
        """Send a message, await its outcome, and return the receipt of what was sent.

        Arguments and exceptions are those of `Client.send`. Any number may be awaited at once:
        where ``max_in_flight`` are under way already, the others wait for room, those of one
        account in their order.
        """
        drain()
        if attachments is not None:
            attachments = await loaded(attachments)
        fields = (
            account,
            to,
            text,
            parts,
            reply_to,
            key,
            extra,
            deadline,
            not_before,
            ordered,
            deadline_ms,
            (not_before_ms, title, format, attachments, silent, priority, thread, overflow),
        )
        mailbox = self._mailbox()
        future = mailbox.loop.create_future()
        room = mailbox.room
        waiting: Waiting | None = None
        number: int | None = None
        if account in room:
            waiting = room.enter(future, fields, timeout)
        else:
            try:
                number = submit(mailbox.inbox, future, fields, timeout, 0.0)
            except FullError:
                waiting = room.enter(future, fields, timeout)
        try:
            receipt: Receipt = await future
        except asyncio.CancelledError as cancelled:
            if waiting is not None:
                room.leave(waiting)
                number = waiting.number
            found = None if number is None else await mailbox.give_up(number, future)
            if found is not None:
                cancelled.receipt = found  # type: ignore[attr-defined] # pyright: ignore
            raise
        if receipt.delivery != "sent":
            raise cast("Error", receipt.error)
        return receipt

    async def send_many(
        self,
        messages: Iterable[Message | Mapping[str, Any]]
        | AsyncIterable[Message | Mapping[str, Any]],
        *,
        in_flight: int | None = None,
        ordered: bool = True,
        progress: bool = False,
    ) -> AsyncIterator[Receipt]:
        """Send many messages at once, and yield a receipt for each.

        The same as `Client.send_many`; ``messages`` may be an asynchronous iterable as well, which
        never holds back a receipt, however long it takes.
        """
        limit = in_flight_of(in_flight)
        refuse_lookalike(messages)
        bar = progress_bar(messages) if progress else None
        drain()
        batch = AsyncBatch(self._mailbox(), messages, limit, ordered)
        try:
            async for receipt in batch.receipts():
                if bar is not None:
                    bar.update()
                yield receipt
        finally:
            batch.cancel()
            if bar is not None:
                bar.close()

    def set_account(self, name: str, account: Mapping[str, Any]) -> None:
        """Add an account, or replace the one of that name; see `Client.set_account`."""
        set_account(self._core, name, account)

    def remove_account(self, name: str) -> None:
        """Take an account away; what waits for it ends with `ConfigError`."""
        self._core.remove_account(name)

    async def check_account(self, name: str, timeout: float | None = None) -> None:
        """Ask the service of an account whether its credentials work; see `Client.check_account`.

        Where the task is cancelled, the question goes on in a thread of its own until it is
        answered, or until ``timeout``.
        """
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(None, self._core.check_account, name, timeout)
        finally:
            drain()

    @staticmethod
    def services() -> dict[str, Any]:
        """What this build can send, per service: recipients, parts, extra fields, limits, codes."""
        return services()

    def stats(self) -> dict[str, Any]:
        """Counters per account."""
        from json import loads

        stats: dict[str, Any] = loads(self._core.stats_json())
        return stats

    async def close(self, timeout: float | None = None) -> int:
        """Accept nothing more, wait at most ``timeout`` seconds, and cancel the rest.

        Returns how many sends were cancelled; whoever awaits them gets `CancelledError`, or
        `MaybeSentError` where a request had begun. A second call returns 0.
        """
        loop = asyncio.get_running_loop()
        cancelled = await loop.run_in_executor(None, self._core.close, timeout)
        own = self._mailboxes.get(loop)
        if own is not None:
            own.read()
        drain()
        return cancelled

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._core.forked:
            warn_of_cancelled(self._core, await self.close(LEAVING))

    def __del__(self) -> None:
        core = getattr(self, "_core", None)
        if core is not None and not core.closed and not core.forked:
            warn(f"unclosed {self!r}", ResourceWarning, 2, self)

    def __repr__(self) -> str:
        return f"<hongyan.AsyncClient{' closed' if self._core.closed else ''}>"

    def _mailbox(self) -> Mailbox:
        """What belongs to the running loop."""
        loop = asyncio.get_running_loop()
        mailbox = self._mailboxes.get(loop)
        if mailbox is None:
            for other in list(self._mailboxes):
                if other.is_closed():
                    self._mailboxes.pop(other).stop()
            mailbox = self._mailboxes[loop] = Mailbox(self._core, loop)
        return mailbox


class _Truth(asyncio.Future["Receipt | None"]):
    """The receipt of a send that is being cancelled.

    It cannot be cancelled itself: it comes at once, and whoever awaits it ends with that.
    """

    def cancel(self, msg: Any = None) -> bool:
        return True

    def set_result_once(self, receipt: Receipt | None) -> None:
        if not self.done():
            self.set_result(receipt)


class Mailbox:
    """The receipts that one event loop awaits, and how it learns that there are some."""

    def __init__(self, core: Core, loop: asyncio.AbstractEventLoop) -> None:
        self.core = core
        self.loop = loop
        self.inbox = Inbox(core)
        #: Where those wait who find the client full.
        self.room = Room(loop, self.inbox)
        # Receipts that came while their send was being cancelled.
        self._late: dict[int, Receipt] = {}
        # The loop holds it weakly: else nobody could ever let go of it.
        own: ReferenceType[Mailbox] = ref(self)
        self._fd: int | None = None
        # A loop cannot watch an event of Windows.
        if name != "nt":
            fd = self.inbox.poll_handle()
            with suppress(NotImplementedError):
                loop.add_reader(fd, _read, own)
                self._fd = fd
        if self._fd is None:
            Thread(target=_pump, args=(own,), name="hongyan", daemon=True).start()

    def read(self) -> None:
        """Hands out the receipts that wait; on the loop's own thread."""
        receipts, ended = self.inbox.drain()
        # Before those who are told look at the log.
        drain()
        for future, number, receipt in receipts:
            if not future.done():
                future.set_result(receipt)
            else:
                self._late[number] = receipt
        self.room.fill()
        if ended:
            self.stop()

    async def give_up(self, number: int, future: asyncio.Future[Receipt]) -> Receipt | None:
        """Cancels a send whose future was cancelled; its receipt, which comes soon."""
        if not future.cancelled():
            return future.result()
        truth = _Truth(loop=self.loop)
        if not self.inbox.give_up(number, truth):
            return self._late.pop(number, None)
        # Nothing is known to be this slow.
        guard = self.loop.call_later(_SETTLING, truth.set_result_once, None)
        try:
            return await truth
        finally:
            guard.cancel()

    def stop(self) -> None:
        """Takes it out of the loop."""
        self.inbox.close()
        fd, self._fd = self._fd, None
        if fd is None or self.loop.is_closed():
            return
        try:
            here = asyncio.get_running_loop() is self.loop
        except RuntimeError:
            here = False
        if here or not self.loop.is_running():
            self.loop.remove_reader(fd)
        else:
            # With the inbox, so that the descriptor is not another one's by then.
            with suppress(RuntimeError):
                self.loop.call_soon_threadsafe(_remove_reader, self.loop, fd, self.inbox)

    def __del__(self) -> None:
        if getattr(self, "_fd", None) is not None and not self.core.forked:
            self.stop()


def _remove_reader(loop: asyncio.AbstractEventLoop, fd: int, inbox: Inbox) -> None:
    loop.remove_reader(fd)
    del inbox


def _read(own: ReferenceType[Mailbox]) -> None:
    mailbox = own()
    if mailbox is not None:
        mailbox.read()


def _pump(own: ReferenceType[Mailbox]) -> None:
    """Waits for receipts on behalf of a loop that cannot watch a descriptor."""
    while True:
        mailbox = own()
        if mailbox is None or mailbox.loop.is_closed():
            return
        inbox, loop = mailbox.inbox, mailbox.loop
        del mailbox
        try:
            ended = inbox.wait(_PUMP)
        except Error:
            return
        del inbox
        if ended is None:
            continue
        # A loop that was closed awaits nothing any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_read, own)
            if ended:
                # The first hands out what is there, this one learns of the end. To go on telling
                # of that would keep the loop from doing anything else.
                loop.call_soon_threadsafe(_read, own)
                return
