"""The notes on every change of history, written in the transaction of the change.

Two snapshots of the database that see the same notes of a month see the same bars of that month: everything that
changes everybody's bars leaves a note that commits with it, and a note is never taken back. How many there are, and the
newest, which carries a random token, therefore name the state of the month (`Ledger.states`), also beside a database
that was restored from a dump and went another way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, cast

import numpy as np

from tandem.market import Timeframe
from tandem.store.bars.months import Month, months_of
from tandem.store.bars.series import Series
from tandem.store.bars.sift import Sound
from tandem.store.connections import Connection

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Which months of bars a database holds, and whether each change of them leaves a note.

    Attributes:
        database: names the database; a copy of it has another name.
        partitions: of each month, its table, the storage and the columns that it has now: a rewrite changes them.
        unwatched: tables whose changes leave no note, such as a partition made by hand; nothing derived is believed.
    """

    database: str
    partitions: Mapping[Month, str]
    unwatched: tuple[str, ...]

    def within(self, begin: datetime, end: datetime) -> list[Month]:
        """The months that hold any time from `begin` until before `end`, oldest first."""
        return sorted(month for month in self.partitions if (span := span_of(month))[0] < end and span[1] > begin)

    def states(self, connection: Connection, timeframe: Timeframe, until: Mapping[Month, datetime]) -> dict[Month, str]:
        """The state of each month's bars before a time of it."""
        wanted = {"timeframe": str(timeframe), "months": [_day(month) for month in until], "until": [*until.values()]}
        found = {row[0]: row[1:] for row in connection.execute(STATES, wanted).fetchall()}
        return {month: f"{self.partitions[month]} {' '.join(map(str, found[_day(month)]))}" for month in until}


def ledger(connection: Connection) -> Ledger:
    """The months and their guards."""
    rows = cast(list[tuple[str, str, bool, bool]], connection.execute(TABLES).fetchall())
    months = {_month(name): form for name, form, ours, _ in rows if ours and name != "market_data"}
    unwatched = tuple(name for name, _, ours, watched in rows if not (ours and watched))
    row = connection.execute(DATABASE).fetchone()
    if row is None or row[0] is None:
        return Ledger("", months, (*unwatched, "bar_changes"))
    return Ledger(cast(str, row[0]), months, unwatched)


def begin(connection: Connection) -> None:
    """Say, inside a transaction, that it will `note` itself what it changes."""
    connection.execute(BEGIN)


def note(connection: Connection, series: Series, bars: Sound) -> None:
    """Note, inside a transaction, that some of these bars were added."""
    if series.world is not None:
        return
    months = months_of(bars.start)
    firsts = {month: bars.start[months == month].min() for month in np.unique(months)}
    moments = [cast(datetime, first.item()).replace(tzinfo=UTC) for first in firsts.values()]
    connection.execute(NOTE, [str(series.timeframe), [_day(month) for month in firsts], moments])


def span_of(month: Month) -> Span:
    """The month's first instant and the next month's, UTC."""
    return _midnight(month), _midnight(month + np.timedelta64(1, "M"))


def _midnight(month: Month) -> datetime:
    return cast(datetime, month.astype("datetime64[us]").item()).replace(tzinfo=UTC)


def _day(month: Month) -> date:
    return _midnight(month).date()


def _month(name: str) -> Month:
    return np.datetime64(name.removeprefix("market_data_").replace("_", "-"), "M")


TABLES: Final = r"""
SELECT c.relname, concat_ws('-', c.oid, pg_relation_filenode(c.oid), md5((
           SELECT string_agg(concat_ws(' ', attnum, attname, atttypid), ',' ORDER BY attnum) FROM pg_attribute
           WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped))),
       c.relkind = 'p' OR c.relkind = 'r' AND c.relname ~ '^market_data_\d{4}_(0[1-9]|1[0-2])$',
       EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'bars_changed' AND t.tgenabled = 'A')
FROM pg_class c
WHERE c.oid = 'market_data'::regclass
   OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'market_data'::regclass)
"""
DATABASE: Final = """
SELECT oid || '-' || (SELECT token FROM bar_changes ORDER BY id LIMIT 1) FROM pg_database
WHERE datname = current_database()
"""
STATES: Final = """
SELECT w.month, count(c.id), max(c.id), (SELECT token FROM bar_changes WHERE id = max(c.id))
FROM unnest(%(months)s::date[], %(until)s::timestamptz[]) AS w (month, until)
LEFT JOIN bar_changes c ON c.first < w.until AND (c.timeframe = '' OR c.timeframe = %(timeframe)s AND c.month = w.month)
GROUP BY w.month
"""
BEGIN: Final = "SELECT set_config('tandem.noted', pg_current_xact_id()::text, true)"
NOTE: Final = """
INSERT INTO bar_changes (timeframe, month, first)
SELECT %s, n.month, n.first FROM unnest(%s::date[], %s::timestamptz[]) AS n (month, first)
"""
