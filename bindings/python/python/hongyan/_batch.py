"""What `send_many` of both clients has in common, and how the one that waits does it."""

from __future__ import annotations

from ._drain import drain
from ._refused import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from ._native import Batch, Receipt
    from .types import Message

#: How many messages of send_many() are under way at once, if nobody says otherwise.
IN_FLIGHT = 128


def refuse_lookalike(messages: object) -> None:
    """Refuses what is iterable, but surely does not hold messages."""
    if isinstance(messages, (str, bytes, bytearray)) or hasattr(messages, "keys"):
        found = type(messages).__qualname__
        raise TypeError(f"messages must be an iterable of dicts, not {found}")


def is_at_hand(messages: object) -> bool:
    """True for a collection, whose iteration waits for nothing; others may."""
    return hasattr(messages, "__len__")


def sent(batch: Batch, source: Iterator[Message | Mapping[str, Any]]) -> Iterator[Receipt]:
    """The receipts of a batch that is filled from a source."""
    add, take = batch.add, batch.take
    more = True
    raised: BaseException | None = None
    try:
        while True:
            drain()
            receipts = take(more)
            if receipts:
                drain()
                yield from receipts
            elif more:
                try:
                    for message in source:
                        try:
                            again = add(message)
                        except TypeError as error:
                            again = add(plain(message, error))
                        if not again:
                            break
                    else:
                        more = False
                except BaseException as error:
                    # It comes after the receipts of all that was accepted before.
                    more, raised = False, error
            else:
                break
        if raised is not None:
            raise raised
    finally:
        batch.close()
        # Its traceback holds this frame.
        raised = None


def in_flight_of(in_flight: object) -> int:
    """The argument ``in_flight``, judged."""
    if in_flight is None:
        return IN_FLIGHT
    if not isinstance(in_flight, int) or isinstance(in_flight, bool):
        raise TypeError(f"in_flight must be an int, not {type(in_flight).__qualname__}")
    if in_flight < 1:
        raise ValueError("in_flight must be at least 1")
    return in_flight


def progress_bar(messages: object) -> Any:
    """A progress bar where there is tqdm, else None."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    # Not every iterable knows.
    count = getattr(messages, "__len__", None)
    total = None if count is None else count()
    return tqdm(total=total, unit=" messages")


def with_progress(receipts: Iterator[Receipt], messages: object) -> Iterator[Receipt]:
    """The receipts, and a progress bar where there is tqdm."""
    bar = progress_bar(messages)
    if bar is None:
        return receipts
    return _counted(receipts, bar)


def _counted(receipts: Iterator[Receipt], bar: Any) -> Iterator[Receipt]:
    with bar:
        for receipt in receipts:
            bar.update()
            yield receipt
