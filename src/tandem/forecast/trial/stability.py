"""Whether forecasts, and how often they come true, are still spread as they were: population stability indices."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tandem.forecast.features import Array
from tandem.forecast.trial.grades import Grades

Counts = np.ndarray[Any, np.dtype[np.signedinteger[Any]]]

BINS = 10
LEAST = 50.0
"""Fewer independent forecasts than this, here or in the record, say nothing."""


@dataclass(frozen=True, slots=True)
class Stability:
    """How far forecasts have moved from a record.

    The index of two distributions over cells is `sum (q - p) log(q / p)`; 0 where they are the same, and by custom a
    change above 0.25. Two samples of one distribution differ as well, by `noise` on average; only what is beyond
    that counts.

    Attributes:
        forecasts: index of the probabilities, over tenths of the record.
        calibration: index of what came true: in each tenth, as often as in the record or not.
        noise: what the index of two such samples is on average without any change.
        independent: forecasts that these count as.
    """

    forecasts: float
    calibration: float
    noise: float
    independent: float

    @property
    def worst(self) -> float:
        """The larger index, less what chance gives."""
        return max(self.forecasts, self.calibration) - self.noise

    @classmethod
    def between(cls, record: Grades, live: Grades) -> Self | None:
        """Compare live forecasts with a record; None where either is too short to tell."""
        before, now = record.known, live.known
        if min(before.independent, now.independent) < LEAST:
            return None
        edges = np.unique(np.quantile(before.probability, np.linspace(0, 1, BINS + 1)[1:-1]))
        places, current = np.digitize(before.probability, edges), np.digitize(now.probability, edges)
        cells = len(edges) + 1
        shares, now_shares = (_shares(np.bincount(each, minlength=cells)) for each in (places, current))
        frequency = _frequencies(places, before.labels, cells, float(before.labels.mean()))
        now_frequency = _frequencies(current, now.labels, cells, float(now.labels.mean()))
        came = stability_index(_came(now_shares, frequency), _came(now_shares, now_frequency))
        noise = (cells - 1) * (1 / before.independent + 1 / now.independent)
        return cls(stability_index(shares, now_shares), came, noise, now.independent)


def stability_index(before: Array, now: Array) -> float:
    """The population stability index of two distributions over the same cells, symmetric and at least 0."""
    return float(np.sum((now - before) * np.log(now / before)))


def _shares(counts: Counts) -> Array:
    # Half a forecast in every cell: an empty one would make the index infinite.
    shares: Array = (counts + 0.5) / (counts.sum() + 0.5 * len(counts))
    return shares


def _frequencies(places: Counts, labels: Array, cells: int, overall: float) -> Array:
    counts, came = np.bincount(places, minlength=cells), np.bincount(places, labels, cells)
    frequencies: Array = (came + overall) / (counts + 1)
    return np.clip(frequencies, 1e-3, 1 - 1e-3)


def _came(shares: Array, frequency: Array) -> Array:
    return np.concatenate([shares * frequency, shares * (1 - frequency)])
