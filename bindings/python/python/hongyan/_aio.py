"""The client whose calls are awaited."""

from __future__ import annotations

import asyncio
from _warnings import warn
from collections import deque
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, cast
from weakref import ReferenceType, ref

from ._client import (
    LEAVING,
    in_flight_of,
    progress_bar,
    refuse_lookalike,
    services,
    warn_of_cancelled,
)
from ._config import load
from ._errors import Error, FullError, UnavailableError
from ._native import Core, Inbox

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterable,
        AsyncIterator,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )
    from types import TracebackType

    from typing_extensions import Self

    from ._native import Receipt
    from .types import Config, Message, Part, To

#: How long the thread of a loop without readers waits before it looks whether it is needed.
_PUMP = 0.5
#: How long to wait for others to make room, where they fill the client.
_CROWDED = 0.005


class AsyncClient:
    """Many accounts of many chat services, for asyncio.

    The same as `Client`, awaited:

    >>> async with hongyan.AsyncClient("hongyan.toml") as client:
    ...     receipt = await client.send("ff", to={"user": "lisztli"}, text="hi")

    It works in any event loop, and in several at once. Cancelling a task cancels its send.
    """

    def __init__(self, config: Config) -> None:
        self._core = Core(load(config))
        self._mailboxes: dict[asyncio.AbstractEventLoop, _Mailbox] = {}
        self._known: dict[int, ReferenceType[_Mailbox]] = {}

    async def send(
        self,
        account: str,
        *,
        to: To | None = None,
        text: str | None = None,
        parts: Sequence[Part] | None = None,
        reply_to: str | None = None,
        key: str | None = None,
        extra: Mapping[str, Any] | None = None,
        deadline: float | None = None,
        timeout: float | None = None,
    ) -> Receipt:
        """Send a message, await its outcome, and return the receipt of what was sent.

        Arguments and exceptions are those of `Client.send`. `FullError` where ``max_in_flight``
        sends are under way already.
        """
        mailbox = self._mailbox()
        future = mailbox.loop.create_future()
        number = mailbox.inbox.submit(
            future, account, to, text, parts, reply_to, key, extra, deadline, timeout
        )
        try:
            receipt: Receipt = await future
        except asyncio.CancelledError:
            mailbox.inbox.cancel(number)
            raise
        if receipt.delivery != "sent":
            raise cast("Error", receipt.error)
        return receipt

    async def send_many(
        self,
        messages: Iterable[Message] | AsyncIterable[Message],
        *,
        in_flight: int | None = None,
        ordered: bool = True,
        progress: bool = False,
    ) -> AsyncIterator[Receipt]:
        """Send many messages at once, and yield a receipt for each.

        The same as `Client.send_many`; ``messages`` may be an asynchronous iterable as well.
        """
        limit = in_flight_of(in_flight)
        refuse_lookalike(messages)
        bar = progress_bar(messages) if progress else None
        batch = _Batch(self._mailbox(), messages, limit, ordered)
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
        self._core.set_account(name, account)

    def remove_account(self, name: str) -> None:
        """Take an account away; what waits for it ends with `ConfigError`."""
        self._core.remove_account(name)

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
            warn_of_cancelled(await self.close(LEAVING))

    def __del__(self) -> None:
        core = getattr(self, "_core", None)
        if core is not None and not core.closed and not core.forked:
            warn(f"unclosed {self!r}", ResourceWarning, 2, self)

    def __repr__(self) -> str:
        return f"<hongyan.AsyncClient{' closed' if self._core.closed else ''}>"

    def _mailbox(self) -> _Mailbox:
        """What belongs to the running loop."""
        loop = asyncio.get_running_loop()
        mailbox = self._mailboxes.get(loop)
        if mailbox is None:
            for other in list(self._mailboxes):
                if other.is_closed():
                    self._mailboxes.pop(other).stop()
            mailbox = self._mailboxes[loop] = _Mailbox(self._core, loop, self._known)
        return mailbox


class _Mailbox:
    """The receipts that one event loop awaits, and how it learns that there are some."""

    def __init__(
        self,
        core: Core,
        loop: asyncio.AbstractEventLoop,
        known: dict[int, ReferenceType[_Mailbox]],
    ) -> None:
        self.core = core
        self.loop = loop
        self.known = known
        self.inbox = Inbox(core)
        # Whoever may call it holds it weakly: else nobody could ever let go of it.
        own = known[self.inbox.mailbox] = ref(self)
        self._fd: int | None = None
        try:
            fd = core.poll_handle()
            loop.add_reader(fd, _read, own)
            self._fd = fd
        except (NotImplementedError, UnavailableError):
            Thread(target=_pump, args=(own,), name="hongyan", daemon=True).start()

    def read(self) -> None:
        """Hands out the receipts that wait; on the loop's own thread."""
        receipts, others, ended = self.inbox.drain()
        for future, receipt in receipts:
            if not future.done():
                future.set_result(receipt)
        if others:
            _wake(self.known, others)
        if ended:
            self.stop()

    def stop(self) -> None:
        """Takes it out of the loop."""
        self.inbox.close()
        self.known.pop(self.inbox.mailbox, None)
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
            # With the core, so that the descriptor is not another one's by then.
            with suppress(RuntimeError):
                self.loop.call_soon_threadsafe(_remove_reader, self.loop, fd, self.core)

    def __del__(self) -> None:
        if getattr(self, "_fd", None) is not None and not self.core.forked:
            self.stop()


