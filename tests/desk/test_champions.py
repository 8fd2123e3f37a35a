"""The session and the model in Production: taken between decisions, kept by open trades."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tandem.book import Book
from tandem.desk import compare, copy_plan, plan_of, run_session
from tandem.desk.champions import Champions, ModelInForce
from tandem.desk.contenders import Traders
from tandem.market import DECISION_EVERY, Calendar, Pair, Session, World, WorldKind
from tandem.risk import Intent
from tandem.signals import Signal
from tandem.statistics import reversion_probability
from tandem.store import MemoryFacts, Record, Stages

TECH, PHI = "technology", 0.95
AB, CD = Pair("A", "B"), Pair("C", "D")
Make = Callable[..., Any]
# What the AR(1) forecast of each recipe's models says at the same z tells them apart.
HORIZONS = {"v1": 14, "v2": 3}


def stages_of(stage: Any, session: Session) -> Stages:
    stages = Stages(stage.facts)
    for recipe in HORIZONS:
        stages.stage(TECH, recipe, why="new", by="morning", at=session.morning)
    return stages


def promote(stages: Stages, at: datetime) -> None:
    stages.promote(TECH, "v2", why="better", by="ada", at=at, evidence={"spa_pvalue": 0.01})


def in_force(facts: MemoryFacts) -> list[tuple[datetime, str]]:
    return [(record.at, record.body.recipe) for record in facts.read(ModelInForce)]


def horizon_at(facts: MemoryFacts, pair: Pair, moment: datetime) -> int:
    """Whose forecast a signal is: the probability says which horizon was asked about."""
    signal = next(r.body for r in facts.read(Signal, pair=str(pair)) if r.at == moment)
    said = {horizon: float(reversion_probability(signal.z, PHI**horizon)) for horizon in HORIZONS.values()}
    return min(said, key=lambda horizon: abs(said[horizon] - signal.probability))


@pytest.fixture
def calm(stage: Make, half_day: Session) -> Any:
    """AB is entered before the promotion at minute 62 and left after it; CD is entered after it."""
    made = stage({AB: [(12, 2.5), (98, 0.2), (140, 2.5)], CD: [(5, 1.5), (77, -2.6)]}, plan=False)
    made.refit(half_day, HORIZONS)
    return made


def test_a_promotion_takes_effect_at_the_next_decision_and_open_trades_keep_their_model(
    calm: Any, half_day: Session
) -> None:
    promote(stages_of(calm, half_day), half_day.open + timedelta(minutes=62))
    run_session(calm.desk(), half_day)
    decisions = sorted(half_day.decisions)
    first, after = decisions[0], next(d for d in decisions if d >= half_day.open + timedelta(minutes=62))
    assert in_force(calm.facts) == [(first, "v1"), (after, "v2")]
    assert horizon_at(calm.facts, CD, after - DECISION_EVERY) == HORIZONS["v1"]
    assert horizon_at(calm.facts, CD, after) == HORIZONS["v2"]
    entered, left = (next(r.at for r in calm.facts.read(Intent) if r.body.pair == AB and r.body.purpose == purpose)
                     for purpose in ("enter", "exit"))  # fmt: skip
    assert entered < after < left
    assert horizon_at(calm.facts, AB, after) == horizon_at(calm.facts, AB, left) == HORIZONS["v1"]
    again = [r.at for r in calm.facts.read(Intent) if r.body.pair == AB and r.body.purpose == "enter"][1]
    assert horizon_at(calm.facts, AB, again) == HORIZONS["v2"]


def test_what_is_in_force_is_on_record_with_the_decision_that_it_makes(calm: Any, half_day: Session) -> None:
    stages_of(calm, half_day)
    run_session(calm.desk(), half_day)
    (record,) = calm.facts.read(ModelInForce)
    name = f"pairs_trading_gru_garch_technology_v1_{half_day.day:%Y%m%d}"
    assert record.body == ModelInForce(TECH, "v1", name, "v1 is in Production")
    assert record.at == min(half_day.decisions)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"refused": "validation log loss 9"}, "the refit of v2 must not trade: validation log loss 9"),
        ({"without": "v2"}, "v2 is in Production and was not fitted for this session"),
    ],
)
def test_without_a_sound_refit_the_baseline_trades_and_says_so(
    stage: Make, half_day: Session, changes: dict[str, str], why: str
) -> None:
    made = stage(plan=False)
    made.refit(half_day, HORIZONS, **changes)
    promote(stages_of(made, half_day), half_day.morning)
    run_session(made.desk(), half_day)
    assert [(r.body.recipe, r.body.why) for r in made.facts.read(ModelInForce)] == [("", why)]
    assert {record.body.model for record in made.facts.read(Signal)} == {"baseline"}


def test_a_champion_demoted_with_nothing_good_left_gives_way_to_the_baseline(stage: Make, half_day: Session) -> None:
    made = stage(plan=False)
    made.refit(half_day, HORIZONS)
    stages = stages_of(made, half_day)
    stages.demote(TECH, "v1", why="out of its band", by="trial", at=half_day.open + timedelta(minutes=62))
    run_session(made.desk(), half_day)
    assert [recipe for _, recipe in in_force(made.facts)] == ["v1", ""]
    assert made.facts.read(ModelInForce)[-1].body.why == "no recipe is in Production since v1 was demoted"


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("decision", [9, 13, 14, 20])
def test_a_session_that_is_killed_goes_on_with_the_models_it_would_have_had(
    calm: Any, half_day: Session, stage: Make, decision: int
) -> None:
    promote(stages_of(calm, half_day), half_day.open + timedelta(minutes=62))
    twin = MemoryFacts(World(WorldKind.BACKTEST, 2))
    copy_plan(calm.facts, twin, half_day)
    other = stage({AB: [(12, 2.5), (98, 0.2), (140, 2.5)], CD: [(5, 1.5), (77, -2.6)]}, plan=False, run=2)
    other.blobs, other.facts = calm.blobs, twin
    run_session(calm.desk(), half_day)

    last = sorted(half_day.decisions)[decision]

    class Dies(MemoryFacts):
        def append(self, *records: Record) -> None:
            twin.append(*records)
            if any(record.kind == "mark" and record.at == last for record in records):
                raise Killed

        def read(self, body: Any, **asked: Any) -> Any:
            return twin.read(body, **asked)

    with pytest.raises(Killed):
        run_session(other.desk(facts=Dies(twin.world)), half_day)
    run_session(other.desk(facts=twin), half_day)
    ours, theirs = in_force(calm.facts), in_force(twin)
    assert ours == theirs
    assert [(r.at, r.body) for r in calm.facts.read(Signal)] == [(r.at, r.body) for r in twin.read(Signal)]


def test_a_twin_world_changes_its_models_at_the_same_decisions(calm: Any, half_day: Session, stage: Make) -> None:
    promote(stages_of(calm, half_day), half_day.open + timedelta(minutes=62))
    run_session(calm.desk(), half_day)
    other = stage({AB: [(12, 2.5), (98, 0.2), (140, 2.5)], CD: [(5, 1.5), (77, -2.6)]}, plan=False, run=2)
    other.blobs = calm.blobs
    copy_plan(calm.facts, other.facts, half_day)
    run_session(other.desk(), half_day)
    assert in_force(other.facts) == in_force(calm.facts)
    assert compare(calm.facts, other.facts) == []


def test_a_trade_carried_over_night_keeps_the_model_it_was_entered_with(stage: Make, half_day: Session) -> None:
    monday = Calendar().after(half_day.day)
    made = stage({AB: [(12, 2.5), (98, 2.4)], CD: [(5, 1.5)]}, sessions=(half_day, monday), plan=False)
    made.refit(half_day, HORIZONS)
    made.refit(monday, HORIZONS)
    promote(stages_of(made, half_day), half_day.open + timedelta(minutes=62))
    desk = made.desk()
    run_session(desk, half_day)
    assert AB in Book.from_facts(made.facts).open
    run_session(made.desk(), monday)
    first, second = sorted(monday.decisions)[:2]
    assert in_force(made.facts)[-1] == (first, "v2")
    assert horizon_at(made.facts, AB, second) == HORIZONS["v1"]
    assert horizon_at(made.facts, CD, second) == HORIZONS["v2"]


def test_in_a_split_a_pair_trades_by_the_challenger_in_every_world(stage: Make, half_day: Session) -> None:
    steps = {AB: [(12, 1.5)], CD: [(5, 1.5)]}
    made, other = stage(steps, plan=False), stage(steps, plan=False, run=2)
    made.refit(half_day, HORIZONS, split={str(AB): "v2"})
    stages_of(made, half_day)
    other.blobs = made.blobs
    copy_plan(made.facts, other.facts, half_day)
    for each in (made, other):
        run_session(each.desk(), half_day)
    for moment in sorted(half_day.decisions)[4::9]:
        assert horizon_at(made.facts, AB, moment) == HORIZONS["v2"]
        assert horizon_at(made.facts, CD, moment) == HORIZONS["v1"]
    assert compare(made.facts, other.facts) == []
    traders = Traders.of(made.facts, made.settings, TECH)
    assert traders.days("v1") == traders.days("v2") == [half_day.day]
    assert [traders.had("v2", half_day.day, str(pair)) for pair in (AB, CD)] == [True, False]


def test_a_challenger_that_is_withdrawn_trades_its_pairs_no_more(stage: Make, half_day: Session) -> None:
    made = stage({AB: [(5, 1.5)], CD: [(5, 1.5)]}, plan=False)
    made.refit(half_day, HORIZONS, split={str(AB): "v2"})
    stages, at = stages_of(made, half_day), half_day.open + timedelta(minutes=62)
    stages.withdraw(TECH, "v2", why="it loses", by="ada", at=at)
    run_session(made.desk(), half_day)
    after = next(d for d in sorted(half_day.decisions) if d >= at)
    assert horizon_at(made.facts, AB, after - DECISION_EVERY) == HORIZONS["v2"]
    assert horizon_at(made.facts, AB, after) == horizon_at(made.facts, CD, after) == HORIZONS["v1"]


def test_a_challenger_whose_refit_must_not_trade_leaves_its_pairs_to_the_baseline(
    stage: Make, half_day: Session
) -> None:
    made = stage(plan=False)
    made.refit(half_day, HORIZONS, refused="validation log loss 9", split={str(AB): "v2"})
    stages_of(made, half_day)
    champions = Champions(made.facts, made.blobs, half_day.day)
    champions.follow(half_day.open)
    assert champions.model(AB, TECH).why == "the baseline trades: the refit of v2 must not trade: validation log loss 9"
    assert champions.model(CD, TECH).horizon == HORIZONS["v1"]


def test_a_plan_that_knows_no_recipes_trades_its_models(stage: Make, half_day: Session) -> None:
    made = stage()
    run_session(made.desk(), half_day)
    assert made.facts.read(ModelInForce) == []
    planned = plan_of(made.facts, half_day.day)
    assert planned is not None
    assert planned.refits == ()
