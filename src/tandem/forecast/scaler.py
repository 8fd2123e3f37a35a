"""The scale of each feature over the bars a model was trained on."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from tandem.forecast.features import Array, Mask

MARGIN = 0.5
"""How far beyond the training range, as a share of that range, a feature may lie before the model refuses."""


@dataclass(frozen=True, eq=False)
class Scaler:
    """Mean, deviation and range of each feature; shape [features] each."""

    names: tuple[str, ...]
    mean: Array
    deviation: Array
    low: Array
    high: Array

    @classmethod
    def fit(cls, names: tuple[str, ...], rows: Array) -> Self:
        """The scale of complete training rows, shape [bars, features]."""
        deviation = rows.std(axis=0)
        safe = np.where(deviation > 0, deviation, 1.0)
        return cls(names, rows.mean(axis=0), safe, rows.min(axis=0), rows.max(axis=0))

    def scale(self, rows: Array) -> Array:
        """Rows in training deviations from the training mean; any leading shape, features last."""
        return (rows - self.mean) / self.deviation

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