def _remove_reader(loop: asyncio.AbstractEventLoop, fd: int, core: Core) -> None:
    loop.remove_reader(fd)
    del core


def _read(own: ReferenceType[_Mailbox]) -> None:
    mailbox = own()
    if mailbox is not None:
        mailbox.read()


def _wake(known: dict[int, ReferenceType[_Mailbox]], mailboxes: list[int]) -> None:
    """Tells other loops that there is something in their mailboxes."""
    for number in mailboxes:
        own = known.get(number)
        mailbox = None if own is None else own()
        if own is not None and mailbox is not None:
            # A loop that was closed awaits nothing any more.
            with suppress(RuntimeError):
                mailbox.loop.call_soon_threadsafe(_read, own)


def _pump(own: ReferenceType[_Mailbox]) -> None:
    """Waits for receipts on behalf of a loop that cannot watch a descriptor."""
    while True:
        mailbox = own()
        if mailbox is None or mailbox.loop.is_closed():
            return
        core, known = mailbox.core, mailbox.known
        del mailbox
        try:
            mailboxes, ended = core.pump(_PUMP)
        except Error:
            return
        del core
        _wake(known, mailboxes)
        if ended:
            return


class _Batch:
    """The messages of one send_many()."""

    def __init__(
        self,
        mailbox: _Mailbox,
        messages: Iterable[Message] | AsyncIterable[Message],
        limit: int,
        ordered: bool,
    ) -> None:
        self._mailbox = mailbox
        self._limit = limit
        self._source: Iterator[Message] | None = None
        self._async_source: AsyncIterator[Message] | None = None
        if hasattr(messages, "__aiter__"):
            self._async_source = cast("AsyncIterable[Message]", messages).__aiter__()
        else:
            self._source = iter(cast("Iterable[Message]", messages))
        self._asked: asyncio.Future[Message] | None = None
        self._taken = 0
        self._held: tuple[Message, str] | None = None
        self._raised: BaseException | None = None
        #: What was submitted and not yet yielded, with its number; oldest first.
        self._under_way: dict[asyncio.Future[Receipt], int] = {}
        self._done: deque[asyncio.Future[Receipt]] | None = None if ordered else deque()
        self._news = asyncio.Event()

    async def receipts(self) -> AsyncIterator[Receipt]:
        while True:
            self._fill()
            done = self._take()
            if done is not None:
                yield done.result()
            elif self._under_way or self._asked is not None:
                self._news.clear()
                await self._news.wait()
            elif self._held is not None:
                # Others fill the client, and have to make room.
                await asyncio.sleep(_CROWDED)
            elif self._raised is not None:
                raise self._raised
            else:
                return

    def cancel(self) -> None:
        """Cancels what is still under way."""
        for number in self._under_way.values():
            self._mailbox.inbox.cancel(number)
        self._under_way.clear()
        if self._asked is not None:
            self._asked.cancel()

    def _take(self) -> asyncio.Future[Receipt] | None:
        if self._done is not None:
            done = self._done.popleft() if self._done else None
        else:
            oldest = next(iter(self._under_way), None)
            done = oldest if oldest is not None and oldest.done() else None
        if done is not None:
            del self._under_way[done]
        return done

    def _fill(self) -> None:
        if self._held is not None:
            message, name = self._held
            self._held = None
            self._submit(message, name)
        while self._held is None and len(self._under_way) < self._limit:
            if self._source is not None:
                try:
                    message = next(self._source)
                except StopIteration:
                    self._source = None
                    return
                except BaseException as error:
                    self._stop(error)
                    return
            elif self._async_source is not None:
                if self._asked is None:
                    self._asked = asyncio.ensure_future(self._async_source.__anext__())
                    self._asked.add_done_callback(self._tell)
                if not self._asked.done():
                    return
                asked, self._asked = self._asked, None
                try:
                    message = asked.result()
                except StopAsyncIteration:
                    self._async_source = None
                    return
                except BaseException as error:
                    self._stop(error)
                    return
            else:
                return
            name = f"messages[{self._taken}]"
            self._taken += 1
            self._submit(message, name)

    def _submit(self, message: Message, name: str) -> None:
        future = self._mailbox.loop.create_future()
        try:
            number = self._mailbox.inbox.submit_message(future, message, name)
        except FullError:
            self._held = (message, name)
        except (Error, TypeError, ValueError) as error:
            self._stop(error)
        else:
            self._under_way[future] = number
            future.add_done_callback(self._tell)

    def _stop(self, error: BaseException) -> None:
        """The end of the source; what it raised comes after all receipts."""
        self._source = self._async_source = None
        self._raised = error

    def _tell(self, future: asyncio.Future[Any]) -> None:
        if self._done is not None and future in self._under_way:
            self._done.append(future)
        self._news.set()
