"""Sound bars from broken ones, a whole frame at a time; the laws are `tandem.market.flaw_of`'s."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tandem.market import DataError, flaw_of

REQUIRED: Final = ("symbol", "start", "open", "high", "low", "close", "volume")
OPTIONAL: Final = ("trade_count", "vwap")
EARLIEST: Final = np.datetime64("1900-01-01", "us")
MOST_SHARES: Final = 2.0**53 - 1
LATEST: Final = np.datetime64("2100-01-01", "us")

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that is no bar: what was given, and why it cannot be one."""

    given: dict[str, str | None]
    reason: str


@dataclass(frozen=True, slots=True)
class Sound:
    """Bars that obey the laws, sorted by symbol and start, no two of the same.

    Attributes:
        names: the symbols, sorted; shape (symbols,).
        codes: which of `names` each bar has; shape (bars,).
        start: datetime64[us], UTC; shape (bars,).
        prices: open, high, low, close in dollars; shape (4, bars).
        volume: shares; shape (bars,).
        extras: `trade_count` and `vwap` where given, NaN where unknown.
    """

    names: list[str]
    codes: NDArray[np.int64]
    start: NDArray[np.datetime64]
    prices: Floats
    volume: NDArray[np.int64]
    extras: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.start)

    def where(self, wanted: Flags) -> "Sound":
        """Only those."""
        extras = {name: values[wanted] for name, values in self.extras.items()}
        chosen = (self.codes[wanted], self.start[wanted], self.prices[:, wanted], self.volume[wanted])
        return Sound(self.names, *chosen, extras)


def sift(bars: pd.DataFrame) -> tuple[Sound, list[Broken]]:
    """The bars that can be stored, and the rows that cannot.

    Raises:
        DataError: a column is missing altogether.
    """
    if missing := [name for name in REQUIRED if name not in bars.columns]:
        raise DataError(f"bars without the column {', '.join(missing)}", f"Give {', '.join(REQUIRED)}")
    figures = np.vstack([_numbers(bars[name]) for name in (*REQUIRED[2:], *(n for n in OPTIONAL if n in bars.columns))])
    start, time_flaws = _times(bars["start"])
    named = _named(bars["symbol"])
    sound = named & (time_flaws == "") & _lawful(figures)
    table = _table(bars["symbol"][sound], start[sound], figures[:, sound], [n for n in OPTIONAL if n in bars.columns])
    rows = np.flatnonzero(sound)
    repeated = rows[table[1]]
    broken = [*_broken(bars, figures, named, time_flaws, np.flatnonzero(~sound)), *_repeats(bars, repeated)]
    return table[0], broken


def _numbers(column: "pd.Series[Any]") -> Floats:
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _named(symbols: "pd.Series[Any]") -> Flags:
    values, names = pd.factorize(symbols)
    good = np.array([isinstance(name, str) and _is_symbol(name) for name in names] + [False], dtype=bool)
    return good[values]


def _is_symbol(name: str) -> bool:
    return bool(name) and name == name.strip() and name.isprintable() and len(name.encode()) <= 64


def _times(column: "pd.Series[Any]") -> tuple[NDArray[np.datetime64], NDArray[np.object_]]:
    """Starts in UTC, and for each what is wrong with it or an empty string."""
    flaws = np.full(len(column), "", dtype=object)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        start = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    else:
        start = np.array([_moment(value, flaws, n) for n, value in enumerate(column)], dtype="datetime64[us]")
    flaws[np.isnat(start) & (flaws == "")] = "no start"
    with np.errstate(invalid="ignore"):
        flaws[((start < EARLIEST) | (start >= LATEST)) & (flaws == "")] = "a start outside the years 1900 to 2099"
    return start, flaws


def _moment(value: object, flaws: NDArray[np.object_], n: int) -> "np.datetime64 | None":
    if not isinstance(value, datetime) or pd.isna(value):
        return None
    if value.tzinfo is None:
        flaws[n] = "a start without a zone"
        return None
    return np.datetime64(value.astimezone(UTC).replace(tzinfo=None), "us")


def _lawful(figures: Floats) -> Flags:
    opens, highs, lows, closes, volume = figures[:5]
    with np.errstate(invalid="ignore"):
        return np.asarray(
            np.isfinite(figures[:5]).all(axis=0)
            & (figures[:4] > 0).all(axis=0)
            & (lows <= np.minimum(opens, closes))
            & (np.maximum(opens, closes) <= highs)
            & (volume >= 0)
            & (volume <= MOST_SHARES)
            & (volume == np.floor(volume))
        )


def _table(
    symbols: "pd.Series[Any]", start: NDArray[np.datetime64], figures: Floats, extras: list[str]
) -> tuple[Sound, NDArray[np.int64]]:
    """The bars in order, and which of the rows given repeat an earlier one."""
    codes, names = pd.factorize(symbols, sort=True)
    order = np.lexsort((start, codes))
    if not _is_sorted(order):
        codes, start, figures = codes[order], start[order], figures[:, order]
    repeats = np.zeros(len(start), dtype=bool)
    repeats[1:] = (codes[1:] == codes[:-1]) & (start[1:] == start[:-1])
    more = {name: _known(figures[5 + n]) for n, name in enumerate(extras)}
    sound = Sound([str(name) for name in names], codes, start, figures[:4], figures[4].astype(np.int64), more)
    return (sound.where(~repeats) if repeats.any() else sound), order[repeats]


def _known(values: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.where((values >= 0) & (values <= MOST_SHARES), values, np.nan)


def _is_sorted(order: NDArray[np.int64]) -> bool:
    return bool((order[1:] > order[:-1]).all())


def _broken(
    bars: pd.DataFrame, figures: Floats, named: Flags, time_flaws: NDArray[np.object_], rows: NDArray[np.int64]
) -> list[Broken]:
    known = bars["flaw"].to_list() if "flaw" in bars else [""] * len(bars)

    def why(row: int) -> str:
        flaw = known[row] or (time_flaws[row] if named[row] else "no symbol")
        return str(flaw) or flaw_of(*figures[:5, row].tolist()) or f"volume {figures[4, row]} is not a count of shares"

    return [Broken(_given(bars, row), why(row)) for row in rows.tolist()]


def _repeats(bars: pd.DataFrame, rows: NDArray[np.int64]) -> list[Broken]:
    return [Broken(_given(bars, row), "given twice in one load; the first was taken") for row in rows.tolist()]


def _given(bars: pd.DataFrame, row: int) -> dict[str, str | None]:
    return {str(name): _text(bars[name].iloc[row]) for name in bars.columns}


def _text(value: object) -> str | None:
    return None if value is None else str(value).replace("\0", "\ufffd")
