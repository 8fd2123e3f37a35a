"""What the baseline rule made of the last bars of one pair, as the trading component of the score has it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tandem.config import Settings
from tandem.screening.examination.score import returns_of
from tandem.screening.examination.spreads import Column, Legs
from tandem.screening.examination.trial import try_out


@dataclass(frozen=True, slots=True, eq=False)
class RuleRecord:
    """The baseline rule over bars of which nothing was fitted (STATISTICS 7).

    Attributes:
        first: position of the first of those bars.
        returns: of each bar to the next, net of costs, on the dollars of both legs, shape (bars - first - 1,).
        profits: of each closed round trip, likewise.
        durations: of each closed round trip, bars.
    """

    first: int
    returns: Column
    profits: Column
    durations: Column

    @classmethod
    def of(cls, log_a: ArrayLike, log_b: ArrayLike, settings: Settings, share: float) -> "RuleRecord | None":
        """Fit hedge, equilibrium and GARCH on the bars before the last `share` and trade that; None without a fit.

        Args:
            log_a, log_b: logs of closes on common bars, shape (bars,).
            settings: `screen.hedge`, `garch`, `rule` and `costs` are read.
        """
        a, b = (np.asarray(log, np.float64)[np.newaxis] for log in (log_a, log_b))
        legs = Legs(a, b, np.array([a.shape[1]]))
        trial = try_out(legs, settings, 1 - share)
        if 0 not in trial.fits or not np.isfinite(trial.half_life[0]):
            return None
        trades = trial.trades(0, settings.rule)
        positions = np.where(trial.tried, 0.0, np.nan)
        positions[0, trial.tried[0]] = trades.positions
        first = int(np.argmax(trial.tried[0]))
        returns = returns_of(positions, trial, legs, settings.costs)[0, first:]
        stays = [(trade.entry, trade.exit) for trade in trades.round_trips if trade.exit is not None]
        profits = np.array([returns[entry : leave + 1].sum() for entry, leave in stays])
        return cls(first, returns, profits, np.array([float(leave - entry) for entry, leave in stays]))
