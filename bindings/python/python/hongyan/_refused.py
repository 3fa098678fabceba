"""What the core refused, made plain: it takes dicts and lists only."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def plain(value: Any, refused: TypeError) -> Any:
    """The same with dicts and lists for what is like them; or else it stays refused."""
    from ._plain import plain

    return plain(value, refused)


def plain_fields(fields: Any, refused: TypeError) -> Any:
    """The same for the arguments of a call."""
    from ._plain import plain_fields

    return plain_fields(fields, refused)
