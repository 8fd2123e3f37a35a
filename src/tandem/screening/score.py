"""The composite score of a pair (STATISTICS 5)."""

from dataclasses import dataclass
from decimal import Decimal
from math import exp
from typing import Final

import numpy as np

from tandem.config import CostSettings, GarchSettings, RuleSettings, Settings
from tandem.rules import Trades, inside_band, replay
from tandem.statistics import (
    GarchFit,
    GarchPath,
    Hedge,
    Series,
    diebold_mariano,
    fit_constant,
    fit_equilibrium,
    fit_hedge,
    fit_spread,
    half_life,
    probabilistic_sharpe,
    qlike,
    reversion_probability,
)

FIT_WEIGHT: Final = 0.4
VOLATILITY_WEIGHT: Final = 0.3
TRADING_WEIGHT: Final = 0.2
DIAGNOSTICS_WEIGHT: Final = 0.1
FITTED_SHARE: Final = 0.8
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
class Models:
    """Four models of one spread on the same bars: with and without reversion, constant and GARCH variance."""

    constant: GarchFit
    garch: GarchFit
    walk_constant: GarchFit
    walk_garch: GarchFit

    @property
    def chosen(self) -> GarchFit:
        """The mean-reverting model with the lower AIC among those that converged."""
        return min(_converged(self.constant, self.garch), key=lambda fit: fit.aic)


@dataclass(frozen=True, slots=True)
class Trial:
    """The last fifth of a window as seen from the first four fifths.

    Attributes:
        spread: whole window with the hedge of the first four fifths, shape (n,).
        path: residuals and variances of the GARCH fitted on the first four fifths, shape (n,).
        garch: that fit.
        hedge: that hedge.
        first: position of the first bar that was not fitted on.
    """

    spread: Series
    path: GarchPath
    garch: GarchFit
    hedge: Hedge
    first: int


def fit_models(spread: Series, settings: GarchSettings) -> Models:
    """Fit all four models on the whole window.

    Args:
        spread: shape (n,).
        settings: innovations and initial variance.
    """
    return Models(
        constant=fit_constant(spread, settings),
        garch=fit_spread(spread, settings),
        walk_constant=fit_constant(spread, settings, reverts=False),
        walk_garch=fit_spread(spread, settings, reverts=False),
    )


def score_pair(log_a: Series, log_b: Series, models: Models, settings: Settings) -> Score:
    """Composite score of a pair over its formation window (STATISTICS 5).

    Args:
        log_a, log_b: log closes of the window, shape (n,), aligned.
        models: of the spread over the whole window.
        settings: GARCH, rule and costs as they will be traded.
    """
    trial = try_out(log_a, log_b, settings.garch)
    fit, volatility = fit_component(models), volatility_component(trial)
    trading, round_trips = trading_component(trial, log_a, log_b, settings.rule, settings.costs)
    diagnostics = diagnostics_component(models.chosen)
    weighted = (
        FIT_WEIGHT * fit + VOLATILITY_WEIGHT * volatility + TRADING_WEIGHT * trading + DIAGNOSTICS_WEIGHT * diagnostics
    )
    return Score(weighted, fit, volatility, trading, diagnostics, round_trips, _notes(trial, round_trips))


def fit_component(models: Models) -> float:
    """Mean of the Akaike and the Schwarz weight of reversion against none.

    Without reversion (phi = 1) an AR(1) around an equilibrium has no equilibrium left: a walk without
    drift. A GARCH fit that did not converge does not compete.
    """
    reverting = _converged(models.constant, models.garch)
    walking = _converged(models.walk_constant, models.walk_garch)
    akaike = min(fit.aic for fit in walking) - min(fit.aic for fit in reverting)
    schwarz = min(fit.bic for fit in walking) - min(fit.bic for fit in reverting)
    return (_weight(akaike) + _weight(schwarz)) / 2


def try_out(log_a: Series, log_b: Series, settings: GarchSettings) -> Trial:
    """Fit hedge, equilibrium and GARCH on the first four fifths and run them over the whole window."""
    first = int(log_a.size * FITTED_SHARE)
    hedge = fit_hedge(log_a[:first], log_b[:first])
    spread = hedge.spread(log_a, log_b)
    garch = fit_spread(spread[:first], settings)
    return Trial(spread, garch.filter(spread), garch, hedge, first)


