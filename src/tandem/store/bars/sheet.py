"""Frames and panels laid out from stretches of bars."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

import numpy as np
import pandas as pd

from tandem.market import Timeframe
from tandem.store.bars.binary import PRICES
from tandem.store.bars.block import Column, Stretch
from tandem.store.bars.grid import Places, align
from tandem.store.bars.panel import Panel

EXTRAS: Final = ("trade_count", "vwap")
FIELDS: Final = ("open", "close", "volume")
COLUMNS: Final = ("timestamp", *FIELDS)


def frame_of(stretches: Sequence[Stretch]) -> pd.DataFrame:
    """A bars frame of stretches that are in order."""
    symbols = [(symbol, sum(map(len, own))) for symbol, own in groupby(stretches, key=lambda one: one.symbol)]
    codes = np.repeat(np.arange(len(symbols)), [count for _, count in symbols])
    table: dict[str, object] = {
        "symbol": pd.array([symbol for symbol, _ in symbols], dtype="str").take(codes),
        "start": pd.DatetimeIndex(_joined(stretches, "timestamp", "datetime64[us]"), tz="UTC"),
        **{name: _joined(stretches, name, "float64") for name in PRICES},
        "volume": _joined(stretches, "volume", "int64"),
    }
    extras = {name: _joined(stretches, name, "float64") for name in EXTRAS}
    return pd.DataFrame(table | {name: one for name, one in extras.items() if not np.isnan(one).all()}, copy=False)


def panel_of(stretches: Sequence[Stretch], timeframe: Timeframe) -> Panel:
    """The panel of stretches that are in order, no two with bars of one symbol at one time."""
    symbols = [symbol for symbol, _ in groupby(stretches, key=lambda one: one.symbol)]
    starts, places = align([one["timestamp"] for one in stretches])
    matrices = [np.full((len(symbols), len(starts)), np.nan) for _ in FIELDS]
    for (row, stretch), at in zip(_rows(stretches), map(_run, places), strict=True):
        for matrix, name in zip(matrices, FIELDS, strict=True):
            matrix[row, at] = stretch[name]
    return Panel.whole(symbols, timeframe, starts, *matrices)


def _joined(stretches: Sequence[Stretch], name: str, kind: str) -> Column:
    joined: Column = np.concatenate([np.empty(0, dtype=kind), *(one[name] for one in stretches)])
    return joined


def _rows(stretches: Sequence[Stretch]) -> Iterator[tuple[int, Stretch]]:
    for row, (_, own) in enumerate(groupby(stretches, key=lambda one: one.symbol)):
        for stretch in own:
            yield row, stretch


def _run(places: Places) -> "Places | slice":
    """A slice where the places follow each other: copying that is quicker."""
    first, last = int(places[0]), int(places[-1])
    return slice(first, last + 1) if last - first + 1 == len(places) else places
