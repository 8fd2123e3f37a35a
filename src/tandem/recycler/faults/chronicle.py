"""Facts about faults on their way to the store, beside the event loop."""

import sys
from collections.abc import Iterable
from datetime import datetime
from queue import SimpleQueue
from threading import Thread
from uuid import uuid4

from tandem.market import NEW_YORK, TandemError
from tandem.recycler.faults.armed import Told
from tandem.store import Facts, Record

SECONDS_TO_END = 5.0


class Chronicle:
    """Appends what it is told to the facts of the recycler's world, in a thread that begins with the first word.

    Args:
        facts: of the world; None keeps nothing.
    """

    def __init__(self, facts: Facts | None) -> None:
        self._facts = facts
        self._waiting: SimpleQueue[Record | None] = SimpleQueue()
        self._writer: Thread | None = None
        self._run = uuid4().hex  # a recycler that starts again strikes again: its facts are others
        self._told = 0

    def tell(self, fact: Told, at: datetime) -> None:
        """Append a fact soon."""
        if self._facts is None:
            return
        self._told += 1
        self._waiting.put(Record(fact, at.astimezone(NEW_YORK).date(), at, f"fault/{self._run}/{self._told}"))
        if self._writer is None:
            self._writer = Thread(target=self._write, name="facts of faults", daemon=True)
            self._writer.start()

    def end(self) -> None:
        """Return when everything is on record."""
        if self._writer is not None:
            self._waiting.put(None)
            self._writer.join(SECONDS_TO_END)

    def _write(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch = [first, *self._more()]
            try:
                if self._facts is not None:
                    self._facts.append(*batch)
            except TandemError as error:
                print(f"tandem recycler: {len(batch)} facts about faults are lost: {error}", file=sys.stderr)

    def _more(self) -> Iterable[Record]:
        while not self._waiting.empty():
            record = self._waiting.get()
            if record is None:
                self._waiting.put(None)
                return
            yield record
