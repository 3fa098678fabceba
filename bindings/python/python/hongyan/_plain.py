"""Dicts and lists, made of other mappings and sequences.

The native module reads dicts, lists and tuples alone, so that it never runs lines of Python. What
it refuses is tried once more, after this.
"""

from __future__ import annotations

from collections import UserString
from collections.abc import Mapping, Sequence
from os import PathLike, fsdecode
from os.path import basename

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
    # The last are the others, of which these are the files.
    others = list(fields[11])
    others[3] = walk.files(others[3])
    if others[3] is fields[11][3]:
        found = tuple([walk.of(field, 0) for field in fields])
    else:
        found = (*[walk.of(field, 0) for field in fields[:11]], walk.of(tuple(others), 0))
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
                item = value[key]
                if key == "attachments":
                    item = self.files(item)
                made[key] = self.of(item, depth + 1)
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
            return tuple(items) if type(value) is tuple else items
        return value

    def files(self, attachments: Any) -> Any:
        """Files as the native module reads them: paths as str, what is open as name and bytes."""
        if isinstance(attachments, _TEXT) or not isinstance(attachments, Sequence):
            return attachments
        files = [file_of(attachment) for attachment in attachments]
        return attachments if all(a is b for a, b in zip(files, attachments)) else files


def file_of(attachment: Any) -> Any:
    """A file as the native module reads it, if it is one; else what it was."""
    if isinstance(attachment, PathLike):
        return fsdecode(attachment)
    if isinstance(attachment, Sequence) and not isinstance(attachment, _TEXT):
        parts = tuple([_bytes(part) if i == 1 else part for i, part in enumerate(attachment)])
        same = isinstance(attachment, tuple) and all(a is b for a, b in zip(parts, attachment))
        return attachment if same else parts
    found = _bytes(attachment)
    if not hasattr(attachment, "read"):
        return found
    name = getattr(attachment, "name", None)
    return (basename(name) if isinstance(name, str) else "file", found)


def _bytes(value: Any) -> Any:
    """What is in a buffer or an open file; anything else is what it was."""
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    read = getattr(value, "read", None)
    if read is None:
        return value
    found = read()
    if not isinstance(found, bytes):
        raise TypeError(f"an attachment must be open for bytes, not {type(found).__qualname__}")
    return found
