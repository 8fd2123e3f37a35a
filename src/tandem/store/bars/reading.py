"""Bars out of `market_data`, straight into arrays."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from psycopg import sql

from tandem.market import DataError
from tandem.store.bars import choice
from tandem.store.bars.binary import EPOCH, PRICES, columns
from tandem.store.bars.choice import Prefer, by_series
from tandem.store.connections import Connection

CHOICES: Final = ("data_source", "feed", "adjustment")
MIDNIGHT: Final = pd.Timedelta(hours=4)
COLUMNS: Final = ("timestamp", *PRICES, "volume", "trade_count", "vwap")


@dataclass(frozen=True, slots=True)
class Fetched:
    """Bars as they come: the symbol's place in the list asked for, and the bits of `COLUMNS`."""

    codes: NDArray[np.int32]
    bits: NDArray[np.int64]

    def whole(self, name: str) -> NDArray[np.int64]:
        """A column of integers."""
        values: NDArray[np.int64] = self.bits[COLUMNS.index(name)]
        return values

    def real(self, name: str) -> NDArray[np.float64]:
        """A column of floats."""
        return self.whole(name).view(np.float64)

    def in_order(self) -> "Fetched":
        """Sorted by symbol and time."""
        times = self.whole("timestamp")
        if ((np.diff(self.codes) > 0) | (np.diff(times) >= 0) & (np.diff(self.codes) == 0)).all():
            return self
        order = np.lexsort((times, self.codes))
        return Fetched(self.codes[order], self.bits[:, order])


def fetch(connection: Connection, names: list[str], wanted: dict[str, Any], revised: bool) -> Fetched:
    """The bars of these symbols, in no order."""
    chosen = [sql.SQL(f"AND {name} = %({name})s") for name in CHOICES if wanted[name] is not None]
    bars = sql.SQL(NEWEST if revised else FIRST).format(sql.SQL(" ").join(chosen))
    query = sql.SQL(BY_SYMBOL).format(bars)
    with connection.cursor() as cursor, cursor.copy(query, {**wanted, "names": names}) as copy:
        return Fetched(*columns(b"".join(copy), len(COLUMNS)))


def frame(fetched: Fetched, names: list[str]) -> pd.DataFrame:
    """A bars frame of what was fetched."""
    bars = fetched.in_order()
    _refuse_mixture(bars, names)
    extras = {name: bars.real(name) for name in ("trade_count", "vwap")}
    table: dict[str, object] = {
        "symbol": pd.array(names, dtype="str").take(bars.codes),
        "start": pd.Series(bars.whole("timestamp").astype("timedelta64[us]") + EPOCH).dt.tz_localize("UTC"),
        **{name: bars.real(name) for name in PRICES},
        "volume": bars.whole("volume"),
        **{name: values for name, values in extras.items() if not np.isnan(values).all()},
    }
    return pd.DataFrame(table)


def preferred(
    connection: Connection, names: list[str], wanted: dict[str, Any], revised: bool, prefer: Prefer
) -> pd.DataFrame:
    """A bars frame of the series that `prefer` chooses, see `Bars.read`."""
    chosen = by_series(choice.chosen(connection, names, wanted, prefer).values())
    frames = [_of_series(connection, series, places, wanted, revised) for series, places in sorted(chosen.items())]
    if not frames:
        return frame(fetch(connection, [], wanted, revised), [])
    if len(frames) == 1:
        return frames[0]
    return pd.concat(frames).sort_values(["symbol", "start"], ignore_index=True)


def _of_series(
    connection: Connection,
    series: tuple[str, str, str],
    places: set[choice.Place],
    wanted: dict[str, Any],
    revised: bool,
) -> pd.DataFrame:
    names = sorted({place[0] for place in places})
    bars = frame(fetch(connection, names, wanted | dict(zip(CHOICES, series, strict=True)), revised), names)
    if all(len(place) == 1 for place in places):
        return bars
    days = (bars["start"] - MIDNIGHT).dt.strftime("%Y-%m-%d")
    return bars[[place in places for place in zip(bars["symbol"], days, strict=True)]]


def _refuse_mixture(bars: Fetched, names: list[str]) -> None:
    twice = (np.diff(bars.codes) == 0) & (np.diff(bars.whole("timestamp")) == 0)
    if twice.any():
        symbol = names[bars.codes[int(twice.argmax())]]
        raise DataError(f"{symbol} has bars of several sources for the same time", "Name source, feed and adjustment")


BY_SYMBOL: Final = """
COPY (
    SELECT p.n::int4 - 1, bars.*
    FROM unnest(%(names)s::text[]) WITH ORDINALITY AS p (symbol, n)
    CROSS JOIN LATERAL (
        SELECT array_agg(timestamp), array_agg(open), array_agg(high), array_agg(low), array_agg(close),
               array_agg(volume), array_agg(coalesce(trade_count::float8, 'NaN')), array_agg(coalesce(vwap, 'NaN'))
        FROM ({}) AS chosen HAVING count(*) > 0
    ) AS bars
) TO STDOUT (FORMAT binary)
"""
_WHERE: Final = """
FROM market_data
WHERE timeframe = %(timeframe)s AND symbol = p.symbol COLLATE "C"
  AND timestamp >= %(first)s AND timestamp <= %(last)s AND world = %(world)s {}
"""
FIRST: Final = f"SELECT * {_WHERE} AND revision = 0"
_PLACE: Final = "timestamp, data_source, feed, adjustment"
NEWEST: Final = f"SELECT DISTINCT ON ({_PLACE}) * {_WHERE} ORDER BY {_PLACE}, revision DESC"
