"""Bars into `market_data`: straight into new months, through a staging table into the others."""

import json

import numpy as np
from psycopg import sql

from tandem.store.bars import months
from tandem.store.bars.binary import rows, stored_columns
from tandem.store.bars.series import Series
from tandem.store.bars.sift import Broken, Sound
from tandem.store.cache import changes
from tandem.store.connections import Connection


def insert(connection: Connection, series: Series, bars: Sound, revise: bool) -> tuple[int, int, int]:
    """Inside a transaction: bars added, stored as another revision, and left because another one has their place."""
    changes.begin(connection)
    of = months.months_of(bars.start)
    new = months.claim_new(connection, list(np.unique(of)))
    for month in new:
        _fill(connection, series, bars.where(of == month), month)
    known = ~np.isin(of, np.array(new, dtype="datetime64[M]"))
    added, revised, other = _merge(connection, series, bars.where(known), revise) if known.any() else (0, 0, 0)
    added += int((~known).sum())
    if added:
        changes.note(connection, series, bars)
    return added, revised, other


def quarantine(connection: Connection, series: Series, broken: list[Broken]) -> None:
    """Keep what cannot be stored, once however often it is given."""
    if broken:
        given = [json.dumps(row.given) for row in broken]
        place = series.columns
        values = [place["data_source"], place["timeframe"], place["world"], given, [row.reason for row in broken]]
        connection.execute(QUARANTINE, values)


def _fill(connection: Connection, series: Series, bars: Sound, month: months.Month) -> None:
    months.create(connection, month)
    table = months.table_of(month)
    _default(connection, table, "SET DEFAULT {}", series)
    _copy(connection, table, bars, ", FREEZE")
    _default(connection, table, "DROP DEFAULT", series)
    months.attach(connection, month)


def _default(connection: Connection, table: sql.Identifier, action: str, series: Series) -> None:
    """What all rows share is the columns' default while they are copied, and need not be sent."""
    actions = [
        sql.SQL("ALTER {} " + action).format(sql.Identifier(name), sql.Literal(value))
        for name, value in series.columns.items()
    ]
    connection.execute(sql.SQL("ALTER TABLE {} {}").format(table, sql.SQL(", ").join(actions)))


def _copy(connection: Connection, table: sql.Identifier, bars: Sound, options: str = "") -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, stored_columns(bars)))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary" + options + ")").format(table, columns)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for piece in rows(bars):
            copy.write(piece)


def _merge(connection: Connection, series: Series, bars: Sound, revise: bool) -> tuple[int, int, int]:
    connection.execute(STAGING)
    connection.execute("TRUNCATE staged_bars")
    _copy(connection, sql.Identifier("pg_temp", "staged_bars"), bars)
    connection.execute("ANALYZE staged_bars")
    revised = connection.execute(REVISE, series.columns).rowcount if revise else 0
    added = connection.execute(ADD, series.columns).rowcount
    if revise or added == len(bars):
        return added, revised, 0
    return added, 0, _count(connection, series)


def _count(connection: Connection, series: Series) -> int:
    """Staged bars whose place has another bar."""
    (found,) = connection.execute(COUNT_OTHER, series.columns).fetchone() or (0,)
    return found if isinstance(found, int) else 0


STAGING = """
CREATE TEMP TABLE IF NOT EXISTS staged_bars (
    symbol text COLLATE "C", timestamp timestamptz, open float8, high float8, low float8, close float8,
    volume bigint, trade_count bigint, vwap float8
) ON COMMIT DELETE ROWS
"""
ADD = """
INSERT INTO market_data (symbol, timeframe, timestamp, data_source, feed, adjustment, world, revision,
                         open, high, low, close, volume, trade_count, vwap)
SELECT symbol, %(timeframe)s, timestamp, %(data_source)s, %(feed)s, %(adjustment)s, %(world)s, 0,
       open, high, low, close, volume, trade_count, vwap
FROM staged_bars
ON CONFLICT DO NOTHING
"""
COUNT_OTHER = """
SELECT count(*) FROM staged_bars s
JOIN market_data m USING (symbol, timestamp)
WHERE m.timeframe = %(timeframe)s AND m.data_source = %(data_source)s AND m.feed = %(feed)s
  AND m.adjustment = %(adjustment)s AND m.world = %(world)s AND m.revision = 0
  AND (s.open, s.high, s.low, s.close, s.volume) IS DISTINCT FROM (m.open, m.high, m.low, m.close, m.volume)
"""
REVISE = """
INSERT INTO market_data (symbol, timeframe, timestamp, data_source, feed, adjustment, world, revision,
                         open, high, low, close, volume, trade_count, vwap)
SELECT s.symbol, %(timeframe)s, s.timestamp, %(data_source)s, %(feed)s, %(adjustment)s, %(world)s, m.revision + 1,
       s.open, s.high, s.low, s.close, s.volume, s.trade_count, s.vwap
FROM staged_bars s
CROSS JOIN LATERAL (
    SELECT * FROM market_data m
    WHERE m.timeframe = %(timeframe)s AND m.symbol = s.symbol AND m.timestamp = s.timestamp
      AND m.data_source = %(data_source)s AND m.feed = %(feed)s AND m.adjustment = %(adjustment)s
      AND m.world = %(world)s
    ORDER BY m.revision DESC LIMIT 1
) m
WHERE (s.open, s.high, s.low, s.close, s.volume, s.trade_count, s.vwap)
      IS DISTINCT FROM (m.open, m.high, m.low, m.close, m.volume, m.trade_count, m.vwap)
ON CONFLICT DO NOTHING
"""
QUARANTINE = """
INSERT INTO bars_quarantine (data_source, timeframe, world, given, reason)
SELECT %s, %s, %s, b.given::jsonb, b.reason FROM unnest(%s::text[], %s::text[]) AS b (given, reason)
ON CONFLICT DO NOTHING
"""
