"""Bars taken out of `market_data` again; the notes of the change make the cache follow."""

from collections.abc import Sequence

from tandem.market import Timeframe
from tandem.store.connections import Connection


def remove(connection: Connection, source: str, timeframes: Sequence[Timeframe], symbol: str) -> int:
    """Inside a transaction: take out everybody's bars, and their quarantine; how many bars."""
    wanted = {"source": source, "timeframes": [str(timeframe) for timeframe in timeframes], "symbol": symbol}
    connection.execute(QUARANTINED, wanted)
    return connection.execute(BARS, wanted).rowcount


_OF = "data_source = %(source)s AND timeframe = ANY(%(timeframes)s::text[]) AND world = ''"
BARS = f"DELETE FROM market_data WHERE {_OF} AND (%(symbol)s = '' OR symbol = %(symbol)s)"  # noqa: S608 - our words
QUARANTINED = f"""
DELETE FROM bars_quarantine WHERE {_OF} AND (%(symbol)s = '' OR given ->> 'symbol' = %(symbol)s)
"""  # noqa: S608 - our words
