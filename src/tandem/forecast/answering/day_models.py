"""The models of one trading day, asked with closes by whoever is not a session."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tandem.forecast.features import Array
from tandem.forecast.model import Forecast, PairModel, Question, forecast_all
from tandem.market import DataError, Pair, Refusal

if TYPE_CHECKING:
    from tandem.screening import Passport

Row = Mapping[str, Any]
Answer = dict[str, Any]

SILENT: Final = {
    **dict.fromkeys(("probability", "confidence", "low", "high"), np.nan),
    "model": "",
    "calibrated": np.nan,
}
MEND: Final = "A row has pair (A/B), closes_a and closes_b: dollars at the end of each bar, oldest first"


class DayModels:
    """Every pair of one trading day with its passport. Asked with rows of

    - `pair`: `A/B`,
    - `closes_a`, `closes_b`: closes of both legs up to the last completed bar of the model's timeframe, the
      formation window's first,

    it answers a row each: `probability`, `confidence`, `low`, `high`, `model` and `calibrated` as in a `Forecast`, and
    `refusal`, the reason where it says nothing.

    Args:
        passports: of the pairs.
        models: a model for each of them.
    """

    def __init__(self, passports: Iterable["Passport"], models: Mapping[Pair, PairModel]) -> None:
        self._known = {str(passport.pair): (passport, models[passport.pair]) for passport in passports}

    @property
    def pairs(self) -> tuple[str, ...]:
        """`A/B`, sorted."""
        return tuple(sorted(self._known))

    def answers(self, rows: Sequence[Row]) -> list[Answer]:
        """One answer per row, each as if it were asked alone.

        Raises:
            DataError: a row is no such row; one line that says which and why.
        """
        questions = [self._question(row, place) for place, row in enumerate(rows)]
        said = iter(forecast_all([each for each in questions if isinstance(each, Question)]))
        return [_answer(next(said) if isinstance(each, Question) else each) for each in questions]

    def _question(self, row: Row, place: int) -> Question | Refusal:
        pair = row.get("pair")
        if not isinstance(pair, str):
            raise DataError(f"row {place}: pair is no text such as AAPL/MSFT", MEND)
        a, b = (_closes(row, name, place) for name in ("closes_a", "closes_b"))
        if len(a) != len(b):
            raise DataError(f"row {place}: closes_a has {len(a)} bars and closes_b {len(b)}", MEND)
        if pair not in self._known:
            return Refusal("pair", f"{pair} is no pair of this day", "forecast")
        passport, model = self._known[pair]
        spread = passport.spread(a, b)
        return Question(model, spread, passport.garch.filter(spread), float(passport.z(spread)[-1]))


def _answer(said: Forecast | Refusal) -> Answer:
    if isinstance(said, Refusal):
        return {**SILENT, "refusal": said.why}
    return {**asdict(said), "refusal": ""}


def _closes(row: Row, name: str, place: int) -> Array:
    if name not in row:
        raise DataError(f"row {place} has no {name}", MEND)
    try:
        values = np.asarray(row[name])
    except ValueError:  # lists of different lengths within a list
        values = np.empty(0, dtype=np.object_)
    if values.ndim != 1 or values.dtype.kind not in "fiu":
        raise DataError(f"row {place}: {name} is no list of numbers", MEND)
    if len(values) < 2 or not (np.isfinite(values) & (values > 0)).all():
        raise DataError(f"row {place}: {name} needs two bars at least, each a price above 0", MEND)
    return values.astype(np.float64)
