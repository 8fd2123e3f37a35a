"""Another recipe on the bars of a session, in a world and a book of its own."""

from datetime import date
from decimal import Decimal

import pytest

from tandem.book import Book, Capital, Mark
from tandem.cli.demo import SYMBOLS, settings_of
from tandem.config import ModelSettings, Settings
from tandem.desk import (
    Rehearsal,
    compare,
    earned,
    in_one_process,
    plan_of,
    prepare,
    run_session,
    shadow_of,
    shadow_session,
)
from tandem.desk.shadow import account_of
from tandem.execution import in_process
from tandem.forecast import PairModel, Recipe, baseline_of, champion_of
from tandem.market import Calendar, DataError, Fill, WorldKind
from tandem.risk import Switch
from tandem.screening import Passport
from tandem.signals import Signal
from tandem.sources import samples

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
    recipe = Recipe(
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

    session, recipe = Calendar().session(DAYS[0]), Recipe("killed", settings.model)
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


def test_a_day_without_a_plan_has_no_shadow(module_store, traded, settings):
    with pytest.raises(DataError, match="no plan for 2023-01-27"):
        shadow_session(module_store, traded, Calendar().session(date(2023, 1, 27)), settings, champion_of(settings))
