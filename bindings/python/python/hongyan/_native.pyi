"""The core of hongyan; the package's own classes are made of it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from typing_extensions import Self

from ._errors import Error
from .types import Delivery, Message, Note, PieceResult, RecipientResult

__all__ = [
    "Batch",
    "Core",
    "File",
    "Inbox",
    "Receipt",
    "Results",
    "__version__",
    "_read_receipt",
    "codes",
    "has_log",
    "load_file",
    "log_level",
    "main",
    "services_json",
    "take_log",
]

__version__: str

@final
class File:
    """A file that was read."""

def load_file(path: str) -> File | None:
    """Reads a file without holding the interpreter; None where it cannot be read, which the core
    tells of once it is given the path."""

@final
class Receipt:
    """What became of one message. Immutable; comparable by its id; it outlives its client."""

    @property
    def id(self) -> str:
        """The library's own id of this message, a ULID."""
    @property
    def key(self) -> str | None:
        """The idempotency key that was given with the message."""
    @property
    def account(self) -> str:
        """The account that sent it."""
    @property
    def service(self) -> str | None:
        """The service of that account; None where there is no such account."""
    @property
    def delivery(self) -> Delivery:
        """ "sent": the service said so. "not_sent": sending it again cannot make two of it.
        "maybe_sent": nobody can know. "partly_sent": some recipients or parts have arrived."""
    @property
    def message_id(self) -> str | None:
        """The service's id of the message, exact to the last digit; None where it gives none."""
    @property
    def service_time(self) -> int | None:
        """When the service says it took the message, in Unix seconds."""
    @property
    def deduplicated(self) -> bool:
        """True if the service had this message already, so that it was sent once."""
    @property
    def attempts(self) -> int:
        """How many requests were begun."""
    @property
    def elapsed(self) -> float:
        """Seconds from accept to verdict."""
    @property
    def error(self) -> Error | None:
        """Why it is not "sent", as an exception made anew each time; None if it is."""
    @property
    def recipients(self) -> list[RecipientResult] | None:
        """What became of it for each recipient, in the order of the message; None where it named no
        list of them."""
    @property
    def pieces(self) -> list[PieceResult] | None:
        """What became of each piece of a text that was split; None of any other."""
    @property
    def notes(self) -> list[Note]:
        """What is worth knowing and no error."""
    @property
    def raw(self) -> Any:
        """The service's last answer with its secrets masked: what its JSON says, or else a str."""
    def ack(self) -> None:
        """Tells an outbox that this need never be handed out again; without one: nothing.

        Before its client is closed: a receipt that was not acknowledged comes again out of
        ``results()`` of a later client.
        """
    def to_json(self) -> str:
        """The whole result as JSON text, the same in every language."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Callable[[str], Receipt], tuple[str]]: ...

@final
class Core:
    """The client as the Python classes see it."""

    def __new__(cls, config: dict[str, Any] | str) -> Self: ...
    def send(self, fields: tuple[Any, ...], timeout: float | None) -> Receipt:
        """Sends on this thread; the receipt, or the exception that goes with it."""
    def preview(self, fields: tuple[Any, ...]) -> str:
        """The request that a message would become, as JSON; nothing is sent."""
    def submit(self, fields: tuple[Any, ...]) -> str:
        """Submits for `results()`; the library's own id of the message."""
    def settle(self, timeout: float) -> int:
        """Waits at most so many seconds until every message of `submit()` has its receipt, or, with
        an outbox, until none is at work; how many are left."""
    def refuse_submits(self) -> None:
        """Accepts nothing more by `submit()`: the program ends."""
    def pump(self, timeout: float) -> None:
        """Takes what comes for `results()` within so many seconds, so that it holds no room in the
        core."""
    def set_account(self, name: str, account: Mapping[str, Any]) -> None:
        """Adds an account, or replaces the one of that name."""
    def check_account(self, name: str, timeout: float | None) -> None:
        """Asks the service of an account whether its credentials work, with Ctrl-C."""
    def remove_account(self, name: str) -> None:
        """Takes an account away."""
    def stats_json(self) -> str:
        """Counters per account, as JSON."""
    def close(self, timeout: float | None) -> int:
        """Accepts nothing more, waits, cancels the rest and tells how many those were."""
    @property
    def closed(self) -> bool:
        """True once close() was called."""
    @property
    def keeps(self) -> bool:
        """True if an outbox keeps what it does not finish."""
    @property
    def forked(self) -> bool:
        """True in a child that inherited it by fork()."""

@final
class Results:
    """The receipts of submitted messages."""

    def __new__(cls, core: Core, timeout: float | None) -> Self: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Receipt: ...

@final
class Batch:
    """The messages of one `send_many()`."""

    def __new__(cls, core: Core, in_flight: int, ordered: bool, at_hand: bool) -> Self: ...
    def add(self, message: Message | Mapping[str, Any]) -> bool:
        """Adds a message; False if take() comes before the next one."""
    def take(self, more: bool) -> list[Receipt]:
        """Receipts, in their order. Waits for one, unless the source has `more` and there is room
        for it: then there may be none."""
    def close(self) -> None:
        """Cancels what is under way."""

@final
class Inbox:
    """The messages that one event loop awaits."""

    def __new__(cls, core: Core) -> Self: ...
    def submit(
        self,
        future: asyncio.Future[Receipt],
        fields: tuple[Any, ...],
        timeout: float | None,
        waited: float,
    ) -> int:
        """Submits a message whose receipt this future gets; its number, for `cancel()`. The call
        has waited so many seconds for room."""
    def submit_message(
        self, future: asyncio.Future[Receipt], message: Message | Mapping[str, Any], name: str
    ) -> int:
        """The same for a message that is a dict, which never raises for what is wrong in it."""
    def cancel(self, number: int) -> None:
        """Asks for the end of a send that nobody awaits any more."""
    def give_up(self, number: int, future: asyncio.Future[Receipt | None]) -> bool:
        """Asks for the end of a send whose own future was cancelled; this one gets its receipt.
        False if that was handed out before."""
    def poll_handle(self) -> int:
        """The descriptor that is readable while receipts wait."""
    def wait(self, timeout: float) -> bool | None:
        """Waits for receipts at most so many seconds, for a loop that cannot watch a descriptor:
        whether drain() has anything to tell."""
    def drain(self) -> tuple[list[tuple[asyncio.Future[Receipt], int, Receipt]], bool]:
        """The receipts that wait, with their futures and numbers; whether this was all."""
    def close(self) -> None:
        """Ends it: what comes is dropped."""
    def __len__(self) -> int: ...

def _read_receipt(json: str) -> Receipt:
    """A receipt out of its JSON."""

def services_json() -> str:
    """What this build can send, per service, as JSON."""

def codes() -> list[tuple[int, str, str]]:
    """Number, name and class of every code."""

def log_level(level: int) -> None:
    """Keeps lines up to this level from now on (1: errors, 5: everything), or none at 0."""

def has_log() -> bool:
    """True if lines wait."""

def take_log() -> tuple[list[tuple[float, int, str, str]], int]:
    """The lines that wait, oldest first, and how many were lost before them."""

def main(again: Sequence[str], args: Sequence[str]) -> int:
    """Runs the command with these arguments; `again` is how to start it anew. Its exit status."""
