"""How features are put before a network: from the spread's rich side, in the deviations of the training bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from tandem.forecast.features import Array, Mask, centres

MARGIN = 0.5
"""How far beyond the training range, as a share of that range, a feature may lie before the model refuses."""


@dataclass(frozen=True, eq=False)
class Scaler:
    """Mean, deviation and range of each feature, and where it is mirrored; shape [features] each.

    What is expected of a spread above its equilibrium is expected of one as far below. A symmetric scaler
    therefore mirrors every sequence whose newest spread lies below: the network only ever sees spreads that are
    rich, and what it learns on one side holds on the other by construction.

    Attributes:
        names: of the features.
        mean, deviation: of the training rows, seen from the rich side.
        low, high: their range in raw units; a symmetric scaler has seen the mirror images too.
        centre: where each is mirrored; NaN for those that stay, for all of them where nothing is mirrored.
        newest: weights of a row that give the spread at its bar less the equilibrium; 0 where nothing is mirrored.
    """

    names: tuple[str, ...]
    mean: Array
    deviation: Array
    low: Array
    high: Array
    centre: Array
    newest: Array

    @classmethod
    def fit(cls, names: tuple[str, ...], rows: Array, equilibrium: float | None = None) -> Self:
        """The scale of training sequences.

        Args:
            names: of the features.
            rows: complete, shape [sequences, length, features].
            equilibrium: of the spread; None leaves sequences on the side they are on.
        """
        symmetric = equilibrium is not None
        centre = centres(names, equilibrium) if equilibrium is not None else np.full(len(names), np.nan)
        newest = _newest(names) if symmetric else np.zeros(len(names))
        seen = _rich(rows, centre, newest).reshape(-1, len(names))
        raw = rows.reshape(-1, len(names))
        low, high = raw.min(axis=0), raw.max(axis=0)
        low, high = np.fmin(low, 2 * centre - high), np.fmax(high, 2 * centre - low)
        deviation = seen.std(axis=0)
        return cls(names, seen.mean(axis=0), np.where(deviation > 0, deviation, 1.0), low, high, centre, newest)

    def scale(self, rows: Array) -> Array:
        """Sequences from their rich side, in training deviations from the training mean.

        Args:
            rows: shape [length, features] with any shape before it; the side is that of the last row.
        """
        return (_rich(rows, self.centre, self.newest) - self.mean) / self.deviation

    @property
    def least(self) -> Array:
        """Below it a feature is a stranger, shape [features]."""
        return self.low - MARGIN * (self.high - self.low)

    @property
    def most(self) -> Array:
        """Above it a feature is a stranger, shape [features]."""
        return self.high + MARGIN * (self.high - self.low)

    def strangers(self, rows: Array) -> list[str]:
        """Features that lie outside the training range by more than `MARGIN` of it, or are not finite."""
        inside = (rows >= self.least) & (rows <= self.most)
        strange: Mask = ~np.logical_and.reduce(inside.reshape(-1, len(self.names)), axis=0)
        return [name for name, is_strange in zip(self.names, strange, strict=True) if is_strange]


def _rich(rows: Array, centre: Array, newest: Array) -> Array:
    turns = np.isfinite(centre)
    if not turns.any():
        return rows
    distance = np.where(turns, rows[..., -1, :] - centre, 0.0) @ newest
    side = np.where(distance < 0, -1.0, 1.0)[..., None, None]
    return np.where(turns, (rows - np.where(turns, centre, 0.0)) * side, rows)


def _newest(names: Sequence[str]) -> Array:
    """The spread itself is no feature: it is five times MA_5 less the lags 1 to 4; MA_5 where one is missing."""
    lags = [f"spread_lag_{lag}" for lag in range(1, 5)]
    if not set(lags) <= set(names):
        return np.array([float(name == "MA_5") for name in names])
    return np.array([5.0 if name == "MA_5" else -float(name in lags) for name in names])
