"""Facts that are not yet on record: a piece of work whose facts become durable all together, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TypeVar

from tandem.store import Body, Facts, MemoryFacts, Record

B = TypeVar("B", bound=Body)


class Draft:
    """Facts over those of a world; nothing that is appended leaves the process before `publish`."""

    def __init__(self, facts: Facts) -> None:
        self.world = facts.world
        self._facts = facts
        self._own = MemoryFacts(facts.world)

    def append(self, *records: Record) -> None:
        """See `Facts.append`; that a key is on record with another content is found by `publish`."""
        self._own.append(*records)

    def read(self, body: type[B], *, session: date | None = None, pair: str | None = None) -> list[Record[B]]:
        """See `Facts.read`: what is on record, then what is not."""
        return [*self._facts.read(body, session=session, pair=pair), *self._own.read(body, session=session, pair=pair)]

    @contextmanager
    def alone(self, what: str) -> "Iterator[Draft]":
        """See `Facts.alone`: nobody else has a hand in a draft."""
        with self._own.alone(what):
            yield self

    def publish(self) -> None:
        """Put everything on record in one transaction; doing it twice changes nothing."""
        self._own.flush(self._facts)
