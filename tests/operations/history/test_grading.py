"""What the forecasts of a recipe came to, by sector and recipe."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from tandem.desk import Graded, ModelInForce, Plan, Refit
from tandem.forecast import Grades
from tandem.operations.history.grading import ModelGrade, record_grades
from tandem.store import Record

DAY = date(2023, 1, 25)
FIRST, LAST = datetime(2023, 1, 25, 14, 35, tzinfo=UTC), datetime(2023, 1, 25, 20, 55, tzinfo=UTC)


def refit(sector, recipe, *pairs):
    return Refit(sector, recipe, f"{recipe} of {sector}", dict.fromkeys(pairs, "digest"))


def keep(store, facts, rows, split=None, model="gru"):
    """Rows are pair, time, probability, label; the baseline says a half."""
    pairs, at, said, labels = zip(*rows, strict=True)
    count = len(rows)
    grades = Grades.of({
        "pairs": pairs, "at": [each.replace(tzinfo=None) for each in at], "sessions": [DAY] * count,
        "models": [model] * count, "horizons": [3.0] * count, "probability": said, "baseline": [0.5] * count,
        "labels": labels, "residuals": [0.0] * count, "variances": [np.nan] * count,
    })  # fmt: skip
    plan = Plan(3, {}, 1, (refit("technology", "v1", "A/B", "C/D"), refit("energy", "v1", "E/F")), split or {})
    facts.append(
        Record(plan, DAY, FIRST, "plan"),
        Record(ModelInForce("technology", "v1", "name", "in Production"), DAY, FIRST, "in_force.1"),
        Record(ModelInForce("energy", "", "", "demoted"), DAY, FIRST, "in_force.2"),
        Record(Graded(store.blobs.put(grades.to_bytes())), DAY, LAST, "graded"),
    )


@pytest.fixture
def facts(store, diary):
    return store.facts(diary.facts.world)


def test_forecasts_belong_to_the_recipe_in_force_or_to_the_baseline(store, facts):
    keep(
        store,
        facts,
        [("A/B", FIRST, 0.9, 1), ("C/D", FIRST, 0.2, 0), ("E/F", FIRST, 0.5, 1), ("A/B", LAST, 0.6, np.nan)],
    )
    record_grades(store, facts)
    energy, technology = (record.body for record in facts.read(ModelGrade))
    assert (energy.sector, energy.recipe, energy.forecasts) == ("energy", "baseline", 1)
    assert (technology.recipe, technology.forecasts, technology.base_rate) == ("v1", 2, 0.5)
    assert technology.mcc == pytest.approx(1.0)
    assert technology.log_loss == pytest.approx(-(np.log(0.9) + np.log(0.8)) / 2)
    assert technology.baseline_log_loss == pytest.approx(np.log(2))


def test_a_pair_of_a_split_belongs_to_its_challenger(store, facts):
    keep(store, facts, [("A/B", FIRST, 0.9, 1), ("C/D", FIRST, 0.2, 0)], {"C/D": "v2"})
    record_grades(store, facts)
    assert [(record.body.recipe, record.body.forecasts) for record in facts.read(ModelGrade)] == [("v1", 1), ("v2", 1)]


def test_a_session_is_told_once(store, facts):
    keep(store, facts, [("A/B", FIRST, 0.9, 1)])
    record_grades(store, facts)
    record_grades(store, facts)
    assert len(facts.read(ModelGrade)) == 1


def test_where_the_baseline_answered_nothing_is_credited_to_the_recipe_in_whose_place_it_did(store, facts):
    keep(store, facts, [("A/B", FIRST, 0.5, 1), ("C/D", FIRST, 0.5, 0)], model="baseline")
    record_grades(store, facts)
    assert [(record.body.recipe, record.body.forecasts) for record in facts.read(ModelGrade)] == [("baseline", 2)]
