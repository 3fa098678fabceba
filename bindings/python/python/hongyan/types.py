"""Types of the dicts that go in; for annotations only, nothing here does anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from os import PathLike
from typing import Any, BinaryIO, Literal, Optional, TypedDict, Union

Delivery = Literal["sent", "maybe_sent", "not_sent", "partly_sent"]
"""``sent``: the service said so. ``not_sent``: sending it again cannot make two of it.
``partly_sent``: some recipients or parts have arrived, the others surely have not."""


class RecipientResult(TypedDict):
    """What became of a message for one of its recipients."""

    to: Mapping[str, str]
    """The recipient, by the kind that the message called it."""
    delivery: Delivery
    message_id: str | None
    error: Mapping[str, Any] | None
    """Why it is not ``sent``: the error object of the result's JSON."""


class PieceResult(TypedDict):
    """What became of one piece of a text that was split."""

    delivery: Delivery
    message_id: str | None
    error: Mapping[str, Any] | None
    """Why it is not ``sent``: the error object of the result's JSON."""


class Note(TypedDict):
    """Something worth knowing about a send that is no error."""

    name: str
    """``accepted_only``, ``truncated``, ``readdressed`` or ``converted``."""
    message: str


Config = Union[Mapping[str, Any], str, "PathLike[str]"]
"""A mapping, JSON text (which begins with ``{``), or the path of a .json or .toml file."""

Format = Literal["plain", "markdown", "html"]
"""What a text is written in."""

Priority = Literal["low", "normal", "high", "urgent"]
"""How much a message matters."""

Overflow = Literal["refuse", "truncate", "split"]
"""What becomes of a text that is too long."""

Attachment = Union[
    str,
    "PathLike[str]",
    bytes,
    BinaryIO,
    tuple[str, bytes],
    tuple[str, bytes, Optional[str]],
    Mapping[str, Any],
]
"""A file to send along: its path, its bytes, a file object, its name and its bytes, those with a
media type, or a mapping as in the JSON (``path``, or ``name`` and ``data_base64``, or ``url``)."""

Time = Union[float, datetime, str]
"""A point in time: Unix time in seconds, a datetime with its zone, or text such as
``2026-10-01T08:00:00+08:00``."""


class To(TypedDict, total=False):
    """To whom a message goes; each service knows some of these."""

    user: str
    """A user's id."""
    name: str
    """A user's screen name."""
    group: str
    """A group's id."""
    topic: str
    """A topic's id, within a group."""
    chat: str
    """A chat's id or name."""
    channel: str
    """A channel's id or name."""
    room: str
    """A room's id or name."""
    phone: str
    """A telephone number."""
    users: Sequence[str]
    """The ids of several users."""
    groups: Sequence[str]
    """The ids of several groups."""
    discussions: Sequence[str]
    """The ids of several discussions."""
    emails: Sequence[str]
    """E-mail addresses; ``cc`` and ``bcc`` go with them."""
    cc: Sequence[str]
    bcc: Sequence[str]
    phones: Sequence[str]
    """Several telephone numbers."""
    departments: Sequence[str]
    """The ids of departments."""
    tags: Sequence[str]
    """The ids of tags."""
    topics: Sequence[str]
    """The ids of several topics."""
    members: Sequence[str]
    """Those members of the group who alone shall see the message."""


class Text(TypedDict):
    """Text, as `hongyan.parts.text` makes it."""

    type: Literal["text"]
    text: str


class _Mention(TypedDict):
    type: Literal["mention"]


class Mention(_Mention, total=False):
    """A user who is called by name, or everybody; see `hongyan.parts.mention`."""

    user: str
    name: str
    all: bool


class _Face(TypedDict):
    type: Literal["face"]
    index: int


class Face(_Face, total=False):
    """A sticker of the app's own; see `hongyan.parts.face`."""

    data: str


class _Location(TypedDict):
    type: Literal["location"]
    latitude: float
    longitude: float


class Location(_Location, total=False):
    """A place; see `hongyan.parts.location`."""

    address: str


class _Link(TypedDict):
    type: Literal["link"]
    url: str


class Link(_Link, total=False):
    """A link with its preview; see `hongyan.parts.link`."""

    title: str
    description: str
    thumbnail: str
    image: str


class _Custom(TypedDict):
    type: Literal["custom"]
    data: str


class Custom(_Custom, total=False):
    """Data that only the receiving app understands; see `hongyan.parts.custom`."""

    desc: str
    ext: str
    sound: str


class Raw(TypedDict):
    """The service's own element; see `hongyan.parts.raw`."""

    type: Literal["raw"]
    value: Mapping[str, Any]


Part = Union[Text, Mention, Face, Location, Link, Custom, Raw]
"""One element of a message that is more than plain text."""


class _Message(TypedDict):
    account: str


class Message(_Message, total=False):
    """A message of `Client.send_many`; the names are those of `Client.send`."""

    v: Literal[1]
    to: To
    text: str
    parts: Sequence[Part]
    title: str
    format: Format
    attachments: Sequence[Attachment]
    silent: bool
    priority: Priority
    thread: str
    overflow: Overflow
    reply_to: str
    key: str
    deadline: float
    not_before: Time
    ordered: bool
    extra: Mapping[str, Any]
    deadline_ms: int
    """``deadline`` in milliseconds, as the JSON has it."""
    not_before_ms: int
    """``not_before`` in milliseconds, as the JSON has it."""