def volatility_component(trial: Trial) -> float:
    """Normal CDF of the Diebold-Mariano statistic of `QLIKE(expanding constant) - QLIKE(GARCH)`.

    One step ahead over the last fifth; the proxy is the squared AR(1) innovation.
    """
    squares = trial.path.residuals[1:] ** 2
    expanding = np.cumsum(squares)[:-1] / np.arange(1, squares.size)
    proxy, forecast = squares[trial.first - 1 :], trial.path.variances[trial.first :]
    constant = expanding[trial.first - 2 :]
    return diebold_mariano(qlike(proxy, constant), qlike(proxy, forecast)).probability


def trading_component(
    trial: Trial, log_a: Series, log_b: Series, rule: RuleSettings, costs: CostSettings
) -> tuple[float, int]:
    """Probabilistic Sharpe ratio of the baseline rule over the last fifth, net of costs, and its round trips.

    Under five round trips it is 0.5. Positions are taken at the close that decided; each change of
    position costs half the quoted spread and the commission on both legs. Impact needs a size and a
    volume, which a score has not.
    """
    half = half_life(trial.spread[: trial.first])
    if half.bars is None:
        return UNDECIDED, 0
    trades = _replay(trial, half.phi ** max(1, round(half.bars)), half.bars, rule)
    round_trips = len(trades.round_trips)
    if round_trips < LEAST_ROUND_TRIPS:
        return UNDECIDED, round_trips
    return probabilistic_sharpe(_returns(trial, trades, log_a, log_b, costs)), round_trips


def diagnostics_component(fit: GarchFit) -> float:
    """Mean over Ljung-Box and ARCH-LM of `min(1, p / 0.05)`."""
    return (min(1.0, fit.ljung_box_pvalue / CLEAN_P) + min(1.0, fit.arch_lm_pvalue / CLEAN_P)) / 2


def _replay(trial: Trial, rho: float, bars: float, rule: RuleSettings) -> Trades:
    equilibrium = fit_equilibrium(trial.spread[: trial.first])
    spread, residuals, variances = (
        values[trial.first :] for values in (trial.spread, trial.path.residuals, trial.path.variances)
    )
    z = equilibrium.z(spread)

    def inside(direction: int, entry: int, now: int) -> bool:
        band = trial.garch.band(spread[entry], equilibrium.mean, residuals[entry], variances[entry], now - entry)
        return inside_band(direction, spread[now], band, rule)

    return replay(z, reversion_probability(z, rho), inside, bars, rule)


def _returns(trial: Trial, trades: Trades, log_a: Series, log_b: Series, costs: CostSettings) -> Series:
    """Return on both legs' dollars per step: a dollar of a against |hedge| dollars of b."""
    beta = abs(trial.hedge.hedge_ratio)
    held = trades.positions.astype(np.float64)
    gross = held[:-1] * np.diff(trial.spread[trial.first :]) / (1 + beta)
    turnover = np.abs(np.diff(held, prepend=0.0))
    turnover[-1] += abs(held[-1])
    charge = turnover * _cost_per_dollar(log_a[trial.first :], log_b[trial.first :], beta, costs)
    return gross - _as_steps(charge)


def _as_steps(charge: Series) -> Series:
    """Charges at bars as charges to the steps after them; the last bar's belong to the last step."""
    steps = charge[:-1].copy()
    steps[-1] += charge[-1]
    return steps


def _cost_per_dollar(log_a: Series, log_b: Series, beta: float, costs: CostSettings) -> Series:
    commission = float(Decimal(costs.commission_per_share))
    per_share = (np.exp(-log_a) + beta * np.exp(-log_b)) / (1 + beta)
    cost: Series = costs.spread_bps / 2 * 1e-4 + commission * per_share
    return cost


def _converged(constant: GarchFit, garch: GarchFit) -> tuple[GarchFit, ...]:
    return (constant, garch) if garch.converged else (constant,)


def _weight(delta: float) -> float:
    return 1 / (1 + exp(-max(min(delta / 2, 500.0), -500.0)))


def _notes(trial: Trial, round_trips: int) -> tuple[str, ...]:
    notes = []
    if round_trips < LEAST_ROUND_TRIPS:
        notes.append(f"trading counts as {UNDECIDED}: {round_trips} round trips, {LEAST_ROUND_TRIPS} are needed")
    if not trial.garch.converged:
        notes.append("GARCH did not converge on the first four fifths")
    return tuple(notes)
