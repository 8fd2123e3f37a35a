"""A desk that hangs ends its process and says where it hung: whoever supervises it starts it again, from its facts."""

import faulthandler
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from tandem.desk import Desk
from tandem.market import Clock

MOST_SECONDS: Final = 900.0
STDERR: Final = 2


@contextmanager
def watched(opened: AbstractContextManager[Desk], seconds: float = MOST_SECONDS) -> Iterator[Desk]:
    """A desk whose process is ended where it opens, works or closes for too long without waiting for its clock.

    Where every thread stood is written to standard error first. No thread of Python's is needed for it, so that
    one that holds all the others up is found too.

    Args:
        opened: the desk.
        seconds: of the wall clock that it may work; how long it waits for its clock does not matter.
    """
    _watch(seconds)
    try:
        with opened as desk:
            _watch(seconds)
            try:
                yield replace(desk, clock=_WatchedClock(desk.clock, seconds))
            finally:
                _watch(seconds)
    finally:
        faulthandler.cancel_dump_traceback_later()


@dataclass(frozen=True, slots=True)
class _WatchedClock:
    clock: Clock
    seconds: float

    def now(self) -> datetime:
        return self.clock.now()

    def wait_until(self, moment: datetime) -> None:
        faulthandler.cancel_dump_traceback_later()
        try:
            self.clock.wait_until(moment)
        finally:
            _watch(self.seconds)


def _watch(seconds: float) -> None:
    faulthandler.dump_traceback_later(seconds, exit=True, file=STDERR)
