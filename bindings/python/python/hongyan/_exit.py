"""The end of the program: what `submit` was given is not lost without a word."""

from __future__ import annotations

import atexit
import os
from _warnings import warn
from sys import modules
from time import monotonic

from ._drain import drain
from ._native import Core, Results

#: How long the end of the program waits for what was submitted, in seconds.
PATIENCE = 10.0

# The cores of clients that were given something by submit() and not closed since.
_given: set[Core] = set()
# Those of them whose client is gone.
_left: set[Core] = set()
_here = 0


def begin() -> None:
    """A client begins."""
    global _here
    for core in list(_left):
        _let_go_if_done(core)
    # Processes of multiprocessing end without the handlers of atexit.
    multiprocessing, util = modules.get("multiprocessing"), modules.get("multiprocessing.util")
    if util is None or multiprocessing is None or multiprocessing.parent_process() is None:
        return
    if _here != os.getpid():
        _here = os.getpid()
        util.Finalize(None, _end, exitpriority=0)


#: Takes note of a core that is given a message by submit().
given = _given.add


def closed(core: Core) -> None:
    """Its client was closed: nothing is left to wait for."""
    _given.discard(core)


def abandoned(core: Core) -> None:
    """Its client is gone, and was not closed: what it was given goes on."""
    if core in _given and not core.forked:
        _left.add(core)
        _let_go_if_done(core)


def _let_go_if_done(core: Core) -> None:
    if core.forked or core.settle(0.0) == 0:
        _left.discard(core)
        _given.discard(core)
        if not core.forked:
            _tell(core)


def _end() -> None:
    """Waits for what was submitted, and tells of what did not arrive."""
    until = monotonic() + PATIENCE
    _left.clear()
    while _given:
        core = _given.pop()
        if core.forked or core.closed:
            continue
        try:
            core.settle(max(0.0, until - monotonic()))
        except KeyboardInterrupt:
            # Whoever presses it at the end does not want to wait.
            until = monotonic()
        # What threads submit from here on would be lost: they are told so.
        core.refuse_submits()
        _tell(core, core.settle(0.0))
    drain()


def _tell(core: Core, unsettled: int = 0) -> None:
    """Warns of messages that were not sent and whose receipts nobody took."""
    # With an outbox they go on in a later run, and their receipts come there.
    if core.keeps:
        return
    receipts = list(Results(core, 0))
    doubtful = [receipt for receipt in receipts if receipt.delivery == "maybe_sent"]
    not_sent = [receipt for receipt in receipts if receipt.delivery == "not_sent"]
    told = []
    if not_sent:
        told.append(f"{_were(len(not_sent))} not sent (the first: {not_sent[0].error})")
    if doubtful:
        told.append(f"{len(doubtful)} may or may not have been sent ({doubtful[0].error})")
    if unsettled:
        told.append(f"{_were(unsettled)} still under way when the program ended, and cut")
    if told:
        words = f"hongyan: of the messages given to submit(), {', '.join(told)}; "
        warn(words + "take their receipts with results(), and close the client", RuntimeWarning, 1)


def _were(count: int) -> str:
    return f"{count} was" if count == 1 else f"{count} were"


atexit.register(_end)
