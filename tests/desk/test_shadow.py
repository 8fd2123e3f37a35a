"""Another recipe on the bars of a session, in a world and a book of its own."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest

from tandem.book import Book, Capital, Mark
from tandem.cli.demo import SYMBOLS, settings_of
from tandem.config import ModelSettings, Settings, TrialSettings
from tandem.desk import (
    Plan,
    Rehearsal,
    Shadow,
    assignments_of,
    compare,
    earned,
    in_one_process,
    plan_of,
    prepare,
    record_verdict,
    run_session,
    shadow_day,
    shadow_of,
    shadow_session,
    split_of,
    track_of,
    try_challenger,
    watch_champion,
    why_no_trial,
)
from tandem.desk.lineup import line_up
from tandem.desk.shadow import account_of
from tandem.execution import in_process
from tandem.forecast import (
    BASELINE,
    Assignment,
    Contender,
    PairModel,
    Verdict,
    baseline_of,
    challenger_of,
    champion_of,
)
from tandem.market import Calendar, DataError, Fill, Pair, World, WorldKind
from tandem.risk import Switch
from tandem.screening import Passport
from tandem.signals import Signal
from tandem.sources import samples
from tandem.store import MemoryFacts, Record, Stages

DAYS = (date(2023, 1, 25),)


@pytest.fixture(scope="module")
def settings(module_store, tmp_path_factory):
    samples.load(module_store)
    settings = settings_of(tmp_path_factory.mktemp("home")).model_dump() | {"database_url": module_store.url}
    settings["model"]["epochs"] = 2
    return Settings.model_validate(settings)


@pytest.fixture(scope="module")
def traded(module_store, settings, tmp_path_factory):
    """The facts of a world that traded two sessions."""
    plans = module_store.new_world(WorldKind.RECYCLER, "plans")
    for day in DAYS:
        prepare(module_store, module_store.facts(plans), Calendar().session(day), settings, None)
    world = module_store.new_world(WorldKind.BACKTEST)
    in_one_process(Rehearsal(settings.home, settings, SYMBOLS, DAYS, plans), world)
    return module_store.facts(world)


def shadowed(store, traded, settings, recipe):
    return [shadow_session(store, traded, Calendar().session(day), settings, recipe) for day in DAYS][-1]


@pytest.fixture(scope="module")
def shadow(module_store, traded, settings):
    return shadowed(module_store, traded, settings, champion_of(settings))


def test_the_shadow_of_the_same_recipe_does_what_the_world_did(traded, shadow):
    assert len(traded.read(Fill)) >= 4
    assert compare(traded, shadow) == []
    assert [r.body for r in shadow.read(Mark)] == [r.body for r in traded.read(Mark)]
    assert earned(shadow) == earned(traded)


def test_shares_held_over_night_are_held_on(stage, half_day):
    """A new broker on each day, as a shadow has, against one that lives through both."""
    sessions = [half_day, Calendar().after(half_day.day)]
    one, other = stage(sessions=sessions), stage(sessions=sessions)
    for session in sessions:
        run_session(one.desk(), session)
    run_session(other.desk(), sessions[0])
    assert Book.from_facts(other.facts).shares()
    later = other.frame[other.frame["start"] >= sessions[1].open]
    inside = in_process(later, other.facts.world, Decimal(0), other.settings.costs, account_of(other.facts))
    run_session(other.desk(clock=inside.clock, feed=inside.feed, broker=inside.broker), sessions[1])
    assert other.facts.read(Switch) == []  # nothing was missing at the broker
    assert compare(one.facts, other.facts) == []
    assert [r.body for r in other.facts.read(Mark)] == [r.body for r in one.facts.read(Mark)]


def test_a_session_that_was_shadowed_is_left_as_it_is(module_store, traded, settings, shadow):
    before = [len(shadow.read(kind)) for kind in (Signal, Fill, Mark, Capital, Passport)]
    again = shadowed(module_store, traded, settings, champion_of(settings))
    assert again.world == shadow.world == shadow_of(traded, settings.model.version)
    assert [len(again.read(kind)) for kind in (Signal, Fill, Mark, Capital, Passport)] == before


def test_another_recipe_has_its_own_world_models_and_book_on_the_same_passports(module_store, traded, settings, shadow):
    recipe = Contender(
        "v2", ModelSettings.model_validate({**settings.model.model_dump(), "version": "v2", "gru_units": 8})
    )
    session = Calendar().session(DAYS[0])
    other = shadow_session(module_store, traded, session, settings, recipe)
    assert other.world.kind is WorldKind.SHADOW
    assert other.world != shadow.world
    assert other.read(Passport, session=DAYS[0]) == traded.read(Passport, session=DAYS[0])
    models = plan_of(other, DAYS[0]).models
    assert models.keys() == plan_of(traded, DAYS[0]).models.keys()
    found = [PairModel.from_bytes(module_store.blobs.get(digest)) for digest in models.values()]
    assert {(model.settings.version, model.settings.gru_units) for model in found} == {("v2", 8)}
    assert len(other.read(Mark)) == len(traded.read(Mark, session=DAYS[0]))


def test_the_baseline_trains_no_network(module_store, traded, settings):
    session = Calendar().session(DAYS[0])
    other = shadow_session(module_store, traded, session, settings, baseline_of(settings))
    models = [PairModel.from_bytes(module_store.blobs.get(d)) for d in plan_of(other, DAYS[0]).models.values()]
    assert {(model.trades_with, model.network) for model in models} == {("baseline", None)}
    assert {record.body.model for record in other.read(Signal)} == {"baseline"}


def test_a_shadow_that_is_killed_leaves_nothing_and_begins_again(module_store, traded, settings, monkeypatch):
    import tandem.desk.shadow as module

    session, recipe = Calendar().session(DAYS[0]), Contender("killed", settings.model)
    whole = module.run_session

    def killed(desk, session):
        whole(desk, session)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "run_session", killed)
    with pytest.raises(KeyboardInterrupt):
        shadow_session(module_store, traded, session, settings, recipe)
    facts = module_store.facts(shadow_of(traded, "killed"))
    assert not facts.read(Signal)
    assert not facts.read(Capital)
    monkeypatch.undo()
    assert shadow_session(module_store, traded, session, settings, recipe).world == facts.world
    assert len(facts.read(Mark)) == len(traded.read(Mark, session=DAYS[0]))


def test_a_shadow_does_not_go_back(module_store, traded, settings):
    session, recipe = Calendar().session(DAYS[0]), Contender("later", settings.model)
    later = module_store.new_world(WorldKind.SHADOW)
    traded.append(Record(Shadow("later", later.run), session.day, session.morning, "shadow.later"))
    after = Calendar().after(session.day)
    mark = traded.read(Mark)[-1].body
    module_store.facts(later).append(Record(mark, after.day, after.close, "mark"))
    with pytest.raises(DataError, match="cannot go back to 2023-01-25"):
        shadow_session(module_store, traded, session, settings, recipe)


def test_a_day_without_a_plan_has_no_shadow(module_store, traded, settings):
    with pytest.raises(DataError, match="no plan for 2023-01-27"):
        shadow_session(module_store, traded, Calendar().session(date(2023, 1, 27)), settings, champion_of(settings))


@pytest.fixture
def trying(settings):
    """The settings with a challenger in shadow."""
    challenger = {"version": "v2", "gru_units": 8}
    return settings.model_copy(update={"trial": TrialSettings(mode="shadow", challenger=challenger, draws=100)})


def test_a_day_of_a_trial_keeps_the_books_of_challenger_and_baseline(module_store, traded, settings, trying):
    session = Calendar().session(DAYS[0])
    assert shadow_day(module_store, traded, session, settings) == []
    found = shadow_day(module_store, traded, session, trying)
    assert [each.world for each in found] == [shadow_of(traded, "v2"), shadow_of(traded, BASELINE)]


def test_a_track_is_the_record_of_a_sector(module_store, traded):
    found = track_of(module_store, traded, "v1", "technology")
    assert list(found.pnl) == list(DAYS)
    assert sum(found.pnl.values()) == pytest.approx(float(traded.read(Mark)[-1].body.net_pnl), abs=1e-6)
    assert len(found.grades) == len(traded.read(Signal))
    assert found.grades.known.skill.log_loss > 0
    assert found.of_pairs == pytest.approx({"AAPL/NVDA": sum(found.pnl.values())})
    assert len(track_of(module_store, traded, "v1", "healthcare").grades) == 0


def test_a_verdict_is_reached_from_what_is_on_record_and_recorded_once(module_store, traded, trying):
    session = Calendar().session(DAYS[0])
    shadow_day(module_store, traded, session, trying)
    verdict = try_challenger(module_store, traded, trying, "technology")
    assert (verdict.action, verdict.recipe, verdict.against) == ("keep", "v2", "v1")
    assert "1 sessions on record, at least 60" in verdict.why
    watched = watch_champion(module_store, traded, trying, "technology")
    assert (watched.action, watched.recipe) == ("keep", "v1")
    facts = MemoryFacts(traded.world)
    for each in (verdict, watched, verdict):
        record_verdict(facts, session, each)
    assert [record.body for record in facts.read(Verdict)] == [verdict, watched]


def test_nobody_is_tried_before_there_is_a_record(module_store, settings, trying):
    facts = module_store.facts(module_store.new_world(WorldKind.BACKTEST))
    with pytest.raises(DataError, match="v2 has no shadow beside backtest"):
        try_challenger(module_store, facts, trying, "technology")
    split = trying.model_copy(update={"trial": trying.trial.model_copy(update={"mode": "split"})})
    verdict = try_challenger(module_store, facts, split, "technology")
    assert (verdict.action, "0 sessions on record" in verdict.why) == ("keep", True)


PAIRS = [Pair("AAPL", "NVDA"), Pair("IBM", "MSFT"), Pair("AAPL", "MSFT"), Pair("IBM", "NVDA")]


def split(facts, session, pairs, settings):
    """Who trades what, with both recipes fitted."""
    lineups = line_up(facts, session, settings, ["technology"], [challenger_of(settings).settings])
    return split_of(
        facts, session, settings, lineups, [SimpleNamespace(pair=pair, sector="technology") for pair in pairs]
    )


def test_an_assignment_is_a_fact_that_outlives_days_pairs_and_shares(half_day, trying):
    facts = MemoryFacts(World(WorldKind.PAPER, 1))
    trial = trying.trial.model_copy(update={"mode": "split"})
    halves = trying.model_copy(update={"trial": trial})
    first = split(facts, half_day, PAIRS[:3], halves)
    found = {pair: each.recipe for pair, each in assignments_of(facts, halves, "technology").items()}
    assert first == {pair: recipe for pair, recipe in found.items() if recipe == "v2"}
    assert {*found.values()} == {"v1", "v2"}
    greedy = halves.model_copy(update={"trial": trial.model_copy(update={"share": 1.0})})
    later = split(facts, Calendar().after(half_day.day), PAIRS[::-1], greedy)
    assert later == first | {PAIRS[3]: "v2"}
    assert len(facts.read(Assignment)) == 4


def test_without_a_split_every_pair_is_the_champions(half_day, trying):
    facts = MemoryFacts(World(WorldKind.PAPER, 1))
    assert split(facts, half_day, PAIRS, trying) == {}
    assert facts.read(Assignment) == []


def test_a_challenger_that_is_withdrawn_or_promoted_has_no_trial(half_day, trying):
    facts = MemoryFacts(World(WorldKind.PAPER, 1))
    halves = trying.model_copy(update={"trial": trying.trial.model_copy(update={"mode": "split"})})
    assert split(facts, half_day, PAIRS, halves)
    Stages(facts).promote("technology", "v2", why="better", by="ada", at=half_day.close, evidence={"days": 60.0})
    assert split(facts, Calendar().after(half_day.day), PAIRS, halves) == {}
    assert why_no_trial(facts, halves, "technology").startswith("v2 of technology is in Production")
    assert why_no_trial(facts, halves, "energy") == ""
    assert why_no_trial(facts, Settings(), "energy") == "trial.mode is off"


def test_a_split_is_decided_on_the_pairs_that_each_had(module_store, traded, trying):
    halves = trying.model_copy(update={"trial": trying.trial.model_copy(update={"mode": "split"})})
    facts = MemoryFacts(traded.world)
    for kind in (Capital, Mark, Plan, Fill, Signal, Passport):
        facts.append(*traded.read(kind))
    split(facts, Calendar().session(DAYS[0]), PAIRS, halves)
    verdict = try_challenger(module_store, facts, halves, "technology")
    assert (verdict.action, verdict.recipe, verdict.against) == ("keep", "v2", "v1")
    assert verdict.why == "0 sessions on record, at least 60"
