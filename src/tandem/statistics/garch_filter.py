"""A GARCH path that grows with its spread: each bar once, none again."""

import numpy as np
from numpy.typing import ArrayLike

from tandem.statistics.garch import GarchFit, GarchPath
from tandem.statistics.series import series_of


class GarchFilter:
    """`GarchFit.filter` taken up where it stands: bars come in runs of any length, and may be taken back.

    Whatever the runs, the path is the one that a single pass over all bars gives, bit for bit.

    Args:
        fit: whose recursion it is; it starts from the fit's backcast.
    """

    def __init__(self, fit: GarchFit) -> None:
        self._fit = fit
        self._values: list[float] = []
        self._residuals: list[float] = []
        self._variances: list[float] = []

    def __len__(self) -> int:
        """Bars seen."""
        return len(self._values)

    def extend(self, spread: ArrayLike) -> None:
        """See the next bars: spread units, shape (n,)."""
        for value in (series_of(spread, least=0) / self._fit.scale).tolist():
            self._see(value)

    def cut(self, bars: int) -> None:
        """Forget all but the first `bars` bars."""
        del self._values[bars:], self._residuals[bars:], self._variances[bars:]

    def path(self, bars: int | None = None) -> GarchPath:
        """Residuals and variances of the newest `bars` bars, all of them where None; spread units."""
        first = 0 if bars is None else max(len(self) - bars, 0)
        scale = self._fit.scale
        return GarchPath(np.array(self._residuals[first:]) * scale, np.array(self._variances[first:]) * scale**2)

    def _see(self, value: float) -> None:
        fit = self._fit
        residual = variance = np.nan
        if self._values:
            residual = value - fit.mu - fit.phi * self._values[-1]
            began = len(self._values) > 1
            square = self._residuals[-1] * self._residuals[-1] if began else fit.backcast
            variance = fit.omega + fit.alpha * square + fit.beta * (self._variances[-1] if began else fit.backcast)
        self._values.append(value)
        self._residuals.append(residual)
        self._variances.append(variance)
