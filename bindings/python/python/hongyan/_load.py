"""Files of messages, read without holding an event loop up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from os import PathLike, fsdecode

from ._native import load_file
from ._plain import file_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


async def loaded(attachments: Any) -> Any:
    """The same with what has to be read in the place of paths and open files.

    What cannot be read stays as it is: the send tells of it as of anything that is wrong.
    """
    if not isinstance(attachments, Sequence) or isinstance(attachments, (str, bytes, bytearray)):
        return attachments
    if not any(_is_read(attachment) for attachment in attachments):
        return attachments
    return await asyncio.get_running_loop().run_in_executor(None, _load, list(attachments))


def _is_read(attachment: Any) -> bool:
    return isinstance(attachment, (str, PathLike)) or hasattr(attachment, "read")


def _load(attachments: list[Any]) -> list[Any]:
    for i, attachment in enumerate(attachments):
        if isinstance(attachment, (str, PathLike)):
            path = fsdecode(attachment)
            attachments[i] = load_file(path) or path
        elif hasattr(attachment, "read"):
            attachments[i] = file_of(attachment)
    return attachments
