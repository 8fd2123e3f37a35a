"""Which tracks there are, and their bars."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, cast

import numpy as np
from psycopg import sql

from tandem.market import NEW_YORK, Timeframe
from tandem.store.bars.binary import EPOCH, PRICES, columns
from tandem.store.bars.track import Strip, Track
from tandem.store.connections import Connection

RAW: Final = "raw"
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
TO_THE_OPEN: Final = timedelta(hours=9, minutes=30)
TICK: Final = timedelta(microseconds=1)
LOOKED_AT: Final = 100_000
FEWEST: Final = 4
COLUMNS: Final = ("timestamp", *PRICES, "volume", "trade_count", "vwap", "revision")


def tracks(
    connection: Connection, symbols: Sequence[str], timeframe: Timeframe, first: datetime, last: datetime
) -> list[Track]:
    """Every track of these symbols with bars that start from `first` to `last`, the best of each symbol first.

    Real bars are better than simulated ones, then the track with more bars, then the raw one.
    """
    wanted = {"timeframe": str(timeframe), "names": sorted(set(symbols)), "first": first, "last": last}
    ends = {name: (a, b) for name, a, b in connection.execute(ENDS, wanted).fetchall() if a is not None}
    windows = [(name, *window) for name, (a, b) in ends.items() for window in _windows(a, b, len(ends), timeframe)]  # type: ignore[arg-type]
    if not windows:
        return []
    names, opens, closes = (list(column) for column in zip(*windows, strict=True))
    held = {"timeframe": str(timeframe), "names": names, "firsts": opens, "lasts": closes}
    rows = cast(list[tuple[str, str, str, str, int]], connection.execute(HELD, held).fetchall())
    found = [Track(*row, *(end.astimezone(UTC) for end in cast(Any, ends[row[0]]))) for row in rows]
    return sorted(found, key=lambda one: (one.symbol, not one.is_real, -one.rows, one.adjustment != RAW, str(one)))


def strip(
    connection: Connection, chosen: Sequence[Track], timeframe: Timeframe, first: datetime, last: datetime
) -> tuple[Strip, Strip | None]:
    """The first and, where there are any, the newest words on the bars that start from `first` until before `last`."""
    wanted = {"timeframe": str(timeframe), "first": first, "last": last, **_places(chosen)}
    with connection.cursor() as cursor, cursor.copy(sql.SQL(STRIPS), wanted) as copy:
        codes, bits = columns(b"".join(copy), len(COLUMNS))
    order = np.lexsort((bits[-1], bits[0], codes))
    codes, bits = codes[order], bits[:, order]
    names, later = tuple(track.symbol for track in chosen), bits[-1] > 0
    if not later.any():
        return _strip(names, codes, bits), None
    newest = later & ~np.append((codes[1:] == codes[:-1]) & (bits[0, 1:] == bits[0, :-1]), False)
    return _strip(names, codes[~later], bits[:, ~later]), _strip(names, codes[newest], bits[:, newest])


def days(connection: Connection, chosen: Sequence[Track], timeframe: Timeframe, among: Sequence[date]) -> list[date]:
    """Those New York days on which any of the tracks has a bar."""
    starts = [midnight(day) for day in among]
    wanted = {"timeframe": str(timeframe), "days": list(among), "firsts": starts, **_places(chosen)}
    wanted["lasts"] = [midnight(day + DAY) for day in among]
    return [cast(date, row[0]) for row in connection.execute(DAYS, wanted).fetchall()]


def following(
    connection: Connection, chosen: Sequence[Track], timeframe: Timeframe, after: datetime
) -> datetime | None:
    """The start of the first bar of any of the tracks at or after a moment, UTC."""
    row = connection.execute(NEXT, {"timeframe": str(timeframe), "after": after, **_places(chosen)}).fetchone()
    found = cast(datetime | None, row[0]) if row else None
    return None if found is None else found.astimezone(UTC)


def midnight(day: date) -> datetime:
    """The first instant of a day in New York, UTC."""
    return datetime.combine(day, time(), NEW_YORK).astimezone(UTC)


def _windows(first: datetime, last: datetime, symbols: int, timeframe: Timeframe) -> list[tuple[datetime, datetime]]:
    """The whole range where it is short; where it is long some days of it, or an hour of some days."""
    begin, end = (moment.astimezone(NEW_YORK).date() for moment in (first, last))
    length, rows = (end - begin).days + 1, LOOKED_AT // symbols
    if length * timeframe.per_session <= rows:
        return [(midnight(begin), midnight(end + DAY))]
    whole = rows // timeframe.per_session >= FEWEST
    count = min(max(rows // (timeframe.per_session if whole else 60), FEWEST), length)
    days = sorted({begin + DAY * round(n * (length - 1) / max(count - 1, 1)) for n in range(count)})
    if whole or timeframe is Timeframe.DAY_1:
        return [(midnight(day), midnight(day + DAY)) for day in days]
    hours = [(opened := midnight(day) + TO_THE_OPEN, opened + HOUR) for day in days]
    return [(first, min(first + HOUR, hours[0][0])), *hours, (max(last - HOUR, hours[-1][1]), last + TICK)]


def _places(chosen: Sequence[Track]) -> dict[str, list[str]]:
    return {
        "names": [track.symbol for track in chosen],
        "sources": [track.source for track in chosen],
        "feeds": [track.feed for track in chosen],
        "adjustments": [track.adjustment for track in chosen],
    }


def _strip(names: tuple[str, ...], codes: Any, bits: Any) -> Strip:
    column = dict(zip(COLUMNS, bits, strict=True))
    return Strip(
        names,
        codes,
        column["timestamp"] + int(EPOCH.astype("int64")),
        {name: column[name].view("float64") for name in PRICES},
        column["volume"],
        {name: column[name].view("float64") for name in ("trade_count", "vwap")},
    )


_EVERYBODYS: Final = "timeframe = %(timeframe)s AND world = ''"
_CHOSEN: Final = """
unnest(%(names)s::text[], %(sources)s::text[], %(feeds)s::text[], %(adjustments)s::text[]) WITH ORDINALITY
    AS p (symbol, source, feed, adjustment, n)
