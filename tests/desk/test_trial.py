"""Who is tried on which sessions and pairs: those that champion and challenger share, sector by sector."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pandas as pd
import pytest

from tandem.book import Capital, Mark
from tandem.config import TrialSettings
from tandem.desk import (
    Plan,
    Shadow,
    close_day,
    run_session,
    shadow_of,
    split_of,
    trial,
    try_challenger,
    watch_champion,
    why_no_trial,
)
from tandem.desk.champions import ModelInForce
from tandem.desk.contenders import Traders
from tandem.desk.lineup import line_up
from tandem.desk.plan import Refit
from tandem.forecast import BASELINE, Assignment, challenger_of
from tandem.market import Calendar, Pair, World, WorldKind
from tandem.signals import Signal
from tandem.statistics import reversion_probability
from tandem.store import MemoryFacts, Record, Stages

TECH, ENERGY = "technology", "energy"
AB, CD = Pair("A", "B"), Pair("C", "D")
DAYS = Calendar().sessions(date(2022, 11, 1), date(2022, 11, 30))
LEAST = 10
EVIDENCE = {"spa_pvalue": 0.01}
HORIZONS = {"v1": 14, "v2": 3}
NOTHING = Mark(Decimal(100_000), Decimal(0), Decimal(0), Decimal(0), Decimal(0))


@pytest.fixture
def settings(stage):
    """Of the desk, with v2 as the challenger; a mode of trial."""
    usual = stage(plan=False).settings

    def given(mode, **changes):
        asked = TrialSettings(mode=mode, challenger={"version": "v2"}, min_days=LEAST, draws=100, **changes)
        return usual.model_copy(update={"trial": asked})

    return given


def sessions(*numbers):
    return [DAYS[number - 1] for number in numbers]


def book(facts, days):
    """Sessions in which nothing happened."""
    facts.append(Record(Capital(Decimal(100_000)), DAYS[0].day, DAYS[0].morning, "capital"))
    facts.append(*(Record(NOTHING, each.day, each.decisions[0], f"mark.{each.day}") for each in days))
    return facts


@pytest.fixture
def world(store):
    """Twenty sessions of a world in which v1 came first and v2 challenges."""
    facts = book(store.facts(store.new_world(WorldKind.BACKTEST)), DAYS[:20])
    for recipe in HORIZONS:
        Stages(facts).stage(TECH, recipe, why="new", by="morning", at=DAYS[0].morning)
    return facts


def shadowed(store, facts, *numbers):
    """The challenger's book has these sessions."""
    run = store.new_world(WorldKind.SHADOW).run
    facts.append(Record(Shadow("v2", run), DAYS[0].day, DAYS[0].morning, "shadow.v2"))
    book(store.facts(World(WorldKind.SHADOW, run)), sessions(*numbers))


def promoted(facts, recipe, after):
    """A recipe of the evening of a session."""
    (session,) = sessions(after)
    Stages(facts).stage(TECH, recipe, why="new", by="morning", at=session.morning)
    Stages(facts).promote(TECH, recipe, why="better", by="trial", at=session.close, evidence=EVIDENCE)


@pytest.mark.parametrize(
    ("shadow", "came_after", "shared"),
    [
        (range(1, 21), 18, 2),  # the champion came two sessions ago; twenty of the challenger beat nobody
        (range(1, 21), 11, 9),
        (range(1, 10), 0, 9),  # the challenger came to an end
        (range(2, 20, 2), 0, 9),  # or has every other session
        ((1, 2, 3, 4, 7, 9), 4, 2),
        ((*range(1, 10), 21), 0, 9),  # or sessions that the world has lost
    ],
)
def test_only_sessions_that_champion_and_challenger_share_are_counted(
    store, world, settings, monkeypatch, shadow, came_after, shared
):
    shadowed(store, world, *shadow)
    if came_after:
        promoted(world, "v3", came_after)
    monkeypatch.setattr(trial, "track_of", lambda *_, **__: pytest.fail("a short record was looked into"))
    verdict = try_challenger(store, world, settings("shadow"), TECH)
    assert (verdict.recipe, verdict.against) == ("v2", "v3" if came_after else "v1")
    assert (verdict.action, verdict.why) == ("keep", f"{shared} sessions on record, at least {LEAST}")
    assert verdict.evidence == {"days": shared, "min_days": LEAST}


@pytest.mark.parametrize(("shadow", "came_after"), [(range(1, 21), 10), (range(1, 22, 2), 0), (range(3, 22), 10)])
def test_a_record_that_is_long_enough_is_compared_on_the_sessions_that_are_shared(
    store, world, settings, shadow, came_after
):
    shadowed(store, world, *shadow)
    if came_after:
        promoted(world, "v3", came_after)
    verdict = try_challenger(store, world, settings("shadow"), TECH)
    assert verdict.evidence["shared_days"] == LEAST
    assert verdict.evidence["days"] == len(shadow)  # its own record, which the gates of a promotion look at
    assert verdict.why.startswith(
        f"v2 cannot be told from {verdict.against} yet: net_pnl is the same, "
        f"log_loss is known of all of them on 0 sessions, at least {LEAST}"
    )


