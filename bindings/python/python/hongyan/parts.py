"""Elements of messages that are more than plain text: dicts for ``parts=[…]``.

>>> client.send("im", to={"group": "@TGS#2C5SZEAEF"},
...             parts=[hongyan.parts.mention("tommy", name="Tommy"), hongyan.parts.text("look")])

Each function only makes the dict; what a service can carry, `hongyan.services` tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .types import Custom, Face, Link, Location, Mention, Raw, Text

__all__ = ["custom", "face", "link", "location", "mention", "mention_all", "raw", "text"]


def _part(kind: str, **fields: Any) -> Any:
    given = {name: value for name, value in fields.items() if value is not None}
    return {"type": kind, **given}


def text(text: str) -> Text:
    """Text, between other parts."""
    return cast("Text", _part("text", text=text))


def mention(user: str, *, name: str | None = None) -> Mention:
    """A user who is called by name: ``@name``, or ``@user`` if no name is given."""
    return cast("Mention", _part("mention", user=user, name=name))


def mention_all() -> Mention:
    """Everybody is called."""
    return cast("Mention", _part("mention", all=True))


def face(index: int, *, data: str | None = None) -> Face:
    """A sticker of the app's own: its number, and what the app wants to know besides."""
    return cast("Face", _part("face", index=index, data=data))


def location(latitude: float, longitude: float, *, address: str | None = None) -> Location:
    """A place: degrees north, degrees east, and what it is called."""
    return cast(
        "Location", _part("location", latitude=latitude, longitude=longitude, address=address)
    )


def link(
    url: str,
    *,
    title: str | None = None,
    description: str | None = None,
    thumbnail: str | None = None,
    image: str | None = None,
) -> Link:
    """A link with its preview: title, a few words, a small picture and the picture in full size."""
    return cast(
        "Link",
        _part(
            "link",
            url=url,
            title=title,
            description=description,
            thumbnail=thumbnail,
            image=image,
        ),
    )


def custom(
    data: str, *, desc: str | None = None, ext: str | None = None, sound: str | None = None
) -> Custom:
    """Data that only the receiving app understands, and what a notification of it says."""
    return cast("Custom", _part("custom", data=data, desc=desc, ext=ext, sound=sound))


def raw(value: Mapping[str, Any]) -> Raw:
    """The service's own element, passed through as it is."""
    return cast("Raw", _part("raw", value=value))
