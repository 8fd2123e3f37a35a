"""Facts: the append-only record of everything that happened in a world."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from typing import Protocol, cast

import psycopg

from tandem.market import FactConflict, World
from tandem.store.connections import Connection, reason
from tandem.store.record import B, Record, decoded, encoded

CONFLICT = "TF001"


class Facts(Protocol):
    """Where the facts of one world go: durable in PostgreSQL, or in memory."""

    @property
    def world(self) -> World:
        """The world they happened in."""
        ...

    def append(self, *records: Record) -> None:
        """Record all of them or none; on return they are there.

        A key recorded before with the same content is left as it is.

        Raises:
            FactConflict: a key was recorded before with another content.
            DataError: a body has no exact JSON form.
        """
        ...

    def read(self, body: type[B], *, session: date | None = None, pair: str | None = None) -> list[Record[B]]:
        """The facts of one kind in the order of their recording, of one session or pair where asked."""
        ...

    def alone(self, what: str) -> "AbstractContextManager[Facts]":
        """The facts for one who reads, decides and appends while nobody else of this world does the same.

        What is appended within the block is there when it ends, all of it, or none where it raises.

        Args:
            what: is kept from being done twice at once.
        """
        ...


class Lends(Protocol):
    """Connections, or the one of a transaction."""

    def use(self) -> AbstractContextManager[Connection]:
        """A connection for the length of the block."""
        ...


class PostgresFacts:
    """Facts that survive the process: durable when `append` returns, in one round trip."""

    def __init__(self, connections: Lends, world: World, number: int) -> None:
        self._connections = connections
        self._number = number
        self.world = world

    def append(self, *records: Record) -> None:
        """See `Facts.append`."""
        if not records:
            return
        columns = [
            [record.session for record in records],
            [record.kind for record in records],
            [record.pair for record in records],
            [record.at for record in records],
            [record.key for record in records],
            [encoded(record) for record in records],
        ]
        with self._connections.use() as connection:
            try:
                connection.execute(APPEND, [self._number, *columns])
            except psycopg.Error as error:
                if error.sqlstate == CONFLICT:
                    raise FactConflict(reason(error)) from None
                raise

    def read(self, body: type[B], *, session: date | None = None, pair: str | None = None) -> list[Record[B]]:
        """See `Facts.read`."""
        asked = {"world": self._number, "kind": body.kind, "session": session, "pair": pair}
        wanted = READ + (" AND session = %(session)s" if session else "") + (" AND pair = %(pair)s" if pair else "")
        with self._connections.use() as connection:
            rows = cast(Rows, connection.execute(wanted + " ORDER BY id", asked).fetchall())
        return [Record(decoded(text, body), day, at, key, of) for text, day, at, key, of in rows]

    def counts(self, session: date) -> dict[str, int]:
        """How many facts of a session there are, by kind."""
        with self._connections.use() as connection:
            rows = cast(list[tuple[str, int]], connection.execute(COUNTS, [self._number, session]).fetchall())
        return dict(rows)

    @contextmanager
    def alone(self, what: str) -> "Iterator[PostgresFacts]":
        """See `Facts.alone`: one transaction under an advisory lock, which the server gives back whatever happens."""
        with self._connections.use() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [self._number, what])
            yield PostgresFacts(_Lent(connection), self.world, self._number)


class _Lent:
    """The connection of a transaction that is under way."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def use(self) -> Iterator[Connection]:
        yield self._connection


COUNTS = "SELECT kind, count(*) FROM facts WHERE world = %s AND session = %s GROUP BY kind ORDER BY kind"
Rows = list[tuple[str, date, datetime, str, str | None]]
APPEND = """
SELECT append_facts(%s, %s::date[], %s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::text[])
"""
READ = """
SELECT body::text, session, at, key, pair FROM facts WHERE world = %(world)s AND kind = %(kind)s
"""


class MemoryFacts:
    """Facts of a run that may be thrown away: a backtest, a test."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._records: dict[str, tuple[Record, str]] = {}

    def append(self, *records: Record) -> None:
        """See `Facts.append`."""
        new: dict[str, tuple[Record, str]] = {}
        for record in records:
            entry = (record, encoded(record))
            known = self._records.get(record.key) or new.setdefault(record.key, entry)
            if _content(known) != _content(entry):
                raise FactConflict(f"fact {record.key} was recorded before with another content")
        self._records.update(new)

    def read(self, body: type[B], *, session: date | None = None, pair: str | None = None) -> list[Record[B]]:
        """See `Facts.read`."""
        return [
            Record(decoded(text, body), record.session, record.at, record.key, record.pair)
            for record, text in self._records.values()
            if record.kind == body.kind and session in (None, record.session) and pair in (None, record.pair)
        ]

    @contextmanager
    def alone(self, what: str) -> "Iterator[MemoryFacts]":
        """See `Facts.alone`: one run has them to itself, and a block that raises takes back what it appended."""
        before = dict(self._records)
        try:
            yield self
        except BaseException:
            self._records = before
            raise

    def flush(self, into: Facts) -> None:
        """Write everything to another sink in one go; doing it twice changes nothing."""
        into.append(*self._all())

    def _all(self) -> Iterable[Record]:
        return (record for record, _ in self._records.values())


def _content(entry: tuple[Record, str]) -> tuple[object, ...]:
    record, text = entry
    return (record.session, record.kind, record.pair, record.at, text)
