"""Blocks of bars out of `market_data`: everybody's, the first word on each."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tandem.market import Timeframe
from tandem.store.bars.binary import EPOCH, labelled
from tandem.store.bars.block import COLUMNS, Block, Of
from tandem.store.connections import Connection

Bits = NDArray[np.int64]


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """Whatever is read within was committed before one and the same moment."""
    with connection.transaction():
        connection.execute(SNAPSHOT)
        yield


def fetch_blocks(
    connection: Connection, names: Sequence[str], timeframe: Timeframe, begin: datetime, end: datetime
) -> list[Block]:
    """The bars of these symbols that start from `begin` until before `end`, a block for each series."""
    wanted: dict[str, Any] = {"timeframe": str(timeframe), "names": sorted(set(names)), "begin": begin, "end": end}
    with connection.cursor() as cursor, cursor.copy(BLOCKS, wanted) as copy:
        rows = labelled(b"".join(copy), 3, len(COLUMNS))
    found: dict[Of, dict[str, Bits]] = {}
    for n, (source, feed, adjustment), bits in rows:
        found.setdefault((source, feed, adjustment), {})[wanted["names"][n]] = bits
    return [_block(series, by_symbol) for series, by_symbol in sorted(found.items())]


def _block(series: Of, by_symbol: dict[str, Bits]) -> Block:
    of = {name: _in_order(by_symbol[name]) for name in sorted(by_symbol)}
    bits = np.concatenate(list(of.values()), axis=1)
    columns = {name: bits[n] if name == "volume" else bits[n].view(np.float64) for n, name in enumerate(COLUMNS)}
    columns["timestamp"] = bits[0].astype("timedelta64[us]") + EPOCH
    return Block(series, {name: one.shape[1] for name, one in of.items()}, columns)


def _in_order(bits: Bits) -> Bits:
    return bits if (np.diff(bits[0]) > 0).all() else bits[:, np.argsort(bits[0])]


# Without fresh statistics the planner would sort every bar to group it.
SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL enable_sort = off"
BLOCKS: Final = """
COPY (
    SELECT p.n::int4 - 1, bars.*
    FROM unnest(%(names)s::text[]) WITH ORDINALITY AS p (symbol, n)
    CROSS JOIN LATERAL (
        SELECT data_source, feed, adjustment,
               array_agg(timestamp), array_agg(open), array_agg(high), array_agg(low), array_agg(close),
               array_agg(volume), array_agg(coalesce(trade_count::float8, 'NaN')), array_agg(coalesce(vwap, 'NaN'))
        FROM market_data
        WHERE timeframe = %(timeframe)s AND symbol = p.symbol COLLATE "C" AND timestamp >= %(begin)s
          AND timestamp < %(end)s AND world = '' AND revision = 0
        GROUP BY data_source, feed, adjustment
    ) AS bars
) TO STDOUT (FORMAT binary)
"""
