"""What came of a spread: the two questions a model may be trained on (STATISTICS 6)."""

import numpy as np

from tandem.config import ModelSettings
from tandem.forecast.features import Array, Mask


def horizon_of(half_life: float) -> int:
    """Bars ahead that a pair is asked about: its half-life, rounded, at least one."""
    return max(1, round(half_life))


def reverts(spread: Array, mean: float, horizon: int) -> Array:
    """1 where the spread is closer to its equilibrium `horizon` bars later, else 0; NaN where that is not yet known."""
    distance = np.abs(np.asarray(spread, dtype=np.float64) - mean)
    return _known(distance[horizon:] < distance[:-horizon], len(distance))


def toward(spread: Array, mean: float) -> Array:
    """1 where the next move goes toward the equilibrium, else 0; NaN on the last bar.

    On an Ornstein-Uhlenbeck spread nothing beats always answering 1 here, so it is for comparison only.
    """
    spread = np.asarray(spread, dtype=np.float64)
    return _known(np.diff(spread) * (spread[:-1] - mean) < 0, len(spread))


def labels(spread: Array, mean: float, horizon: int, settings: ModelSettings) -> Array:
    """The labels that `model.label` asks for, shape [bars]."""
    return toward(spread, mean) if settings.label == "toward" else reverts(spread, mean, horizon)


def _known(answers: Mask, bars: int) -> Array:
    known = np.full(bars, np.nan)
    known[: len(answers)] = answers
    return known