def refit_of(recipe, **changes):
    return Refit(TECH, recipe, recipe, {str(AB): ""}, **{"loss": 0.6, **changes})


def test_sessions_for_which_a_recipe_was_not_fitted_are_not_its_record(store, world, settings, stage):
    """Of twenty sessions v2 was fitted on sixteen, and v1, which is in Production, on nineteen."""
    shadowed(store, world, *range(1, 21))
    own = stage(plan=False)
    own.facts, own.blobs = store.facts(shadow_of(world, "v2")), store.blobs
    refits = {
        0: (refit_of("v1"), refit_of("v2", refused="a loss out of its band")),
        1: (refit_of("v1"), refit_of("v2", loss=None)),
        2: (refit_of("v1"), refit_of("v2", loss=None)),
        3: (refit_of("v1"),),  # the shadow trained a model of its own, and there were too few bars for a network
        4: (refit_of("v2"),),
    }
    for number, session in enumerate(DAYS[:20]):
        plan = Plan(1, {}, 1, refits.get(number, (refit_of("v1"), refit_of("v2"))))
        world.append(Record(plan, session.day, session.morning, f"plan.{session.day}"))
        own.plan(session, AB)
    verdict = try_challenger(store, world, settings("shadow"), TECH)
    assert (verdict.evidence["days"], verdict.evidence["shared_days"]) == (16, 15)
    assert verdict.why.endswith(
        "; 4 sessions of v2 left out: there was too little to train it on (3), its refit must not trade (1)"
        "; 1 session of v1 left out: it was not fitted"
    )
    assert (verdict.evidence["left_out_v2"], verdict.evidence["left_out_v1"]) == (4, 1)
    watched = watch_champion(store, world, settings("shadow"), TECH)
    assert watched.evidence["days"] + watched.evidence["record_days"] == 19
    assert watched.why.endswith("1 session of v1 left out: it was not fitted")


def test_a_challenger_that_was_fitted_too_seldom_is_not_looked_into(store, world, settings, monkeypatch):
    shadowed(store, world, *range(1, 21))
    own = store.facts(shadow_of(world, "v2"))
    for number, session in enumerate(DAYS[:20]):
        refits = refit_of("v1"), refit_of("v2", loss=None if number < 11 else 0.6)
        for facts in (world, own):
            facts.append(Record(Plan(1, {}, 1, refits), session.day, session.morning, f"plan.{session.day}"))
    monkeypatch.setattr(trial, "track_of", lambda *_, **__: pytest.fail("a short record was looked into"))
    assert try_challenger(store, world, settings("shadow"), TECH).why == (
        "9 sessions on record, at least 10; 11 sessions of v2 left out: there was too little to train it on"
    )


def test_in_a_split_sessions_without_a_model_of_its_own_are_left_out_too(store, world, settings):
    everything = settings("split", share=1.0)
    for number, session in enumerate(DAYS[:20]):
        split_on(world, session, everything, {AB: TECH})
        refits = refit_of("v1"), refit_of("v2", refused="out of its band" if number < 12 else "")
        plan = Plan(1, {}, 1, refits, {str(AB): "v2"})
        world.append(Record(plan, session.day, session.morning, f"plan.{session.day}"))
    assert try_challenger(store, world, everything, TECH).why == (
        "8 sessions on record, at least 10; 12 sessions of v2 left out: its refit must not trade"
    )


def split_on(facts, session, settings, pairs, sectors=(TECH,)):
    """The pairs that a morning gives to the challenger, with both recipes fitted."""
    lineups = line_up(facts, session, settings, sectors, [challenger_of(settings).settings])
    passports = [SimpleNamespace(pair=pair, sector=sector) for pair, sector in pairs.items()]
    return split_of(facts, session, settings, lineups, passports)


def test_a_champion_that_comes_back_is_tried_on_the_sessions_that_were_its_own(store, world, settings):
    """In a split v2 had its pair all along: beside v1, beside the baseline, and beside v1 again."""
    everything = settings("split", share=1.0)
    stages, days = Stages(world), DAYS[:20]
    for number, session in enumerate(days, start=1):
        split = split_on(world, session, everything, {AB: TECH})
        assert split == {AB: "v2"}
        refits = tuple(Refit(TECH, recipe, recipe, {str(AB): "", str(CD): ""}, loss=0.6) for recipe in HORIZONS)
        world.append(Record(Plan(2, {}, 1, refits, {"A/B": "v2"}), session.day, session.morning, f"plan.{number}"))
        if number == 6:
            stages.demote(TECH, "v1", why="drifts", by="trial", at=session.close)
        if number == 12:
            stages.roll_back(TECH, "v1", why="it was the feed", by="ada", at=session.close)
    traders = Traders.of(world, everything, TECH)
    assert [traders.champions[each.day] for each in days] == ["v1"] * 6 + [BASELINE] * 6 + ["v1"] * 8
    assert traders.days("v2") == [each.day for each in days]
    assert {record.body.champion for record in world.read(Assignment)} == {"v1", BASELINE}
    longer = everything.model_copy(update={"trial": everything.trial.model_copy(update={"min_days": 15})})
    verdict = try_challenger(store, world, longer, TECH)
    assert (verdict.against, verdict.why) == ("v1", "14 sessions on record, at least 15")
    assert try_challenger(store, world, everything, TECH).evidence["days"] == 14


