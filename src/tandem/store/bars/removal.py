"""Bars taken out of `market_data` again; the notes of the change make the cache follow."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, cast

from tandem.market import Timeframe, World
from tandem.store.bars.series import world_name
from tandem.store.cache import changes
from tandem.store.connections import Connection

RECYCLED: Final = "recycled"


def remove(connection: Connection, source: str, timeframes: Sequence[Timeframe], symbol: str) -> int:
    """Inside a transaction: take out everybody's bars, and their quarantine; how many bars."""
    wanted = {"source": source, "timeframes": [str(timeframe) for timeframe in timeframes], "symbol": symbol}
    connection.execute(QUARANTINED, wanted)
    return connection.execute(BARS, wanted).rowcount


def heard_before(connection: Connection, world: World, before: datetime) -> tuple[int, int]:
    """How many recycled bars a world has that start before a time, and about how many bytes they take."""
    row = connection.execute(COUNT_HEARD, {"world": world_name(world), "before": before}).fetchone()
    return cast(tuple[int, int], row)


def forget_heard(connection: Connection, world: World, before: datetime) -> int:
    """Inside a transaction: take out those, and what is no bar of the same days; how many bars."""
    changes.begin(connection)  # a world's own bars are in nothing derived: there is nothing to note
    wanted = {"world": world_name(world), "before": before}
    connection.execute(FORGET_FLAWED, wanted)
    return connection.execute(FORGET_HEARD, wanted).rowcount


_OF = "data_source = %(source)s AND timeframe = ANY(%(timeframes)s::text[]) AND world = ''"
BARS = f"DELETE FROM market_data WHERE {_OF} AND (%(symbol)s = '' OR symbol = %(symbol)s)"  # noqa: S608 - our words
QUARANTINED = f"""
DELETE FROM bars_quarantine WHERE {_OF} AND (%(symbol)s = '' OR given ->> 'symbol' = %(symbol)s)
"""  # noqa: S608 - our words
_HEARD = f"FROM market_data m WHERE data_source = '{RECYCLED}' AND world = %(world)s AND timestamp < %(before)s"
COUNT_HEARD = f"SELECT count(*), coalesce(sum(pg_column_size(m)), 0)::bigint {_HEARD}"
FORGET_HEARD = f"DELETE {_HEARD}"
# The start of a row that is no bar may be anything.
FORGET_FLAWED = f"""
DELETE FROM bars_quarantine
WHERE data_source = '{RECYCLED}' AND world = %(world)s AND given ->> 'start' ~ '^\\d{{4}}-\\d\\d-\\d\\d'
  AND left(given ->> 'start', 10) < ((%(before)s::timestamptz AT TIME ZONE 'UTC')::date)::text
"""  # noqa: S608 - our words
