"""The library's log as records of ``logging``.

No thread of the library may run Python, so its lines wait in the native module until a call of the
package fetches them. Which levels it keeps there is chosen by what the loggers want.
"""

from __future__ import annotations

import logging
import sys
from _thread import allocate_lock

from ._native import has_log, log_level, take_log

#: Finer than ``logging.DEBUG``.
TRACE = 5

_LEVELS = {1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO, 4: logging.DEBUG, 5: TRACE}
_base = logging.getLogger("hongyan")
# Where a program configures nothing, its stderr stays clean.
_base.addHandler(logging.NullHandler())
# Logging empties this cache of answers whenever a level changes anywhere.
_answers: dict[int, bool] | None = vars(_base).get("_cache")
_MARK = -1
_one_at_a_time = allocate_lock()


def told() -> None:
    """Chooses the level anew if one has changed, and hands over the lines that wait."""
    if _answers is None or _MARK not in _answers:
        _choose()
    # A handler may send messages itself, and a signal handler may: their lines come the next time.
    if has_log() and _one_at_a_time.acquire(False):
        try:
            _hand_over()
        except Exception as error:
            # A filter's mistake must not cost anybody a receipt.
            if logging.raiseExceptions:
                sys.excepthook(type(error), error, error.__traceback__)
        finally:
            _one_at_a_time.release()


def _choose() -> None:
    if _answers is not None:
        _answers[_MARK] = True
    known = list(logging.root.manager.loggerDict.items())
    loggers = [logger for name, logger in known if name.startswith("hongyan.")]
    levels = [
        logger.getEffectiveLevel() for logger in loggers if isinstance(logger, logging.Logger)
    ]
    wanted = max(min([_base.getEffectiveLevel(), *levels]), logging.root.manager.disable + 1)
    log_level(max((number for number, level in _LEVELS.items() if level >= wanted), default=0))


def _hand_over() -> None:
    lines, lost = take_log()
    if lost:
        words = "%d lines of the log were lost: too many came between two calls of hongyan"
        _base.warning(words, lost)
    for created, number, target, text in lines:
        logger = logging.getLogger(target.replace("::", "."))
        level = _LEVELS[number]
        if logger.isEnabledFor(level):
            record = logger.makeRecord(logger.name, level, "hongyan", 0, text, (), None)
            # It was written then, and not now.
            record.relativeCreated += (created - record.created) * 1000
            record.created, record.msecs = created, (created % 1) * 1000
            logger.handle(record)
