"""The client whose calls wait."""

from __future__ import annotations

from _warnings import warn

from ._config import load
from ._native import Batch, Core, Results

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

    from ._native import Receipt
    from .types import Config, Message, Part, To

#: How many messages of send_many() are under way at once, if nobody says otherwise.
IN_FLIGHT = 128
#: How long leaving a ``with`` block waits for what is under way, in seconds.
LEAVING = 10.0


class Client:
    """Many accounts of many chat services, through which messages go out.

    ``config`` is a dict, JSON text (which begins with ``{``), or the path of a .json or .toml
    file. Anything wrong in it raises `ConfigError`, whose ``path`` says where.

    >>> with hongyan.Client("hongyan.toml") as client:
    ...     receipt = client.send("ff", to={"user": "lisztli"}, text="hi")

    Any thread may use it. It opens no connection before the first message. Leaving the ``with``
    block waits up to 10 seconds for what is under way, and warns (`ResourceWarning`) of what had
    to be cancelled. After ``os.fork()`` the child needs a client of its own: the inherited one
    raises `ForkedError`.
    """

    def __init__(self, config: Config) -> None:
        self._core = Core(load(config))

    def send(
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
        """Send a message, wait for its outcome, and return the receipt of what was sent.

        Parameters
        ----------
        account:
            The account to send from, by its name in the configuration.
        to:
            To whom: a dict of ``user``, ``name``, ``group``, ``topic`` (each a str) or ``users``,
            ``groups``, ``discussions``, ``members`` (each a list of str). Which of them a service
            knows, `services` tells.
        text:
            The text.
        parts:
            Instead of ``text``: a list of elements; `hongyan.parts` makes them.
        reply_to:
            The id of the message that this one answers.
        key:
            An idempotency key: messages of one account with one key are one message.
        extra:
            Parameters of the service under its own names.
        deadline:
            Seconds from now after which the message is not worth sending any more.
        timeout:
            Seconds to wait at most, retries included; None waits as long as it takes (each
            attempt is bounded by ``timeout_ms`` of the configuration); 0 makes no request.

        Raises
        ------
        MaybeSentError
            Nobody can know whether the message arrived. Sending it again may make two of it.
        Error
            Any other subclass: the message was not sent, and sending it again cannot make two of
            it. ``retryable`` and ``retry_after`` tell whether and when a later try may work.
        TypeError
            An argument has the wrong type.

        The exception has the receipt too, as ``receipt``. Ctrl-C cancels the send; the
        `KeyboardInterrupt` then has the ``receipt`` that says what had become true.
        """
        return self._core.send(account, to, text, parts, reply_to, key, extra, deadline, timeout)

    def send_many(
        self,
        messages: Iterable[Message],
        *,
        in_flight: int | None = None,
        ordered: bool = True,
        progress: bool = False,
    ) -> Iterator[Receipt]:
        """Send many messages at once, and yield a receipt for each.

        ``messages`` is any iterable of dicts, for instance ``{"account": "ff", "to": {"user":
        "lisztli"}, "text": "hi"}``. It is read lazily: never more than ``in_flight`` messages
        (by default 128) are ahead of the receipts that were yielded.

        The receipts come in the order of the messages, or, with ``ordered=False``, as they
        arrive. Nothing is raised for one message: look at ``receipt.error``. If the iterable
        itself raises, or yields what is no dict of JSON values, then all that was accepted before
        reports first. Leaving the loop early cancels what is still under way.

        ``progress=True`` shows a progress bar where tqdm is installed.
        """
        refuse_lookalike(messages)
        source = iter(messages)
        batch = Batch(self._core, in_flight_of(in_flight), ordered)
        receipts = _sent(batch, source)
        return with_progress(receipts, messages) if progress else receipts

    def submit(
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
    ) -> str:
        """Submit a message and return at once, with the library's own id of it.

        The arguments are those of `send`; how long it may take, ``deadline`` says. Exactly one
        receipt with this id comes out of `results`, whatever happens. `FullError` once
        ``max_in_flight`` messages have no receipt taken yet.
        """
        return self._core.submit(account, to, text, parts, reply_to, key, extra, deadline)

    def results(self, timeout: float | None = None) -> Iterator[Receipt]:
        """Yield the receipts of submitted messages, as they come.

        Ends when none came for ``timeout`` seconds (0: when none is there right now), and when
        the client is closed and all were taken. Several threads may take receipts: each goes to
        one of them.
        """
        return Results(self._core, timeout)

    def set_account(self, name: str, account: Mapping[str, Any]) -> None:
        """Add an account, or replace the one of that name.

        Holds for attempts begun later; one in flight ends as it began. `hongyan.accounts` makes
        the dicts.
        """
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

    def close(self, timeout: float | None = None) -> int:
        """Accept nothing more, wait at most ``timeout`` seconds, and cancel the rest.

        Returns how many sends were cancelled. Their receipts can still be taken by `results`. A
        second call returns 0.
        """
        return self._core.close(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._core.forked:
            warn_of_cancelled(self._core.close(LEAVING))

    def __del__(self) -> None:
        core = getattr(self, "_core", None)
        if core is not None and not core.closed and not core.forked:
            warn(f"unclosed {self!r}", ResourceWarning, 2, self)

    def __repr__(self) -> str:
        return f"<hongyan.Client{' closed' if self._core.closed else ''}>"


def refuse_lookalike(messages: object) -> None:
    """Refuses what is iterable, but surely does not hold messages."""
    if isinstance(messages, (str, bytes, dict)):
        found = type(messages).__qualname__
        raise TypeError(f"messages must be an iterable of dicts, not {found}")


def _sent(batch: Batch, source: Iterator[Message]) -> Iterator[Receipt]:
    """The receipts of a batch that is filled from a source."""
    add, take = batch.add, batch.take
    more = True
    raised: BaseException | None = None
    try:
        while True:
            if more:
                try:
                    for message in source:
                        if not add(message):
                            break
                    else:
                        more = False
                except BaseException as error:
                    # It comes after the receipts of all that was accepted before.
                    more, raised = False, error
            receipts = take()
            if not receipts and not more:
                break
            yield from receipts
        if raised is not None:
            raise raised
    finally:
        batch.close()
        # Its traceback holds this frame.
        raised = None


def services() -> dict[str, Any]:
    """What this build can send, per service: recipients, parts, extra fields, limits, codes."""
    from json import loads

    from ._native import services_json

    known: dict[str, Any] = loads(services_json())
    return known


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


def warn_of_cancelled(cancelled: int) -> None:
    """Warns of sends that leaving a ``with`` block had to cancel."""
    if cancelled:
        words = f"{cancelled} sends were still under way after {LEAVING:g} s and were cancelled"
        warn(words, ResourceWarning, 3)
