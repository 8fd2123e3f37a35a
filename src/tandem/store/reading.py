"""Bars out of `market_data`, straight into arrays."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from psycopg import sql

from tandem.market import DataError
from tandem.store.binary import EPOCH, PRICES, parsed
from tandem.store.connections import Connection

FIELDS: Final = [
    ("code", ">i4"),
    ("timestamp", ">i8"),
    *((name, ">f8") for name in PRICES),
    ("volume", ">i8"),
    ("trade_count", ">f8"),
    ("vwap", ">f8"),
]
CHOICES: Final = ("data_source", "feed", "adjustment")


def fetch(connection: Connection, names: list[str], wanted: dict[str, Any], revised: bool) -> NDArray[np.void]:
    """The rows, in no order; `code` counts the names from 1."""
    chosen = [sql.SQL(f"AND m.{name} = %({name})s") for name in CHOICES if wanted[name] is not None]
    shape = NEWEST if revised else FIRST
    query = sql.SQL("COPY (" + shape + ") TO STDOUT (FORMAT binary)").format(sql.SQL(" ").join(chosen))
    with connection.cursor() as cursor, cursor.copy(query, {**wanted, "names": names}) as copy:
        return parsed(b"".join(copy), FIELDS)


def frame(rows: NDArray[np.void], names: list[str]) -> pd.DataFrame:
    """A bars frame of what was fetched."""
    codes = rows["code"].astype(np.int64) - 1
    times = rows["timestamp"].astype(np.int64)
    order = np.lexsort((times, codes))
    codes, times, rows = codes[order], times[order], rows[order]
    _refuse_mixture(codes, times, names)
    columns: dict[str, object] = {
        "symbol": pd.array(names, dtype="str").take(codes),
        "start": pd.Series(times.astype("timedelta64[us]") + EPOCH).dt.tz_localize("UTC"),
        **{name: rows[name].astype(np.float64) for name in PRICES},
        "volume": rows["volume"].astype(np.int64),
    }
    extras = {name: rows[name].astype(np.float64) for name in ("trade_count", "vwap")}
    known = {name: values for name, values in extras.items() if not np.isnan(values).all()}
    return pd.DataFrame({**columns, **known})


def _refuse_mixture(codes: NDArray[np.int64], times: NDArray[np.int64], names: list[str]) -> None:
    twice = (codes[1:] == codes[:-1]) & (times[1:] == times[:-1])
    if twice.any():
        symbol = names[codes[int(twice.argmax())]]
        raise DataError(f"{symbol} has bars of several sources for the same time", "Name source, feed and adjustment")


_FROM: Final = """
FROM market_data m JOIN unnest(%(names)s::text[]) WITH ORDINALITY AS p (symbol, n) ON m.symbol = p.symbol COLLATE "C"
WHERE m.timeframe = %(timeframe)s AND m.timestamp >= %(first)s AND m.timestamp <= %(last)s AND m.world = %(world)s {}
"""
_COLUMNS: Final = """
p.n::int4, m.timestamp, m.open, m.high, m.low, m.close, m.volume,
coalesce(m.trade_count::float8, 'NaN'), coalesce(m.vwap, 'NaN')
"""
_PLACE: Final = "m.symbol, m.timestamp, m.data_source, m.feed, m.adjustment"
FIRST: Final = f"SELECT {_COLUMNS} {_FROM} AND m.revision = 0"
NEWEST: Final = f"SELECT DISTINCT ON ({_PLACE}) {_COLUMNS} {_FROM} ORDER BY {_PLACE}, m.revision DESC"
