"""What the forecasts of a recipe came to in a session, as facts that can be queried."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ClassVar

from tandem.desk import Graded, ModelInForce, Plan
from tandem.forecast import BASELINE, Grades
from tandem.market import NEW_YORK
from tandem.store import Facts, Record, Store


@dataclass(frozen=True, slots=True)
class ModelGrade:
    """How a recipe forecast in one session, over the forecasts whose outcome is known.

    Attributes:
        sector: of the pairs.
        recipe: that forecast them; `baseline` where none traded, or the baseline answered in its place.
        forecasts: how many.
        base_rate: share of them that came true.
        mcc: Matthews correlation; 0 where only one outcome or answer occurs.
        brier, log_loss: of the probabilities; the latter in nats.
        baseline_log_loss: of the AR(1) forecast at the same moments.
    """

    kind: ClassVar = "model_grade"

    sector: str
    recipe: str
    forecasts: int
    base_rate: float
    mcc: float
    brier: float
    log_loss: float
    baseline_log_loss: float


def record_grades(store: Store, facts: Facts) -> None:
    """Put on record what the forecasts of each graded session came to, by sector and recipe; once each."""
    with facts.alone("model grades") as own:
        known = {record.session for record in own.read(ModelGrade)}
        new = [record for record in own.read(Graded) if record.session not in known]
        traded = _Traded(own) if new else None
        for record in new:
            assert traded is not None
            grades = Grades.from_bytes(store.blobs.get(record.body.grades)).known
            own.append(*(
                Record(grade, record.session, record.at, f"{grade.kind}.{record.session}.{grade.sector}.{grade.recipe}")
                for grade in traded.graded(record.session, grades)
            ))  # fmt: skip


class _Traded:
    """Which recipe traded a pair at a moment."""

    def __init__(self, facts: Facts) -> None:
        plans = {record.session: record.body for record in facts.read(Plan)}
        self._sectors = {pair: refit.sector for _, plan in sorted(plans.items())
                         for refit in plan.refits for pair in refit.models}  # fmt: skip
        self._splits: Mapping[date, Mapping[str, str]] = {day: plan.split for day, plan in plans.items()}
        self._in_force: dict[str, list[tuple[datetime, str]]] = {}
        for record in facts.read(ModelInForce):
            self._in_force.setdefault(record.body.sector, []).append((record.at, record.body.recipe))

    def graded(self, day: date, grades: Grades) -> list[ModelGrade]:
        places: dict[tuple[str, str], list[int]] = {}
        columns = (grades.pairs.tolist(), grades.at.tolist(), grades.models.tolist())
        for place, (pair, at, model) in enumerate(zip(*columns, strict=True)):
            if pair in self._sectors:
                recipe = BASELINE if model == BASELINE else self._recipe(day, pair, at.replace(tzinfo=UTC))
                places.setdefault((self._sectors[pair], recipe), []).append(place)
        return [_grade(sector, recipe, grades, own) for (sector, recipe), own in sorted(places.items())]

    def _recipe(self, day: date, pair: str, moment: datetime) -> str:
        if own := self._splits.get(day, {}).get(pair):
            return own
        changes = self._in_force.get(self._sectors[pair], [])
        place = bisect_right([at for at, _ in changes], moment)
        today = place and changes[place - 1][0].astimezone(NEW_YORK).date() == day
        return (changes[place - 1][1] if today else "") or BASELINE


def _grade(sector: str, recipe: str, grades: Grades, places: list[int]) -> ModelGrade:
    import numpy as np

    own = grades.where(np.array(places))
    skill = own.skill
    return ModelGrade(
        sector, recipe, len(own), float(own.labels.mean()), skill.mcc, skill.brier, skill.log_loss,
        own.as_baseline().skill.log_loss,
    )  # fmt: skip
