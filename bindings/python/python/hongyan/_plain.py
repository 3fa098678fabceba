"""Dicts and lists, made of other mappings and sequences.

The native module reads dicts, lists and tuples alone, so that it never runs lines of Python. What
it refuses is tried once more, after this.
"""

from __future__ import annotations

from collections import UserString
from collections.abc import Mapping, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: No message has as much as this in it.
_MOST = 600_000
#: Nor is one nested deeper than this.
_DEPTH = 70
_TEXT = (str, bytes, bytearray, memoryview, UserString)


def plain(value: Any, refused: TypeError) -> Any:
    """The same with dicts and lists in it; raises what was raised if that changes nothing."""
    found = _Walk().of(value, 0)
    if found is value:
        raise refused
    return found


def plain_fields(fields: Any, refused: TypeError) -> Any:
    """The same for the arguments of a call."""
    walk = _Walk()
    found = tuple([walk.of(field, 0) for field in fields])
    if all(new is old for new, old in zip(found, fields)):
        raise refused
    return found


class _Walk:
    def __init__(self) -> None:
        self.left = _MOST

    def of(self, value: Any, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth > _DEPTH or isinstance(value, _TEXT):
            return value
        if isinstance(value, Mapping):
            made = {}
            for key in value:
                made[key] = self.of(value[key], depth + 1)
                if self.left < 0:
                    return value
            if isinstance(value, dict) and all(made[key] is value[key] for key in made):
                return value
            return made
        if isinstance(value, Sequence):
            items = []
            for item in value:
                items.append(self.of(item, depth + 1))
                if self.left < 0:
                    return value
            if isinstance(value, (list, tuple)) and all(a is b for a, b in zip(items, value)):
                return value
            return items
        return value
