"""Bars whose truth is known: cointegrated pairs among unrelated walks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from math import exp, log
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from tandem.market import NEW_YORK, DataError, Pair, Session, Timeframe

if TYPE_CHECKING:
    import pandas as pd

    from tandem.store import Loaded, Store

SOURCE: Final = "simulated"
ARCH: Final = 0.08
GARCH: Final = 0.88
PLACES: Final = 4

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TruePair:
    """A pair that is cointegrated by construction: `log a = alpha + beta log b + s`.

    Attributes:
        pair: leg a, leg b.
        alpha, beta: the hedge, in logarithms.
        half_life: of the spread s, in bars.
        deviation: unconditional standard deviation of s.
    """

    pair: Pair
    alpha: float
    beta: float
    half_life: float
    deviation: float


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """Bars that never traded, and what is true of them.

    Attributes:
        bars: a bars frame; symbols `SIMA1, SIMB1, ...` for the pairs and `SIMW1, ...` for the walks.
        timeframe: length of the bars.
        truth: every pair that is cointegrated; any other two symbols are not.
    """

    bars: "pd.DataFrame"
    timeframe: Timeframe
    truth: tuple[TruePair, ...]


def simulate(
    sessions: Sequence[Session],
    timeframe: Timeframe = Timeframe.MIN_5,
    *,
    pairs: int = 2,
    walks: int = 4,
    seed: int = 7,
    half_life: float = 20.0,
    volatility: float = 0.0015,
) -> Simulated:
    """Cointegrated Ornstein-Uhlenbeck pairs with GARCH(1,1) noise, and random walks beside them.

    Args:
        sessions: the trading days to fill, in order; every bar of theirs is there.
        timeframe: length of the bars.
        pairs: how many cointegrated pairs, two symbols each.
        walks: how many symbols that have nothing to do with any other.
        seed: same seed, same bars; a pair keeps its prices when others are added.
        half_life: of the spreads, in bars.
        volatility: standard deviation of a walk's log return per bar; the spreads' noise has half of it.

    Raises:
        DataError: no sessions, or a half-life that is not positive.
    """
    if not sessions or half_life <= 0:
        raise DataError("a simulation needs sessions and a positive half-life")
    starts = _starts(sessions, timeframe)
    frames, truth = [], []
    for number in range(1, pairs + 1):
        legs, known = _pair(number, len(starts), np.random.default_rng([seed, 0, number]), half_life, volatility)
        frames += [_frame(symbol, starts, *figures) for symbol, figures in legs.items()]
        truth.append(known)
    for number in range(1, walks + 1):
        rng = np.random.default_rng([seed, 1, number])
        frames.append(_frame(f"SIMW{number}", starts, _walk(len(starts), rng, volatility), rng))
    return Simulated(_together(frames), timeframe, tuple(truth))


def load(store: "Store", simulated: Simulated) -> "Loaded":
    """Put simulated bars into the store, marked `simulated`."""
    return store.bars.load(simulated.bars, timeframe=simulated.timeframe, source=SOURCE)


def _pair(
    number: int, count: int, rng: np.random.Generator, half_life: float, volatility: float
) -> tuple[dict[str, tuple[Floats, np.random.Generator]], TruePair]:
    beta = float(rng.uniform(0.6, 1.6))
    alpha = float(rng.normal(0, 0.3))
    b = _walk(count, rng, volatility)
    noise = volatility / 2
    a = alpha + beta * b + _ornstein_uhlenbeck(count, rng, half_life, noise)
    decay = exp(-log(2) / half_life)
    pair = Pair(f"SIMA{number}", f"SIMB{number}")
    truth = TruePair(pair, alpha, beta, half_life, noise / (1 - decay**2) ** 0.5)
    return {pair.a: (a, rng), pair.b: (b, rng)}, truth


def _walk(count: int, rng: np.random.Generator, volatility: float) -> Floats:
    start = log(rng.uniform(30, 200))
    return np.asarray(start + np.cumsum(_garch(count, rng, volatility)), dtype=np.float64)


def _ornstein_uhlenbeck(count: int, rng: np.random.Generator, half_life: float, noise: float) -> Floats:
    decay = exp(-log(2) / half_life)
    shocks = _garch(count, rng, noise)
    spread = np.empty(count)
    level = float(rng.normal(0, noise / (1 - decay**2) ** 0.5))
    for step in range(count):
        level = decay * level + shocks[step]
        spread[step] = level
    return spread


def _garch(count: int, rng: np.random.Generator, deviation: float) -> Floats:
    """Noise with the given unconditional deviation; variance = omega + 0.08 shock^2 + 0.88 variance."""
    omega = deviation**2 * (1 - ARCH - GARCH)
    shocks = rng.standard_normal(count)
    variance = deviation**2
    for step in range(count):
        shocks[step] *= variance**0.5
        variance = omega + ARCH * shocks[step] ** 2 + GARCH * variance
    return shocks


def _frame(symbol: str, starts: list[datetime], logs: Floats, rng: np.random.Generator) -> "pd.DataFrame":
    import pandas as pd

    close = np.exp(logs)
    open = np.concatenate(([close[0]], close[:-1]))
    reach = np.abs(rng.normal(0, 0.0005, (2, len(close))))
    figures = {
        "open": open,
        "high": np.maximum(open, close) * np.exp(reach[0]),
        "low": np.minimum(open, close) * np.exp(-reach[1]),
        "close": close,
    }
    rounded = {name: np.round(prices, PLACES) for name, prices in figures.items()}
    return pd.DataFrame(
        {"symbol": symbol, "start": starts, **rounded, "volume": rng.integers(1_000, 100_000, len(close))}
    )


def _together(frames: list["pd.DataFrame"]) -> "pd.DataFrame":
    import pandas as pd

    bars = pd.concat(frames).sort_values(["symbol", "start"], ignore_index=True)
    return bars.astype({"start": "datetime64[us, UTC]", "symbol": "str", "volume": "int64"})


def _starts(sessions: Sequence[Session], timeframe: Timeframe) -> list[datetime]:
    if timeframe is Timeframe.DAY_1:
        return [datetime.combine(session.day, time(), NEW_YORK).astimezone(UTC) for session in sessions]
    epoch, length = datetime(1970, 1, 1, tzinfo=UTC), timeframe.length
    marks = (mark - timedelta(minutes=1) for session in sessions for mark in session.minutes)
    return sorted({mark - (mark - epoch) % length for mark in marks})
