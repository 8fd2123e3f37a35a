"""A world's facts as they come: for whoever shows them while others append."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, cast

from psycopg.types.json import Jsonb

from tandem.store.connections import Connection
from tandem.store.facts import Lends
from tandem.store.record import B, Record, decoded

BATCH: Final = 2000
# Transactions that run at the same time end in another order than that of their numbers: so far back one may turn up.
OVERLAP: Final = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact as the store has it, not yet read.

    Attributes:
        id: its number; later facts have higher ones.
        kind, session, at, key, pair: as in a `Record`.
        text: the body, JSON.
    """

    id: int
    kind: str
    session: date
    at: datetime
    key: str
    pair: str | None
    text: str

    def record(self, body: type[B]) -> Record[B]:
        """The fact.

        Raises:
            DataError: it is none of that kind, or another version wrote it.
        """
        return Record(decoded(self.text, body), self.session, self.at, self.key, self.pair)


class Tail:
    """The facts of some kinds, each once, in the order of their numbers, one round trip at a time.

    One whose transaction ended late comes when it is there, after others with higher numbers.

    Args:
        kinds: of the facts.
        many: kinds of which it begins with the newest ones alone.
        newest: how many those are, together.
        blank: lists in the bodies that are left empty, for facts that are large.
    """

    def __init__(
        self,
        connections: Lends,
        number: int,
        kinds: Sequence[str],
        *,
        many: Sequence[str] = (),
        newest: int = 0,
        blank: Sequence[str] = (),
    ) -> None:
        self._connections = connections
        self._asked = {
            "world": number,
            "kinds": list(kinds),
            "many": list(many),
            "newest": newest,
            "blank": list(blank),
            "patch": Jsonb({name: [] for name in blank}),
        }
        self._floor: int | None = None
        self._last = 0
        self._seen: set[int] = set()

    def read(self, limit: int = BATCH) -> list[Entry]:
        """What has come since the last call, `limit` facts at most; fewer than that means that this is all."""
        with self._connections.use() as connection:
            if self._floor is None:
                self._floor = self._begin(connection)
            since = {"after": self._last - OVERLAP, "seen": list(self._seen), "floor": self._floor, "limit": limit}
            rows = cast(Rows, connection.execute(READ, self._asked | since).fetchall())
        self._remember(row[0] for row in rows)
        return [Entry(*row) for row in rows]

    def _begin(self, connection: Connection) -> int:
        row = connection.execute(FLOOR, self._asked).fetchone()
        return cast(int, row[0]) if row else 0

    def _remember(self, ids: Iterable[int]) -> None:
        self._seen.update(ids)
        self._last = max(self._seen, default=0)
        self._seen = {id for id in self._seen if id > self._last - OVERLAP}


Rows = list[tuple[int, str, date, datetime, str, str | None, str]]
READ: Final = """
SELECT id, kind, session, at, key, pair,
    (CASE WHEN body ?| %(blank)s::text[] THEN body || %(patch)s ELSE body END)::text
FROM facts
WHERE world = %(world)s AND kind = ANY(%(kinds)s::text[]) AND id > %(after)s AND id <> ALL(%(seen)s::bigint[])
    AND (id > %(floor)s OR kind <> ALL(%(many)s::text[]))
ORDER BY id LIMIT %(limit)s
"""
FLOOR: Final = """
SELECT id FROM facts WHERE world = %(world)s AND kind = ANY(%(many)s::text[]) ORDER BY id DESC OFFSET %(newest)s LIMIT 1
"""
