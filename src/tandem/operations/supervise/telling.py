"""Putting on record what becomes of processes, in its order, while the record may be away."""

from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Final

from tandem.market import TandemError
from tandem.operations.facts.process_changed import ProcessChanged

AGAIN_SECONDS: Final = 0.5
LAST_SECONDS: Final = 10.0


class Telling:
    """Tells somebody each change, one after another, in a thread of its own; what fails is told again.

    Args:
        tell: raises a TandemError where it cannot be told now.
    """

    def __init__(self, tell: Callable[[ProcessChanged], None]) -> None:
        self._tell = tell
        self._waiting: SimpleQueue[ProcessChanged] = SimpleQueue()
        self._stop = Event()
        self._thread = Thread(target=self._work, daemon=True)
        self._thread.start()

    def add(self, change: ProcessChanged) -> None:
        """Tell this too, when its turn comes."""
        self._waiting.put(change)

    def end(self) -> None:
        """Tell what is left, and wait for it some seconds at most."""
        self._stop.set()
        self._thread.join(LAST_SECONDS)

    def _work(self) -> None:
        while True:
            try:
                change = self._waiting.get(timeout=AGAIN_SECONDS)
            except Empty:
                if self._stop.is_set():
                    return
                continue
            while not self._told(change):
                Event().wait(AGAIN_SECONDS)

    def _told(self, change: ProcessChanged) -> bool:
        with suppress(TandemError):
            self._tell(change)
            return True
        return False
