"""The last fifth of many windows as seen from the first four fifths (STATISTICS 5)."""

from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tandem.config import RuleSettings, Settings
from tandem.rules import Trades, inside_band, replay
from tandem.screening.examination.hedge import hedged
from tandem.screening.examination.spreads import Column, Legs, Matrix
from tandem.screening.market import Market
from tandem.statistics import Band, GarchFit, GarchTable, fit_garch, reversion_probability

FITTED_SHARE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Trial:
    """Everything here was fitted on the first four fifths and runs over the whole window.

    Attributes:
        spreads: with the hedge of the first four fifths, shape (n, n_obs).
        residuals, variances: of the GARCH fitted there, shape (n, n_obs), each from earlier bars only.
        hedge_ratio, mean, deviation, phi, half_life: measured there, shape (n,); NaN where nothing could be.
        fits: the GARCH fits of the pairs that have one, by position.
        converged: of those fits; False without one, shape (n,).
        tried: the bars of the last fifth, shape (n, n_obs).
    """

    spreads: Matrix
    residuals: Matrix
    variances: Matrix
    hedge_ratio: Column
    mean: Column
    deviation: Column
    phi: Column
    half_life: Column
    fits: dict[int, GarchFit]
    converged: NDArray[np.bool_]
    tried: NDArray[np.bool_]

    def replay(self, rule: RuleSettings) -> tuple[Matrix, NDArray[np.int64]]:
        """The baseline rule over the last fifths.

        Returns:
            The direction held after each bar, shape (n, n_obs), NaN outside the last fifth, and the closed trades
            of each pair, shape (n,).
        """
        positions, round_trips = np.where(self.tried, 0.0, np.nan), np.zeros(len(self.tried), np.int64)
        for row in self.fits:
            if np.isfinite(self.half_life[row]):
                trades = self.trades(row, rule)
                positions[row, self.tried[row]] = trades.positions
                round_trips[row] = len(trades.round_trips)
        return positions, round_trips

    def trades(self, row: int, rule: RuleSettings) -> Trades:
        """The baseline rule over one last fifth."""
        tried, garch, mean = self.tried[row], self.fits[row], float(self.mean[row])
        spread, residuals, variances = (
            values[row, tried].tolist() for values in (self.spreads, self.residuals, self.variances)
        )
        z = (self.spreads[row, tried] - mean) / self.deviation[row]
        half_life = float(self.half_life[row])

        longest = ceil(rule.max_half_lives * half_life) + 1

        @cache
        def bands(entry: int) -> list[Band]:
            return garch.bands(spread[entry], mean, residuals[entry], variances[entry], longest)

        def inside(direction: int, entry: int, now: int) -> bool:
            return inside_band(direction, spread[now], bands(entry)[now - entry - 1], rule)

        rho = float(self.phi[row]) ** max(1, round(half_life))
        return replay(z, reversion_probability(z, rho), inside, half_life, rule)


def try_out(legs: Legs, market: Market | Settings, fitted_share: float = FITTED_SHARE) -> Trial:
    """Fit hedge, equilibrium and GARCH on the first bars, four fifths of them, and run them over the whole window."""
    firsts = (legs.bars * fitted_share).astype(np.intp)
    bars = np.arange(legs.log_a.shape[1])
    fitted = bars < firsts[:, None]
    measured = hedged(legs.where(fitted), market.screen.hedge)
    spreads = legs.spreads(measured["hedge_ratio"], measured["intercept"])
    table = fit_garch(
        np.where(fitted, spreads, np.nan),
        distribution=market.garch.distribution,
        backcast=market.garch.backcast,
        threads=1,
    )
    residuals, variances = filtered(spreads, table)
    converged = np.zeros(len(legs), np.bool_)
    converged[table.row] = table.converged
    return Trial(
        spreads=spreads,
        residuals=residuals,
        variances=variances,
        **{name: measured[name] for name in ("hedge_ratio", "mean", "deviation", "phi", "half_life")},
        fits={int(row): table.fit(at) for at, row in enumerate(table.row)},
        converged=converged,
        tried=~fitted & (bars < legs.bars[:, None]),
    )


def filtered(spreads: Matrix, table: GarchTable) -> tuple[Matrix, Matrix]:
    """Residuals and conditional variances along spreads, each from earlier bars only; the first bar is NaN.

    Args:
        spreads: shape (n, n_obs).
        table: AR(1)-GARCH(1,1) of some of them; a row without a fit is NaN.
    """
    residuals, variances = np.full((2, *spreads.shape), np.nan)
    own = spreads[table.row]
    residuals[table.row, 1:] = own[:, 1:] - table.mu[:, None] - table.phi[:, None] * own[:, :-1]
    squares = np.vstack((table.backcast, residuals[table.row, 1:].T ** 2))
    paths, variance = np.empty_like(squares[1:]), table.backcast
    for bar, square in enumerate(squares[:-1]):
        variance = table.omega + table.alpha * square + table.beta * variance
        paths[bar] = variance
    variances[table.row, 1:] = paths.T
    return residuals, variances
