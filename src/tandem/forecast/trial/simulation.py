"""Recipes whose true worth is known: what the comparison and the watch are tested and measured on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import log, sqrt
from typing import Final

import numpy as np

from tandem.forecast.features import Array
from tandem.forecast.labels import horizon_of, reverts
from tandem.forecast.trial.grades import Grades
from tandem.forecast.trial.track import Track
from tandem.statistics import reversion_probability

BARS: Final = 6
"""Forecasts of a pair in a session."""
CAPITAL: Final = 100_000.0
VARIANCE: Final = 1e-5
FIRST: Final = np.datetime64("2022-01-03")


@dataclass(frozen=True, slots=True)
class Worth:
    """What a simulated recipe is worth.

    Attributes:
        sharpe: true Sharpe ratio of its book, a year.
        blur: standard deviation of what it adds to the best log odds there are: 0 is the best forecast possible.
        tilt: what it adds to them always: not 0 is miscalibrated.
    """

    sharpe: float = 0.0
    blur: float = 0.5
    tilt: float = 0.0


@dataclass(frozen=True, slots=True)
class Market:
    """Ornstein-Uhlenbeck spreads and the sessions they are traded in.

    Attributes:
        sessions: how many.
        pairs: independent ones.
        half_life: of each spread, in bars; also how long what a recipe adds to the log odds lasts.
        shared: part of two books' daily variance that they have in common: they trade the same pairs.
        freedom: degrees of freedom of a day's P&L, Student's t.
        deviation: of a day's return.
    """

    sessions: int = 250
    pairs: int = 8
    half_life: float = 9.0
    shared: float = 0.7
    freedom: float = 4.0
    deviation: float = 0.004


def simulate_tracks(market: Market, recipes: Mapping[str, Worth], seed: int) -> dict[str, Track]:
    """The record of each recipe on the same spreads; recipes of equal worth differ by luck alone."""
    generator = np.random.default_rng(seed)
    spread = _autoregressive(generator, market)
    common = _days(generator, market)
    return {
        name: Track(name, _grades(generator, market, spread, worth), _pnl(generator, market, common, worth), CAPITAL)
        for name, worth in recipes.items()
    }


def _autoregressive(generator: np.random.Generator, market: Market) -> Array:
    """Unit-variance AR(1) paths of the market's half-life, shape [bars, pairs]."""
    from scipy.signal import lfilter

    phi = np.exp(-log(2) / market.half_life)
    noise = generator.standard_normal((market.sessions * BARS, market.pairs))
    noise[1:] *= sqrt(1 - phi**2)
    return np.asarray(lfilter([1.0], [1.0, -phi], noise, axis=0))


def _days(generator: np.random.Generator, market: Market) -> Array:
    drawn = generator.standard_t(market.freedom, market.sessions)
    return np.asarray(drawn * sqrt((market.freedom - 2) / market.freedom))


def _pnl(generator: np.random.Generator, market: Market, common: Array, worth: Worth) -> dict[date, float]:
    own = _days(generator, market)
    luck = sqrt(market.shared) * common + sqrt(1 - market.shared) * own
    earned = CAPITAL * market.deviation * (luck + worth.sharpe / sqrt(252))
    days = np.busday_offset(FIRST, np.arange(market.sessions))
    return dict(zip(days.tolist(), earned.tolist(), strict=True))


def _grades(generator: np.random.Generator, market: Market, spread: Array, worth: Worth) -> Grades:
    horizon = horizon_of(market.half_life)
    best = reversion_probability(spread, float(np.exp(-log(2) / market.half_life) ** horizon))
    odds = np.log(best / (1 - best)) + worth.blur * _autoregressive(generator, market) + worth.tilt
    labels = np.column_stack([reverts(path, 0.0, horizon) for path in spread.T])
    days = np.repeat(np.busday_offset(FIRST, np.arange(market.sessions)), BARS)
    times = days.astype("datetime64[s]") + np.tile(np.arange(BARS) + 15, market.sessions).astype("timedelta64[h]")
    count = spread.size
    return Grades(
        pairs=np.tile([f"A{pair}/B{pair}" for pair in range(market.pairs)], len(spread)),
        at=np.repeat(times, market.pairs),
        sessions=np.repeat(days, market.pairs),
        models=np.full(count, "gru"),
        horizons=np.full(count, float(horizon)),
        probability=(1 / (1 + np.exp(-odds))).ravel(),
        baseline=np.asarray(best, dtype=np.float64).ravel(),
        labels=labels.ravel(),
        residuals=sqrt(VARIANCE) * np.random.default_rng(count).standard_normal(count),
        variances=np.full(count, VARIANCE),
    )
