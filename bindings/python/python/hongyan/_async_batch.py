"""The messages of one awaited send_many()."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from ._batch import is_at_hand
from ._errors import Error, FullError
from ._load import loaded
from ._refused import plain

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

    from ._aio import Mailbox
    from ._native import Receipt
    from .types import Message

#: How long to wait for others to make room, where they fill the client.
_CROWDED = 0.005
#: A source that takes longer than this for one message is slow.
_SLOW = 0.001
#: How long to wait for receipts before the second message of a source of which nothing is known.
_FIRST_PATIENCE = 0.05
#: How long before that of a slow one, as a part of the time it took, and at most.
_PATIENCE, _MOST_PATIENCE = 0.25, 1.0
#: So many receipts at least are handed out before the source is asked again, if they are there.
_MANY = 32


class AsyncBatch:
    """The messages of one send_many()."""

    def __init__(
        self,
        mailbox: Mailbox,
        messages: Iterable[Message | Mapping[str, Any]]
        | AsyncIterable[Message | Mapping[str, Any]],
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
        #: A message whose files are being read; the source waits for that.
        self._loading: asyncio.Future[Message] | None = None
        self._at_hand = is_at_hand(messages)
        # True if the source took its time for its last message.
        self._slow = False
        # How long to wait for receipts before it is asked again.
        self._patience = 0.0
        # So many are handed out at most before a quick source is asked again.
        self._many = max(limit // 4, _MANY)
        self._taken = 0
        self._held: tuple[Message, str] | None = None
        self._raised: BaseException | None = None
        #: What was submitted and not yet yielded, with its number; oldest first.
        self._under_way: dict[asyncio.Future[Receipt], int] = {}
        self._done: deque[asyncio.Future[Receipt]] | None = None if ordered else deque()
        self._news = asyncio.Event()

    async def receipts(self) -> AsyncIterator[Receipt]:
        handed = 0
        while True:
            # What is there goes first: nobody knows how long the source takes.
            done = None if handed >= self._many and self._is_quick() else self._take()
            if done is not None:
                handed += 1
                yield done.result()
                continue
            handed = 0
            self._fill()
            if self._under_way or self._asked is not None or self._loading is not None:
                await self._wait()
            elif self._held is not None:
                # Others fill the client, and have to make room.
                await asyncio.sleep(_CROWDED)
            elif self._raised is not None:
                raise self._raised
            else:
                return

    def _is_quick(self) -> bool:
        """True if the source may be asked, and answers at once."""
        source = self._source if self._async_source is None else self._async_source
        return source is not None and self._has_room() and not self._slow

    def _has_room(self) -> bool:
        free = self._held is None and self._loading is None
        return free and len(self._under_way) < self._limit

    def _is_due(self) -> bool:
        if self._done is not None:
            return bool(self._done)
        oldest = next(iter(self._under_way), None)
        return oldest is not None and oldest.done()

    async def _wait(self) -> None:
        """Waits for a receipt; not long if the source could be asked instead."""
        loop = self._mailbox.loop
        until = loop.time() + self._patience
        asks = self._source is not None and self._has_room()
        while not self._is_due():
            self._news.clear()
            if not asks:
                await self._news.wait()
                return
            left = until - loop.time()
            if left <= 0:
                break
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), left)
        self._patience = max(until - loop.time(), 0.0) if self._slow else 0.0

    def cancel(self) -> None:
        """Cancels what is still under way."""
        for number in self._under_way.values():
            self._mailbox.inbox.cancel(number)
        self._under_way.clear()
        for waits in (self._asked, self._loading):
            if waits is not None:
                waits.cancel()

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
            if self._loading is not None:
                if not self._loading.done():
                    return
                read, self._loading = self._loading, None
                try:
                    message = read.result()
                except BaseException as error:
                    self._stop(error)
                    return
                self._submit(message, f"messages[{self._taken - 1}]")
                continue
            if self._source is not None:
                asked = self._mailbox.loop.time()
                try:
                    message = next(self._source)
                except StopIteration:
                    self._source = None
                    return
                except BaseException as error:
                    self._stop(error)
                    return
                if self._took(self._mailbox.loop.time() - asked):
                    self._give(message)
                    return
            elif self._async_source is not None:
                if self._asked is None:
                    self._asked = asyncio.ensure_future(self._async_source.__anext__())
                    self._asked.add_done_callback(self._tell)
                if not self._asked.done():
                    return
                answered, self._asked = self._asked, None
                try:
                    message = answered.result()
                except StopAsyncIteration:
                    self._async_source = None
                    return
                except BaseException as error:
                    self._stop(error)
                    return
            else:
                return
            self._give(message)

    def _took(self, seconds: float) -> bool:
        """Takes note of how long the source took; True if receipts come before the next."""
        self._slow = seconds > _SLOW
        if self._slow:
            self._patience = min(self._patience + seconds * _PATIENCE, _MOST_PATIENCE)
        else:
            first = self._taken == 0 and not self._at_hand
            self._patience = _FIRST_PATIENCE if first else 0.0
        return self._patience > 0

    def _give(self, message: Message) -> None:
        name = f"messages[{self._taken}]"
        self._taken += 1
        if _has_files(message):
            self._loading = asyncio.ensure_future(_loaded(message))
            self._loading.add_done_callback(self._tell)
            return
        self._submit(message, name)

    def _submit(self, message: Message, name: str) -> None:
        future = self._mailbox.loop.create_future()
        try:
            try:
                number = self._mailbox.inbox.submit_message(future, message, name)
            except TypeError as error:
                message = plain(message, error)
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


def _has_files(message: Any) -> bool:
    return isinstance(message, Mapping) and message.get("attachments") is not None


async def _loaded(message: Any) -> Any:
    """The message with its files read, without holding the loop up."""
    return {**message, "attachments": await loaded(message["attachments"])}
