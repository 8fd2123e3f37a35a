"""Forecasts and what came of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import reduce
from typing import Any, Final, Self

import msgspec
import numpy as np

from tandem.forecast.features import Array, Mask
from tandem.forecast.skill import Skill, log_losses
from tandem.forecast.trial.contender import BASELINE
from tandem.market import DataError
from tandem.statistics import qlike

Places = np.ndarray[Any, np.dtype[np.intp]]
Names = np.ndarray[Any, np.dtype[np.str_]]
Moments = np.ndarray[Any, np.dtype[np.datetime64]]
Z_95 = 1.959963984540054
DTYPES: Final[Mapping[str, Any]] = {
    "pairs": np.str_, "models": np.str_, "at": "datetime64[s]", "sessions": "datetime64[D]",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Grades:
    """Graded forecasts as columns, in order of time; every column has shape [forecasts].

    Attributes:
        pairs: `A/B`.
        at: when they were made, UTC.
        sessions: the trading date.
        models: who said so, `gru` or `baseline`.
        horizons: bars ahead.
        probability: that the spread would be closer to its equilibrium.
        baseline: what the AR(1) forecast said at the same z-score.
        labels: 1 where it came closer, 0 where not, NaN where that is not known.
        residuals: innovation of the bar that had just ended, log units.
        variances: what had been forecast one bar before for its square; NaN where there was no forecast.
    """

    pairs: Names
    at: Moments
    sessions: Moments
    models: Names
    horizons: Array
    probability: Array
    baseline: Array
    labels: Array
    residuals: Array
    variances: Array

    def __len__(self) -> int:
        return len(self.at)

    def where(self, mask: Mask | Places) -> Self:
        """Those at a mask or at places."""
        return type(self)(**{field.name: getattr(self, field.name)[mask] for field in fields(self)})

    @classmethod
    def joined(cls, parts: "Sequence[Grades]") -> Self:
        """All of them, at least one, in order of time; what was made at one time stays in its order."""
        whole = cls(*(np.concatenate([getattr(each, field.name) for each in parts]) for field in fields(cls)))
        return whole.where(np.argsort(whole.at, kind="stable"))

    def to_bytes(self) -> bytes:
        """The columns as bytes, the same for the same grades."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return msgspec.msgpack.encode({
            name: column.astype(np.int64).tolist() if column.dtype.kind == "M" else column.tolist()
            for name, column in plain.items()
        })  # fmt: skip

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The grades of those bytes.

        Raises:
            DataError: they are none.
        """
        try:
            return cls.of(msgspec.msgpack.decode(content, type=dict[str, list[Any]]))
        except (msgspec.MsgspecError, KeyError, ValueError) as error:
            raise DataError(f"grades cannot be read: {error}") from error

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[Any]]) -> Self:
        """From plain columns by name."""
        return cls(*(np.array(columns[each.name], dtype=DTYPES.get(each.name, np.float64)) for each in fields(cls)))

    @property
    def known(self) -> Self:
        """Those whose label is known."""
        return self.where(np.isfinite(self.labels))

    @property
    def log_losses(self) -> Array:
        """Of each forecast, in nats; NaN where the label is not known."""
        return np.where(np.isfinite(self.labels), log_losses(self.labels, self.probability), np.nan)

    @property
    def qlikes(self) -> Array:
        """Of each variance forecast (Patton 2011); NaN where there was none."""
        forecast = np.where(self.variances > 0, self.variances, np.nan)
        return qlike(self.residuals**2, forecast)

    @property
    def coverage(self) -> float:
        """Share of innovations within the 95% interval of their forecast, under normal innovations."""
        given = self.variances > 0
        return float(np.mean(np.abs(self.residuals[given]) <= Z_95 * np.sqrt(self.variances[given])))

    @property
    def skill(self) -> Skill:
        """Scores of the forecasts whose label is known; a probability of a half or more is a yes."""
        known = self.known
        return Skill.of(known.labels, known.probability, known.probability >= 0.5)

    @property
    def independent(self) -> float:
        """How many forecasts they count as: neighbours share all but one bar of their future."""
        return float(np.sum(1 / self.horizons))

    def as_baseline(self) -> Self:
        """The same forecasts as the AR(1) forecast would have made them."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return type(self)(**{**values, "probability": self.baseline, "models": np.full(len(self), BASELINE)})

    def daily(self, losses: Array) -> dict[date, float]:
        """The mean of each session that has any."""
        given = np.isfinite(losses)
        days, places = np.unique(self.sessions[given], return_inverse=True)
        means = np.bincount(places, losses[given], len(days)) / np.bincount(places, minlength=len(days))
        return dict(zip(days.tolist(), means.tolist(), strict=True))

    def of_each_pair(self, losses: Array) -> Mapping[str, float]:
        """The mean of each pair that has any."""
        given = np.isfinite(losses)
        pairs, places = np.unique(self.pairs[given], return_inverse=True)
        means = np.bincount(places, losses[given], len(pairs)) / np.bincount(places, minlength=len(pairs))
        return dict(zip(pairs.tolist(), means.tolist(), strict=True))


def in_common(*several: Grades) -> tuple[Grades, ...]:
    """Those forecasts that all of them made: of the same pair at the same time."""
    first = several[0]
    if all(np.array_equal(first.at, each.at) and np.array_equal(first.pairs, each.pairs) for each in several):
        return several
    keys = [_keys(grades) for grades in several]
    shared = reduce(np.intersect1d, keys)
    return tuple(
        grades.where(np.intersect1d(own, shared, assume_unique=True, return_indices=True)[1])
        for grades, own in zip(several, keys, strict=True)
    )


def _keys(grades: Grades) -> Names:
    return np.char.add(np.datetime_as_string(grades.at, unit="s"), grades.pairs)
