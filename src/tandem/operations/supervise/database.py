"""The PostgreSQL server among the children: nobody's child, and needed by all."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC
from typing import Final

import psutil

from tandem.market import Clock, Stopwatch, TandemError
from tandem.operations.supervise.process import ProcessEvent
from tandem.operations.supervise.roster import Entry
from tandem.store import Store

NAME: Final = "postgresql"
LOOK_SECONDS: Final = 1.0


class Database:
    """The store's server, watched; an embedded one that died is started again by whoever asks it something.

    Args:
        store: connected.
        clock: the wall clock.
    """

    name: Final = NAME

    def __init__(self, store: Store, clock: Clock) -> None:
        self._clock = clock
        self._store = store
        self._looked = Stopwatch()
        self._pid = self._found()
        self._since = clock.now()
        self._answers = True
        self.restarts = 0

    def look(self) -> Iterator[tuple[ProcessEvent, str]]:
        """What has become of it since the last look: events, each with its reason."""
        if self._looked.seconds < LOOK_SECONDS:
            return
        self._looked = Stopwatch()
        if self._pid and not psutil.pid_exists(self._pid):
            yield "died", f"process {self._pid} is gone"
            self._answers = False
        answers = self._is_well()
        if answers and not self._answers:
            self.restarts += 1
            self._pid, self._since = self._found(), self._clock.now()
            yield "started", ""
        elif self._answers and not answers:
            yield "unwell", "it does not answer"
        self._answers = answers

    def entry(self) -> Entry:
        """How it stands in the roster; one's own server has no process here."""
        state = "well" if self._answers else "unwell"
        return Entry(NAME, state, self._pid, self._since.astimezone(UTC), self.restarts, "")

    def _is_well(self) -> bool:
        with suppress(TandemError):
            self._store.worlds()
            return True
        return False

    def _found(self) -> int:
        return self._store.server.pid if self._store.server else 0
