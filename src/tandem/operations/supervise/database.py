"""The PostgreSQL server among the children: nobody's child, and needed by all."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Final

import psutil

from tandem.market import Clock, TandemError
from tandem.operations.facts.process_changed import ProcessEvent
from tandem.operations.supervise.roster import Entry
from tandem.store import Store

NAME: Final = "postgresql"
LOOK_SECONDS: Final = 0.5

Happening = tuple[ProcessEvent, str]


class Database:
    """The store's server, watched; an embedded one that died is started again by whoever asks it something.

    It is asked in a thread of its own, for an answer may take as long as its start.

    Args:
        store: connected.
        clock: the wall clock.
    """

    name: Final = NAME

    def __init__(self, store: Store, clock: Clock) -> None:
        self._clock = clock
        self._store = store
        self._pid = self._found()
        self._since = clock.now()
        self._state = "well"
        self.restarts = 0
        self._happened: SimpleQueue[Happening] = SimpleQueue()
        self._stop = Event()
        self._watching = Thread(target=self._watch, daemon=True)
        self._watching.start()

    def happened(self) -> Iterator[Happening]:
        """What has become of it since this was last asked: events, each with its reason."""
        with suppress(Empty):
            while True:
                yield self._happened.get_nowait()

    def entry(self) -> Entry:
        """How it stands in the roster; one's own server has no process here."""
        return Entry(NAME, self._state, self._pid, self._since.astimezone(UTC), self.restarts, "")

    def leave(self) -> None:
        """Watch it no more."""
        self._stop.set()
        self._watching.join()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        if self._pid and not psutil.pid_exists(self._pid):
            self._happened.put(("died", f"process {self._pid} is gone"))
            self._pid, self._state = 0, "waiting"
        answers = self._is_well()
        if answers and self._state != "well":
            self.restarts += 1
            self._pid, self._since, self._state = self._found(), self._clock.now(), "well"
            self._happened.put(("started", ""))
        elif not answers and self._state == "well":
            self._state = "unwell"
            self._happened.put(("unwell", "it does not answer"))

    def _is_well(self) -> bool:
        with suppress(TandemError):
            self._store.worlds()
            return True
        return False

    def _found(self) -> int:
        return self._store.server.pid if self._store.server else 0
