from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tandem.desk import models_of_day
from tandem.market import Calendar, DataError, Pair, Session, WorldKind
from tandem.store import Store

AB, CD = Pair("A", "B"), Pair("C", "D")
ROW = {"closes_a": [100.0, 102.0], "closes_b": [100.0, 100.0]}


@pytest.fixture
def planned(store: Store, stage: Callable[..., Any], half_day: Session) -> Any:
    """A world in the store whose plan of the half day names two pairs."""
    made = stage(plan=False)
    made.facts, made.blobs = store.facts(store.new_world(WorldKind.PAPER, "")), store.blobs
    made.plan(half_day, AB, CD)
    return made


def test_the_newest_plans_models_answer_unless_a_day_is_named(store: Store, planned: Any, half_day: Session) -> None:
    world, later = planned.facts.world, Calendar().after(half_day.day)
    first = models_of_day(store, world)
    assert (first.day, first.models.pairs) == (half_day.day, ("A/B", "C/D"))
    answer = first.models.answers([{"pair": "A/B", **ROW}])[0]
    assert (answer["model"], answer["refusal"]) == ("baseline", "")
    planned.plan(later, CD)
    assert (models_of_day(store, world).day, models_of_day(store, world).models.pairs) == (later.day, ("C/D",))
    assert models_of_day(store, world, half_day.day).models.pairs == ("A/B", "C/D")


def test_what_has_not_changed_is_not_read_again(store: Store, planned: Any, half_day: Session) -> None:
    world = planned.facts.world
    known = models_of_day(store, world)
    assert models_of_day(store, world, None, known) is known
    planned.plan(Calendar().after(half_day.day), AB)
    newer = models_of_day(store, world, None, known)
    assert newer.models.pairs == ("A/B",)
    assert models_of_day(store, world, half_day.day, newer).models.pairs == ("A/B", "C/D")


def test_a_day_without_a_plan_is_one_clear_line(store: Store, planned: Any) -> None:
    world = planned.facts.world
    with pytest.raises(DataError, match=f"{world} has no plan of 2022-11-28"):
        models_of_day(store, world, date(2022, 11, 28))
    with pytest.raises(DataError, match="has no plan of any day"):
        models_of_day(store, store.new_world(WorldKind.PAPER, ""))
