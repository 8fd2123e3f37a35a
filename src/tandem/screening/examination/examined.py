"""What was measured of the spreads that came through the family's gates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """Figures of spreads, one row per pair, each shape (n,); NaN where a pair was refused before it was measured.

    Attributes:
        row: of the pair in its table.
        bars: common bars.
        hedge_ratio, intercept: of the spread, by the method of `screen.hedge` (STATISTICS 1).
        mean, deviation: of the spread.
        phi, half_life: least squares AR(1); bars, infinite where the spread does not come back.
        hurst, crossing_rate, variance_ratio: of the spread.
        garch_converged: 1 or 0.
        persistence: alpha + beta of the GARCH fit.
        ljung_box_pvalue, arch_lm_pvalue: of the chosen variance model's standardised residuals.
        fit, volatility, trading, diagnostics, score: composite score and its components (STATISTICS 5).
        round_trips: closed trades behind `trading`.
        trial_converged: whether GARCH converged on the first four fifths, 1 or 0.
    """

    row: NDArray[np.int64]
    bars: Column
    hedge_ratio: Column
    intercept: Column
    mean: Column
    deviation: Column
    phi: Column
    half_life: Column
    hurst: Column
    crossing_rate: Column
    variance_ratio: Column
    garch_converged: Column
    persistence: Column
    ljung_box_pvalue: Column
    arch_lm_pvalue: Column
    fit: Column
    volatility: Column
    trading: Column
    diagnostics: Column
    score: Column
    round_trips: Column
    trial_converged: Column

    @classmethod
    def unmeasured(cls, row: NDArray[np.int64]) -> Self:
        """Nothing known yet of these pairs."""
        return cls(row, *(np.full(row.size, np.nan) for _ in cls.columns()))

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> Self:
        """Several tables as one, in their order."""
        tables = [cls.unmeasured(np.empty(0, np.int64)), *parts]
        return cls(*(np.concatenate([getattr(part, name) for part in tables]) for name in ("row", *cls.columns())))

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Names of the measured figures."""
        return tuple(field.name for field in fields(cls) if field.name != "row")

    def write(self, rows: NDArray[np.intp], figures: Mapping[str, NDArray[np.generic]]) -> None:
        """Put figures of some rows in their columns."""
        for name, values in figures.items():
            getattr(self, name)[rows] = values

    def __len__(self) -> int:
        return self.row.size
