"""What the GRU sees of a spread at every bar, in one causal pass (STATISTICS 6)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from tandem.config import ModelSettings
from tandem.forecast.further import REGISTER, registered_features
from tandem.statistics import GarchPath

Array = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

MEAN_WINDOWS = (5, 20)
RSI_WINDOW = 14
MISSION_SET = "lagged_spread_garch_technical"


@dataclass(frozen=True, eq=False)
class Features:
    """One row per bar, one named column per feature.

    Attributes:
        names: the columns' names.
        values: shape [bars, features]; NaN while a window is not yet full.
    """

    names: tuple[str, ...]
    values: Array

    @property
    def complete(self) -> Mask:
        """Which bars have every feature."""
        complete: Mask = np.logical_and.reduce(np.isfinite(self.values), axis=1)
        return complete

    def complete_over(self, length: int) -> Mask:
        """Which bars end `length` complete bars in a row."""
        gaps = np.concatenate([np.zeros(length), np.cumsum(~self.complete)])
        full: Mask = (gaps[length:] == gaps[:-length]) & (np.arange(len(self.values)) >= length - 1)
        return full


def features(spread: Array, path: GarchPath, settings: ModelSettings) -> Features:
    """The mission's features of a spread: lags, GARCH residual and volatility, means, RSI, z-score, volatility.

    Those that `model.features` names follow; `register_feature` makes such a name known. Every value is made of
    sums in a fixed order over its own window, so cutting the future off changes no past value, bit for bit.

    Args:
        spread: shape [bars], in log-price units.
        path: the spread's one-step GARCH residuals and variances, shape [bars] each.
        settings: lags and windows, in bars, and the names of further features.

    Raises:
        ConfigError: `model.features` names one that is not registered.
    """
    spread = np.asarray(spread, dtype=np.float64)
    columns = dict(chain(_of_spread(spread, settings), _of_garch(path), _registered(spread, path, settings)))
    return Features(tuple(columns), np.column_stack(list(columns.values())))


def look_back(settings: ModelSettings) -> int:
    """Bars before a bar that its forecast reaches back to: the longest window plus the sequence."""
    further = (feature.look_back for feature in registered_features(settings))
    windows = (*settings.lag_features, *(w - 1 for w in MEAN_WINDOWS), RSI_WINDOW, *further)
    return max(*windows, settings.z_score_window - 1, settings.volatility_window) + settings.sequence_length - 1


def sequences(values: Array, length: int) -> Array:
    """The last `length` rows up to and including each bar, shape [bars - length + 1, length, features]."""
    windows = np.lib.stride_tricks.sliding_window_view(values, length, axis=0)
    return np.moveaxis(windows, -1, 1)


def feature_set(settings: ModelSettings) -> str:
    """The set's name in MLflow: the mission's, and each further feature after a plus."""
    return "+".join([MISSION_SET, *settings.features])


def centres(names: Sequence[str], mean: float) -> Array:
    """What each feature is mirrored at when the spread is mirrored at its equilibrium; NaN for those that stay.

    Turning a spread upside down, `s -> 2 mean - s`, turns lags and means over with it, z-score(7) and the GARCH
    residual change their sign, RSI becomes 100 - RSI, and volatilities stay.

    Args:
        names: of the features, as `Features.names`.
        mean: the spread's equilibrium.
    """
    return np.array([_centre(name, mean) for name in names])


def _centre(name: str, mean: float) -> float:
    if name in REGISTER:
        mirrored = REGISTER[name].mirrored_at
        return mean if mirrored == "equilibrium" else float("nan") if mirrored is None else mirrored
    own = {"spread_lag": mean, "MA": mean, "RSI": 50.0, "z_score": 0.0, "garch_residual": 0.0}
    return next((centre for start, centre in own.items() if name.startswith(start)), float("nan"))


def _registered(spread: Array, path: GarchPath, settings: ModelSettings) -> Iterator[tuple[str, Array]]:
    for feature in registered_features(settings):
        yield feature.name, np.asarray(feature.function(spread, path), dtype=np.float64)


def _of_spread(spread: Array, settings: ModelSettings) -> Iterator[tuple[str, Array]]:
    changes = spread - _lagged(spread, 1)
    yield from ((f"spread_lag_{lag}", _lagged(spread, lag)) for lag in settings.lag_features)
    yield from ((f"MA_{window}", _mean(spread, window)) for window in MEAN_WINDOWS)
    yield "RSI", _rsi(changes, RSI_WINDOW)
    yield f"z_score_{settings.z_score_window}", _z_score(spread, settings.z_score_window)
    yield f"volatility_{settings.volatility_window}", _deviation(changes, settings.volatility_window)


def _of_garch(path: GarchPath) -> Iterator[tuple[str, Array]]:
    yield "garch_residual", np.asarray(path.residuals, dtype=np.float64)
    yield "garch_volatility", np.sqrt(path.variances)


def _lagged(values: Array, lag: int) -> Array:
    shifted = np.full_like(values, np.nan)
    shifted[lag:] = values[: max(len(values) - lag, 0)]
    return shifted


def _total(columns: Sequence[Array]) -> Array:
    # A running sum in place: numpy's reductions may reorder with the array's length, this cannot.
    total = columns[0].copy()
    for column in columns[1:]:
        total += column
    return total


def _window(values: Array, window: int) -> list[Array]:
    return [values, *(_lagged(values, lag) for lag in range(1, window))]


def _mean(values: Array, window: int) -> Array:
    return _total(_window(values, window)) / window


def _deviation(values: Array, window: int) -> Array:
    mean = _mean(values, window)
    squares = [(value - mean) ** 2 for value in _window(values, window)]
    return np.sqrt(_total(squares) / (window - 1))


def _z_score(values: Array, window: int) -> Array:
    deviation = _deviation(values, window)
    flat = deviation == 0
    return np.where(flat, 0.0, (values - _mean(values, window)) / np.where(flat, 1.0, deviation))


def _rsi(changes: Array, window: int) -> Array:
    rises, falls = _mean(np.maximum(changes, 0), window), _mean(np.maximum(-changes, 0), window)
    moved = rises + falls
    return np.where(moved == 0, 50.0, 100 * rises / np.where(moved == 0, 1.0, moved))
