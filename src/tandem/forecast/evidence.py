"""Whether one forecast is better than another, on the same observations."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from tandem.forecast.features import Array


@dataclass(frozen=True)
class Evidence:
    """A one-sided Diebold-Mariano test; the null hypothesis: the challenger's expected loss is not lower.

    Attributes:
        statistic: mean loss difference over its standard error; positive where the challenger loses less.
        pvalue: probability of a statistic as large under the null.
        observations: how many pairs of losses.
    """

    statistic: float
    pvalue: float
    observations: int

    @classmethod
    def of(cls, champion: Array, challenger: Array, horizon: int) -> Self:
        """Compare two series of losses in time order, shape [n] each.

        The variance is Newey and West's with Bartlett weights over 1.5 horizons, for labels that span
        `horizon` bars overlap; the statistic is held to a t distribution with as many degrees of freedom
        as there are separate horizons less one (Diebold and Mariano 1995; Harvey, Leybourne and Newbold 1997
        for the t). Under three horizons there is no evidence: statistic 0, p 1.
        """
        from scipy.stats import t

        difference = np.asarray(champion, dtype=np.float64) - challenger
        separate = len(difference) / horizon
        variance = _long_run_variance(difference, int(np.ceil(1.5 * horizon))) if separate >= 3 else 0.0
        if variance <= 0:
            return cls(0.0, 1.0, len(difference))
        statistic = float(difference.mean() / np.sqrt(variance / len(difference)))
        return cls(statistic, float(t.sf(statistic, separate - 1)), len(difference))


def _long_run_variance(values: Array, lags: int) -> float:
    centred = values - values.mean()
    total = float(centred @ centred)
    for lag in range(1, min(lags, len(values) - 1) + 1):
        total += 2 * (1 - lag / (lags + 1)) * float(centred[lag:] @ centred[:-lag])
    return total / len(values)
