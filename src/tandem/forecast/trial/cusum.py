"""Whether a daily figure has become worse than its record, as a cumulative sum (Page 1954)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import exp, sqrt
from typing import Self

import numpy as np

from tandem.forecast.features import Array

OVERSHOOT = 1.166
"""Siegmund (1985): how far a sum of normal steps jumps beyond its limit, twice 0.583."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a record leads to expect of one day.

    Attributes:
        mean: of a day's figure.
        deviation: long-run, so that days which depend on each other add up as fast as in the record.
        days: that the record has.
    """

    mean: float
    deviation: float
    days: int

    @classmethod
    def of(cls, values: Array) -> Self:
        """From a record of daily figures in time order, shape [n], n at least 2 and not all the same.

        The deviation is the larger one of the plain and the long-run one (Newey and West, automatic bandwidth).
        """
        from arch.covariance.kernel import Bartlett

        values = np.asarray(values, dtype=np.float64)
        long_run = float(np.asarray(Bartlett(values).cov.long_run)[0, 0])
        plain = float(values.var(ddof=1))
        return cls(float(values.mean()), sqrt(max(plain, long_run)), len(values))

    def worse_by(self, values: Array) -> Array:
        """How many deviations each day's figure lies above the mean; figures are losses."""
        worse: Array = (np.asarray(values, dtype=np.float64) - self.mean) / self.deviation
        return worse


@dataclass(frozen=True, slots=True)
class Cusum:
    """The running sum of how much worse each day was than expected.

    Attributes:
        level: where it stands, deviations.
        highest: where it has been at most.
        slack: deviations a day that are let pass.
        limit: at which it says that the record is left.
        crossed: the first day on which it did; None where it never has.
        average_run_length: days between two false alarms, on average, were nothing to change, days normal and
            independent, and the record without error; without the slack that such an error is given.
    """

    level: float
    highest: float
    slack: float
    limit: float
    crossed: date | None
    average_run_length: float


def cusum(expected: Expected, daily: Mapping[date, float], slack: float, limit: float) -> Cusum:
    """Add up, from zero, by how much each day's loss exceeds the record's mean and a slack; it never falls below zero.

    The record's mean is itself an estimate: its standard error, `1 / sqrt(days)` deviations, is added to the slack.

    Args:
        daily: a loss for each session: larger is worse.
        slack, limit: in deviations.
    """
    allowed = slack + 1 / sqrt(expected.days)
    days = sorted(daily)
    level = highest = 0.0
    crossed = None
    for day, worse in zip(days, expected.worse_by(np.array([daily[day] for day in days])).tolist(), strict=True):
        level = max(0.0, level + worse - allowed)
        highest = max(highest, level)
        crossed = crossed or (day if level > limit else None)
    return Cusum(level, highest, allowed, limit, crossed, average_run_length(0.0, slack, limit))


def average_run_length(shift: float, slack: float, limit: float) -> float:
    """Days until a sum from zero crosses its limit, on average, for independent normal days (Siegmund 1985).

    `(exp(-2 d b) + 2 d b - 1) / (2 d^2)` with `d = shift - slack` and `b = limit + 1.166`.

    Args:
        shift: by how many deviations every day is worse than the record's mean; 0 for false alarms.
        slack, limit: in deviations.
    """
    drift, reach = shift - slack, limit + OVERSHOOT
    if abs(drift) < 1e-6:
        return reach**2
    return (exp(-2 * drift * reach) + 2 * drift * reach - 1) / (2 * drift**2)
