"""What the bars of a stretch of time hash to, symbol by symbol."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from tandem.market import World
from tandem.store.bars.series import world_name
from tandem.store.connections import Connection


@dataclass(frozen=True, slots=True)
class BarDigest:
    """The bars of one symbol and length.

    Attributes:
        timeframe: their length.
        rows: how many there are, revisions included.
        revisions: how many of them are later words on a bar.
        digest: SHA-256 of every figure of them; the same in each world that has heard the same.
    """

    timeframe: str
    symbol: str
    rows: int
    revisions: int
    digest: str


def digests(connection: Connection, first: datetime, before: datetime, world: World) -> list[BarDigest]:
    """Everybody's bars and a world's own that start from `first` until before another time, by timeframe and symbol."""
    wanted = {"first": first, "before": before, "world": world_name(world)}
    rows = connection.execute(DIGESTS, wanted).fetchall()
    return [BarDigest(*cast(tuple[str, str, int, int, str], row)) for row in rows]


DIGESTS: Final = """
SELECT timeframe, symbol, count(*), count(*) FILTER (WHERE revision > 0),
       encode(sha256(convert_to(string_agg(figures, E'\\n' ORDER BY figures COLLATE "C"), 'UTF8')), 'hex')
FROM (
    SELECT timeframe, symbol, revision, concat_ws(
        '|', (extract(epoch FROM timestamp) * 1000000)::bigint, data_source, feed, adjustment, world <> '', revision,
        open, high, low, close, volume, coalesce(trade_count::text, ''), coalesce(vwap::text, '')
    ) AS figures
    FROM market_data WHERE timestamp >= %(first)s AND timestamp < %(before)s AND world IN ('', %(world)s)
) AS stretch
GROUP BY timeframe, symbol ORDER BY timeframe, symbol
"""
