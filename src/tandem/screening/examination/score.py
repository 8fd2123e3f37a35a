"""The composite score of many spreads at once (STATISTICS 5)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tandem.config import CostSettings
from tandem.screening.examination.hedge import hedged
from tandem.screening.examination.models import Models, fit_models, fit_walks
from tandem.screening.examination.spreads import Column, Legs, Matrix
from tandem.screening.examination.trial import Trial, try_out
from tandem.screening.market import Market
from tandem.statistics import diebold_marianos, probabilistic_sharpes, qlike

FIT_WEIGHT: Final = 0.4
VOLATILITY_WEIGHT: Final = 0.3
TRADING_WEIGHT: Final = 0.2
DIAGNOSTICS_WEIGHT: Final = 0.1
LEAST_ROUND_TRIPS: Final = 5
UNDECIDED: Final = 0.5
CLEAN_P: Final = 0.05


@dataclass(frozen=True, slots=True)
class Score:
    """Composite score of a pair; every part is a probability between 0 and 1 (STATISTICS 5).

    Attributes:
        total: 0.4 fit + 0.3 volatility + 0.2 trading + 0.1 diagnostics.
        fit: weight of evidence for reversion against none.
        volatility: probability that GARCH forecasts better than a constant variance, out of sample.
        trading: probability that the baseline rule's Sharpe ratio is positive, out of sample, net of costs.
        diagnostics: how clean the standardised residuals are.
        trading_round_trips: closed trades behind `trading`.
        notes: what a reader must know of the figures.
    """

    total: float
    fit: float
    volatility: float
    trading: float
    diagnostics: float
    trading_round_trips: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scores:
    """Composite scores of many pairs, as the columns of `Score`, shape (n,) each.

    Attributes:
        trial_converged: whether GARCH converged on the first four fifths.
    """

    total: Column
    fit: Column
    volatility: Column
    trading: Column
    diagnostics: Column
    round_trips: NDArray[np.int64]
    trial_converged: NDArray[np.bool_]


def score_pairs(legs: Legs, spreads: Matrix, models: Models, market: Market) -> Scores:
    """Composite scores of pairs over their formation window.

    Args:
        legs: the pairs.
        spreads: over the whole window, shape (n_pairs, n_bars).
        models: of those spreads, with reversion.
        market: the settings of GARCH, rule and costs as they will be traded.
    """
    trial = try_out(legs, market)
    fit, volatility = fit_component(models, fit_walks(spreads, market.garch)), volatility_component(trial)
    trading, round_trips = trading_component(trial, legs, market)
    diagnostics = diagnostics_component(models)
    total = (
        FIT_WEIGHT * fit + VOLATILITY_WEIGHT * volatility + TRADING_WEIGHT * trading + DIAGNOSTICS_WEIGHT * diagnostics
    )
    return Scores(total, fit, volatility, trading, diagnostics, round_trips, trial.converged)


def score_legs(legs: Legs, market: Market) -> Scores:
    """Composite scores of pairs that went through no gate, hedged as `screen.hedge` says.

    Args:
        legs: the pairs.
        market: the settings; its panel is not looked at.
    """
    measured = hedged(legs, market.screen.hedge)
    spreads = legs.spreads(measured["hedge_ratio"], measured["intercept"])
    return score_pairs(legs, spreads, fit_models(spreads, market.garch), market)


def fit_component(reverting: Models, walking: Models) -> Column:
    """Mean of the Akaike and the Schwarz weight of reversion against none.

    Without reversion (phi = 1) an AR(1) around an equilibrium has no equilibrium left: a walk without
    drift. A GARCH fit that did not converge does not compete.
    """
    akaike, schwarz = walking.least("aic") - reverting.least("aic"), walking.least("bic") - reverting.least("bic")
    return (_weight(akaike) + _weight(schwarz)) / 2


def volatility_component(trial: Trial) -> Column:
    """Normal CDF of the Diebold-Mariano statistic of `QLIKE(expanding constant) - QLIKE(GARCH)`.

    One step ahead over the last fifth; the proxy is the squared AR(1) innovation.
    """
    squares = trial.residuals**2
    counts = np.maximum(np.arange(squares.shape[1]) - 1, 1)
    before = np.cumsum(np.nan_to_num(squares), axis=1)
    expanding = np.column_stack((before[:, :1], before[:, :-1])) / counts
    proxy, constant, forecast = (
        np.where(trial.tried, values, np.nan) for values in (squares, expanding, trial.variances)
    )
    return diebold_marianos(qlike(proxy, constant), qlike(proxy, forecast)).probability


def trading_component(trial: Trial, legs: Legs, market: Market) -> tuple[Column, NDArray[np.int64]]:
    """Probabilistic Sharpe ratios of the baseline rule over the last fifth, net of costs, and its round trips.

    Under five round trips it is 0.5. Positions are taken at the close that decided; each change of
    position costs half the quoted spread and the commission on both legs. Impact needs a size and a
    volume, which a score has not.
    """
    positions, round_trips = trial.replay(market.rule)
    returns = returns_of(positions, trial, legs, market.costs)
    sharpes = probabilistic_sharpes(returns)
    return np.where(round_trips < LEAST_ROUND_TRIPS, UNDECIDED, sharpes), round_trips


def diagnostics_component(models: Models) -> Column:
    """Mean over Ljung-Box and ARCH-LM of the chosen models of `min(1, p / 0.05)`."""
    clean = (np.minimum(1.0, models.chosen(name) / CLEAN_P) for name in ("ljung_box_pvalue", "arch_lm_pvalue"))
    diagnostics: Column = sum(clean, np.zeros(len(models))) / 2
    return diagnostics


def returns_of(positions: Matrix, trial: Trial, legs: Legs, costs: CostSettings) -> Matrix:
    """Return on both legs' dollars per step of the last fifth: a dollar of a against |hedge| dollars of b.

    Args:
        positions: direction held from each bar to the next, shape (n_pairs, n_bars); NaN outside the last fifth.

    Returns:
        At each bar the return to the next one, NaN where there is none.
    """
    beta = np.abs(trial.hedge_ratio)[:, None]
    gross = positions[:, :-1] * np.diff(trial.spreads, axis=1) / (1 + beta)
    held = np.nan_to_num(positions)
    turnover = np.abs(np.diff(held, axis=1, prepend=0.0))
    charge = turnover * _cost_per_dollar(legs, beta, costs)
    ends = legs.bars - 1
    each = np.arange(len(ends))
    # The last bar has no step of its own: its charges, and the close of what is still held, fall on the step before.
    closing = (turnover[each, ends] + np.abs(held[each, ends])) * _cost_per_dollar(legs, beta, costs)[each, ends]
    charge[each, ends - 1] += closing
    returns: Matrix = gross - charge[:, :-1]
    return returns


def notes_of(round_trips: int, trial_converged: bool) -> tuple[str, ...]:
    """What a reader must know of a score's figures."""
    notes = []
    if round_trips < LEAST_ROUND_TRIPS:
        notes.append(f"trading counts as {UNDECIDED}: {round_trips} round trips, {LEAST_ROUND_TRIPS} are needed")
    if not trial_converged:
        notes.append("GARCH did not converge on the first four fifths")
    return tuple(notes)


def _cost_per_dollar(legs: Legs, beta: Matrix, costs: CostSettings) -> Matrix:
    commission = float(Decimal(costs.commission_per_share))
    per_share = (np.exp(-legs.log_a) + beta * np.exp(-legs.log_b)) / (1 + beta)
    cost: Matrix = costs.spread_bps / 2 * 1e-4 + commission * per_share
    return cost


def _weight(delta: Column) -> Column:
    weight: Column = 1 / (1 + np.exp(-np.clip(delta / 2, -500.0, 500.0)))
    return weight
