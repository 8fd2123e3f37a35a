"""Bars of many symbols side by side."""

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from tandem.market import Timeframe

if TYPE_CHECKING:
    import pandas as pd

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars of many symbols on one grid of times; NaN where a symbol has no bar.

    Attributes:
        symbols: sorted.
        timeframe: of the bars.
        starts: of the bars, UTC, datetime64[us], sorted, shape (n_bars,): every time at which any symbol has a bar.
        opens, closes: dollars per share, shape (n_symbols, n_bars).
        volumes: shares, shape (n_symbols, n_bars).
        version: SHA-256 of all of it (`data_version`): the same bars have the same one, wherever they were read from.
    """

    symbols: tuple[str, ...]
    timeframe: Timeframe
    starts: NDArray[np.datetime64]
    opens: Matrix
    closes: Matrix
    volumes: Matrix
    version: str

    @classmethod
    def of(cls, bars: "pd.DataFrame", timeframe: Timeframe) -> Self:
        """The panel that a bars frame holds.

        Raises:
            ValueError: two bars of one symbol have the same start.
        """
        wide = bars.pivot(index="symbol", columns="start", values=["open", "close", "volume"]).sort_index()
        symbols = tuple(map(str, wide.index))
        starts = wide["close"].columns.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]")
        fields = [np.ascontiguousarray(wide[name].to_numpy(np.float64)) for name in ("open", "close", "volume")]
        return cls(symbols, timeframe, starts, *fields, _digest(symbols, timeframe, starts, *fields))

    def __len__(self) -> int:
        return len(self.symbols)


def _digest(symbols: tuple[str, ...], timeframe: Timeframe, starts: NDArray[np.datetime64], *fields: Matrix) -> str:
    digest = sha256(f"{timeframe} {' '.join(symbols)}".encode())
    for array in (starts, *fields):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