"""
_OF: Final = f"""
FROM market_data m
WHERE {_EVERYBODYS} AND m.symbol = p.symbol COLLATE "C" AND m.data_source = p.source COLLATE "C"
  AND m.feed = p.feed COLLATE "C" AND m.adjustment = p.adjustment COLLATE "C"
"""
_END: Final = f"""
(SELECT timestamp FROM market_data m
 WHERE {_EVERYBODYS} AND m.symbol = p.symbol COLLATE "C" AND timestamp BETWEEN %(first)s AND %(last)s
 ORDER BY timestamp {{}} LIMIT 1)
"""  # noqa: S608 - our own words
ENDS: Final = f"""
SELECT p.symbol, {_END.format("ASC")}, {_END.format("DESC")} FROM unnest(%(names)s::text[]) AS p (symbol)
"""  # noqa: S608 - our own words
HELD: Final = f"""
SELECT p.symbol, held.data_source, held.feed, held.adjustment, sum(held.rows)::int8
FROM unnest(%(names)s::text[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[]) AS p (symbol, first, last)
CROSS JOIN LATERAL (
    SELECT data_source, feed, adjustment, count(*) AS rows FROM market_data m
    WHERE {_EVERYBODYS} AND m.symbol = p.symbol COLLATE "C" AND timestamp >= p.first AND timestamp < p.last
      AND revision = 0
    GROUP BY data_source, feed, adjustment
) AS held
GROUP BY p.symbol, held.data_source, held.feed, held.adjustment
"""  # noqa: S608 - our own words
STRIPS: Final = f"""
COPY (
    SELECT p.n::int4 - 1, bars.*
    FROM {_CHOSEN}
    CROSS JOIN LATERAL (
        SELECT array_agg(timestamp), array_agg(open), array_agg(high), array_agg(low), array_agg(close),
               array_agg(volume), array_agg(coalesce(trade_count::float8, 'NaN')), array_agg(coalesce(vwap, 'NaN')),
               array_agg(revision::int8)
        {_OF} AND timestamp >= %(first)s AND timestamp < %(last)s
        HAVING count(*) > 0
    ) AS bars
) TO STDOUT (FORMAT binary)
"""  # noqa: S608 - our own words
DAYS: Final = f"""
SELECT d.day FROM unnest(%(days)s::date[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[]) AS d (day, first, last)
WHERE EXISTS (
    SELECT FROM {_CHOSEN} CROSS JOIN LATERAL (
        SELECT {_OF} AND timestamp >= d.first AND timestamp < d.last LIMIT 1
    ) AS one
)
ORDER BY d.day
"""  # noqa: S608 - our own words
NEXT: Final = f"""
SELECT min(one.timestamp) FROM {_CHOSEN} CROSS JOIN LATERAL (
    SELECT timestamp {_OF} AND timestamp >= %(after)s ORDER BY timestamp LIMIT 1
) AS one
"""  # noqa: S608 - our own words
