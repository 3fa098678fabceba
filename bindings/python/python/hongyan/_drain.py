"""The library's log, handed to ``logging`` where a program uses that."""

from __future__ import annotations

from sys import modules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_told: Callable[[], None] | None = None


def drain() -> None:
    """Hands over what was logged since the last time, on this thread."""
    global _told
    if _told is None:
        # Nobody can have asked for it who has not imported that.
        if "logging" not in modules:
            return
        from ._log import told

        _told = told
    _told()
