"""From a model's probability to a confidence that its record supports (STATISTICS 7)."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tandem.forecast.features import Array

Places = np.ndarray[Any, np.dtype[np.intp]]

BINS = 10
MIN_SAMPLES = 10
"""A bin with fewer forecasts is joined to a neighbour."""
Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Confidence:
    """What a forecast is worth.

    Attributes:
        probability: how often such forecasts came true, out of sample.
        low: lower end of its 95% Wilson interval.
        high: upper end.
        confidence: `probability` shrunk toward 0.5 by the interval's width, in [0, 1]; it scales the size.
    """

    probability: float
    low: float
    high: float
    confidence: float


@dataclass(frozen=True)
class Bin:
    """Forecasts from `start` up to the next bin's start.

    Attributes:
        start: the lowest probability that belongs here.
        samples: how many forecasts.
        independent: how many they count as, where their futures overlap.
        forecast: their mean.
        frequency: the share that came true.
    """

    start: float
    samples: int
    independent: float
    forecast: float
    frequency: float

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% Wilson score interval of the frequency."""
        return wilson(self.frequency, self.independent)


@dataclass(frozen=True)
class Calibration:
    """Out-of-sample forecasts in bins of a tenth, sparse neighbours joined; empty without a record."""

    bins: tuple[Bin, ...] = ()

    @classmethod
    def fit(cls, probability: Array, labels: Array, overlap: int = 1) -> Self:
        """Bin forecasts and what came of them.

        Args:
            probability: shape [n], of a block that the model was not fitted on.
            labels: 0 or 1, shape [n].
            overlap: bars that one label spans. Labels of neighbouring bars share their future, so `n` of
                them count as `n / overlap` independent ones.
        """
        slots = np.minimum((np.asarray(probability) * BINS).astype(int), BINS - 1)
        groups = _joined([np.flatnonzero(slots == slot) for slot in np.unique(slots)])
        return cls(
            tuple(_bin(slots[group].min() / BINS, probability[group], labels[group], overlap) for group in groups)
        )

    def confidence(self, probability: float) -> Confidence:
        """The record of forecasts like this one; without a record, 0.5 between 0 and 1."""
        if not self.bins:
            return Confidence(0.5, 0.0, 1.0, 0.5)
        place = bisect_right([each.start for each in self.bins], probability)
        found = self.bins[max(place - 1, 0)]
        low, high = found.interval
        shrunk = 0.5 + (found.frequency - 0.5) * (1 - (high - low))
        return Confidence(found.frequency, low, high, float(np.clip(shrunk, 0.0, 1.0)))


def wilson(frequency: float, count: float) -> tuple[float, float]:
    """The 95% score interval of a frequency (Wilson 1927); [0, 1] for a count of 0."""
    if count <= 0:
        return 0.0, 1.0
    square = Z_95**2
    middle = (frequency + square / (2 * count)) / (1 + square / count)
    reach = Z_95 / (1 + square / count) * np.sqrt(frequency * (1 - frequency) / count + square / (4 * count**2))
    return max(0.0, float(middle - reach)), min(1.0, float(middle + reach))


def _bin(start: float, probability: Array, labels: Array, overlap: int) -> Bin:
    return Bin(float(start), len(labels), len(labels) / overlap, float(np.mean(probability)), float(np.mean(labels)))


def _joined(groups: list[Places]) -> list[Places]:
    while len(groups) > 1 and min(map(len, groups)) < MIN_SAMPLES:
        sparse = min(range(len(groups)), key=lambda place: len(groups[place]))
        neighbours = [place for place in (sparse - 1, sparse + 1) if 0 <= place < len(groups)]
        first = min(sparse, min(neighbours, key=lambda place: len(groups[place])))
        groups = [*groups[:first], np.concatenate(groups[first : first + 2]), *groups[first + 2 :]]
    return groups