def horizon_at(facts, pair, moment):
    """Whose forecast a signal is: the probability says which horizon was asked about."""
    signal = next(record.body for record in facts.read(Signal, pair=str(pair)) if record.at == moment)
    said = {horizon: float(reversion_probability(signal.z, 0.95**horizon)) for horizon in HORIZONS.values()}
    return min(said, key=lambda horizon: abs(said[horizon] - signal.probability))


@pytest.fixture
def two_sectors(store, stage, half_day, settings):
    """A day on which a split gives every pair to v2, traded; of energy v2 was withdrawn."""
    made = stage({AB: [(12, 1.5)], CD: [(5, 1.5)]}, plan=False)
    made.facts, made.blobs = store.facts(store.new_world(WorldKind.BACKTEST)), store.blobs
    stages, everything = Stages(made.facts), settings("split", share=1.0)
    for sector in (TECH, ENERGY):
        for recipe in HORIZONS:
            stages.stage(sector, recipe, why="new", by="morning", at=half_day.morning)
    stages.withdraw(ENERGY, "v2", why="it loses there", by="ada", at=half_day.morning)
    split = split_on(made.facts, half_day, everything, {AB: TECH, CD: ENERGY}, (TECH, ENERGY))
    shares = {str(pair): recipe for pair, recipe in split.items()}
    made.refit(half_day, HORIZONS, split=shares, sectors={CD: ENERGY})
    run_session(made.desk(settings=everything), half_day)
    store.sectors.load(pd.DataFrame({"symbol": [*"ABCD"], "sector": [TECH, TECH, ENERGY, ENERGY]}))
    return made.facts


def test_a_sector_without_a_trial_keeps_its_pairs_and_its_recipe(two_sectors, settings, half_day):
    everything, day = settings("split", share=1.0), half_day.day
    assert why_no_trial(two_sectors, everything, TECH) == ""
    assert why_no_trial(two_sectors, everything, ENERGY).startswith("v2 of energy is in Archived")
    assert [(record.body.pair, record.body.recipe) for record in two_sectors.read(Assignment)] == [(AB, "v2")]
    for moment in sorted(half_day.decisions)[4::9]:
        assert horizon_at(two_sectors, AB, moment) == HORIZONS["v2"]
        assert horizon_at(two_sectors, CD, moment) == HORIZONS["v1"]
    technology, energy = (Traders.of(two_sectors, everything, sector) for sector in (TECH, ENERGY))
    assert (technology.pairs, energy.pairs) == ({"A/B"}, frozenset())
    assert technology.days("v1") == technology.days("v2") == energy.days("v1") == [day]
    assert energy.days("v2") == []
    assert [technology.had(recipe, day, "A/B") for recipe in HORIZONS] == [False, True]
    assert [energy.had(recipe, day, "C/D") for recipe in HORIZONS] == [True, False]
    assert {record.body.recipe for record in two_sectors.read(ModelInForce)} == {"v1"}


def test_in_the_evening_only_the_sector_with_a_trial_is_tried(two_sectors, store, settings, half_day):
    found = close_day(store, two_sectors, half_day, settings("split", share=1.0), None)
    assert [(each.sector, each.recipe, each.against) for each in found] == [
        (ENERGY, "v1", ""), (TECH, "v1", ""), (TECH, "v2", "v1"),
    ]  # fmt: skip
    assert found[-1].why == f"1 sessions on record, at least {LEAST}"


MANY = {Pair(f"A{n}", f"B{n}"): TECH for n in range(40)} | {Pair(f"C{n}", f"D{n}"): ENERGY for n in range(40)}


def first_day(settings, run=1):
    """A morning on which every pair is given out, and the world it was in."""
    facts = MemoryFacts(World(WorldKind.BACKTEST, run))
    return split_on(facts, DAYS[0], settings, MANY, (TECH, ENERGY)), facts


def test_a_seed_gives_out_the_same_pairs_in_every_world_and_another_one_others(settings):
    first, again, other = (first_day(settings("split", seed=seed), run)[0] for run, seed in enumerate((7, 7, 8), 1))
    assert first == again
    assert 20 < len(first) < 60
    assert len(first.keys() ^ other.keys()) > 15


def test_what_a_pair_was_given_stays_while_the_sector_beside_it_loses_its_trial(settings):
    halves = settings("split")
    first, facts = first_day(halves)
    Stages(facts).withdraw(ENERGY, "v2", why="it loses there", by="ada", at=DAYS[0].close)
    greedy = settings("split", share=1.0)
    late = {Pair("A0", "B1"): TECH}
    later = split_on(facts, DAYS[1], greedy, late | dict(reversed(MANY.items())), (ENERGY, TECH))
    assert later == {pair: recipe for pair, recipe in first.items() if MANY[pair] == TECH} | dict.fromkeys(late, "v2")
    assert len(facts.read(Assignment)) == len(MANY) + len(late)
