"""The client whose calls wait."""

from __future__ import annotations

from _warnings import warn

from . import _exit
from ._batch import in_flight_of, is_at_hand, refuse_lookalike, sent, with_progress
from ._config import load
from ._drain import drain
from ._native import Batch, Core, Results
from ._refused import plain, plain_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Any

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

#: How long leaving a ``with`` block waits for what is under way, in seconds.
LEAVING = 10.0


class Client:
    """Many accounts of many chat services, through which messages go out.

    ``config`` is a mapping, JSON text (which begins with ``{``), or the path of a .json or .toml
    file. Anything wrong in it raises `ConfigError`, whose ``path`` says where.

    >>> with hongyan.Client("hongyan.toml") as client:
    ...     receipt = client.send("ff", to={"user": "lisztli"}, text="hi")

    Any thread may use it, and any signal handler. It opens no connection before the first message.
    Leaving the ``with`` block waits up to 10 seconds for what is under way, and warns
    (`ResourceWarning`) of what had to be cancelled; the end of a program that has no such block
    does the same for what `submit` was given, and warns (`RuntimeWarning`) of what was not sent.
    After ``os.fork()`` the child needs a client of its own: the inherited one raises `ForkedError`.
    """

    def __init__(self, config: Config) -> None:
        _exit.begin()
        self._core = core_of(config)

    def send(
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
        """Send a message, wait for its outcome, and return the receipt of what was sent.

        Parameters
        ----------
        account:
            The account to send from, by its name in the configuration.
        to:
            To whom: a mapping with ``user``, ``name``, ``group``, ``topic`` (each a str) or
            ``users``, ``groups``, ``discussions``, ``members`` (each a sequence of str). Which of
            them a service knows, `services` tells.
        text:
            The text.
        parts:
            Instead of ``text``: a list of elements; `hongyan.parts` makes them.
        title:
            A title or subject; where the service has none, the first line of the text.
        format:
            What the text is written in: ``plain`` (the default), ``markdown`` or ``html``.
        attachments:
            Files to send along: each a path, bytes, a file object, ``(name, bytes)``,
            ``(name, bytes, type)``, or a mapping as in the JSON. They are read before anything is
            sent; what cannot be read raises `MessageError`, whose ``path`` says which.
        silent:
            True: without a sound, where the service can do that.
        priority:
            ``low``, ``normal``, ``high`` or ``urgent``, where the service knows them.
        thread:
            The thread to write into, where the service has threads.
        overflow:
            What becomes of a text that is too long: ``refuse`` (the default), ``truncate`` or
            ``split``.
        reply_to:
            The id of the message that this one answers.
        key:
            An idempotency key: messages of one account with one key are one message.
        extra:
            Parameters of the service under its own names.
        deadline:
            Seconds from now after which the message is not worth sending any more.
        not_before:
            When to send it at the earliest: Unix time in seconds, a `datetime.datetime` with its
            time zone, or a str like ``2026-10-01T08:00:00+08:00``.
        ordered:
            True: after the earlier ordered messages to the same recipient.
        timeout:
            Seconds to wait at most, retries included; None waits as long as it takes (each
            attempt is bounded by ``timeout_ms`` of the configuration); 0 makes no request. Where
            ``max_in_flight`` messages are under way already, it waits for room, as long as this
            and ``deadline`` allow.
        deadline_ms, not_before_ms:
            ``deadline`` and ``not_before`` under the names, and in the milliseconds, of the JSON.

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
        drain()
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
        try:
            try:
                return self._core.send(fields, timeout)
            except TypeError as error:
                fields = plain_fields(fields, error)
            return self._core.send(fields, timeout)
        finally:
            drain()

    def preview(
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
    ) -> dict[str, Any]:
        """Show the request that a message would become; nothing is sent.

        The arguments are those of `send`. Of the dict, ``url``, ``headers`` and ``body`` have
        their secrets masked, and ``files`` has name, type and size of each file. What is wrong
        with the message is raised.
        """
        from json import loads

        drain()
        others = (None, title, format, attachments, silent, priority, thread, overflow)
        fields: tuple[Any, ...] = (account, to, text, parts, reply_to, key, extra)
        fields = (*fields, None, None, None, None, others)
        try:
            shown = self._core.preview(fields)
        except TypeError as error:
            shown = self._core.preview(plain_fields(fields, error))
        preview: dict[str, Any] = loads(shown)
        return preview

    def send_many(
        self,
        messages: Iterable[Message | Mapping[str, Any]],
        *,
        in_flight: int | None = None,
        ordered: bool = True,
        progress: bool = False,
    ) -> Iterator[Receipt]:
        """Send many messages at once, and yield a receipt for each.

        ``messages`` is any iterable of mappings, for instance ``{"account": "ff", "to": {"user":
        "lisztli"}, "text": "hi"}``; the names are those of `send`, ``deadline`` and
        ``not_before`` too. It is read lazily: never more than ``in_flight`` messages (by default
        128) are ahead of the receipts that were yielded.

        It is read on this thread: while it takes its time for a message, no receipt is yielded.
        So receipts that are there come before it is asked for the next message, and where it is
        slow, those under way are waited for first, up to a quarter of the time that it took.

        The receipts come in the order of the messages, or, with ``ordered=False``, as they
        arrive. Nothing is raised for one message: look at ``receipt.error``. If the iterable
        itself raises, or yields what is no mapping of JSON values, then all that was accepted
        before reports first. Leaving the loop early cancels what is still under way.

        ``progress=True`` shows a progress bar where tqdm is installed.
        """
        refuse_lookalike(messages)
        source = iter(messages)
        batch = Batch(self._core, in_flight_of(in_flight), ordered, is_at_hand(messages))
        receipts = sent(batch, source)
        return with_progress(receipts, messages) if progress else receipts

    def submit(
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
        deadline_ms: int | None = None,
        not_before_ms: int | None = None,
    ) -> str:
        """Submit a message and return at once, with the library's own id of it.

        The arguments are those of `send`; how long it may take, ``deadline`` says. Exactly one
        receipt with this id comes out of `results`, whatever happens. `FullError` once
        ``max_in_flight`` messages have no receipt taken yet.

        The end of the program waits up to 10 seconds for what was submitted, and warns
        (`RuntimeWarning`) of messages that were not sent and whose receipts nobody took. With an
        outbox a later run goes on, and nothing is warned of. Signals that end the process, and
        ``os._exit()``, leave no time for either.
        """
        drain()
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
        core = self._core
        _exit.given(core)
        try:
            return core.submit(fields)
        except TypeError as error:
            fields = plain_fields(fields, error)
        return core.submit(fields)

    def results(self, timeout: float | None = None) -> Iterator[Receipt]:
        """Yield the receipts of submitted messages, as they come.

        Ends when none came for ``timeout`` seconds (0: when none is there right now), and when
        the client is closed and all were taken. Several threads may take receipts: each goes to
        one of them.
        """
        return _Taken(Results(self._core, timeout))

    def set_account(self, name: str, account: Mapping[str, Any]) -> None:
        """Add an account, or replace the one of that name.

        Holds for attempts begun later; one in flight ends as it began. `hongyan.accounts` makes
        the dicts.
        """
        set_account(self._core, name, account)

    def remove_account(self, name: str) -> None:
        """Take an account away; what waits for it ends with `ConfigError`."""
        self._core.remove_account(name)

    def check_account(self, name: str, timeout: float | None = None) -> None:
        """Ask the service of an account whether its credentials work; nothing is sent.

        Returns if they do. `AuthError` where the service refuses them, with its words;
        `UnsupportedError` where it cannot be asked without sending; `ConfigError` where there is no
        such account; else what went wrong on the way, such as `NetworkError` or `SendTimeoutError`.
        """
        drain()
        try:
            self._core.check_account(name, timeout)
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

    def close(self, timeout: float | None = None) -> int:
        """Accept nothing more, wait at most ``timeout`` seconds, and cancel the rest.

        Returns how many sends were cancelled. Their receipts can still be taken by `results`. A
        second call returns 0.
        """
        cancelled = self._core.close(timeout)
        _exit.closed(self._core)
        drain()
        return cancelled

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._core.forked:
            warn_of_cancelled(self._core, self.close(LEAVING))

    def __del__(self) -> None:
        core = getattr(self, "_core", None)
        if core is not None and not core.closed and not core.forked:
            _exit.abandoned(core)
            warn(f"unclosed {self!r}", ResourceWarning, 2, self)

    def __repr__(self) -> str:
        return f"<hongyan.Client{' closed' if self._core.closed else ''}>"


class _Taken:
    """The receipts of `Client.results`."""

    def __init__(self, results: Results) -> None:
        self._next = results.__next__

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Receipt:
        drain()
        try:
            return self._next()
        finally:
            drain()


def core_of(config: Config) -> Core:
    """The core of a new client."""
    drain()
    read = load(config)
    try:
        try:
            return Core(read)
        except TypeError as error:
            read = plain(read, error)
        return Core(read)
    finally:
        drain()


def set_account(core: Core, name: str, account: Mapping[str, Any]) -> None:
    """Adds or replaces an account."""
    try:
        core.set_account(name, account)
    except TypeError as error:
        account = plain(account, error)
    else:
        return
    core.set_account(name, account)


def services() -> dict[str, Any]:
    """What this build can send, per service: recipients, parts, extra fields, limits, codes."""
    from json import loads

    from ._native import services_json

    known: dict[str, Any] = loads(services_json())
    return known


def warn_of_cancelled(core: Core, cancelled: int) -> None:
    """Warns of sends that leaving a ``with`` block had to cancel."""
    # What an outbox keeps goes on in a later run.
    if cancelled and not core.keeps:
        words = f"{cancelled} sends were still under way after {LEAVING:g} s and were cancelled"
        warn(words, ResourceWarning, 3)
