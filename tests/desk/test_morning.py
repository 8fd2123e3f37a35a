"""The real chain on the bars that ship with Tandem: identify, train, plan, trade."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tandem.book import Book
from tandem.config import RefitSettings, SectorSettings, Settings, TrialSettings
from tandem.desk import (
    Morning,
    Plan,
    TradingConfiguration,
    backtest_desk,
    compare,
    copy_plan,
    plan_of,
    prepare,
    run_session,
)
from tandem.execution import PairOrderEnded
from tandem.forecast import Assignment, MlflowRegistry, PairModel, RecipeStaged, Verdict, act_on
from tandem.market import Calendar, DataError, Fill, Order, Refusal, Session, StoreError, Timeframe, WorldKind, resample
from tandem.screening import Funnel, Passport
from tandem.signals import Signal
from tandem.sources import samples
from tandem.store import MemoryFacts, Record, Stage, StageChanged, Stages, Store, Tracking

SYMBOLS = ["AAPL", "IBM", "MSFT", "NVDA"]
SETTINGS = Settings(
    screen={"formation_days": 7},
    model={"timeframe": "5Min", "min_data_points": 400, "epochs": 2, "evidence_pvalue": 0.0},  # type: ignore[arg-type]
)
NewStore = Any


def session_of(day: date) -> Session:
    session = Calendar().session(day)
    assert session is not None
    return session


TODAY = session_of(date(2023, 1, 25))


@dataclass
class Desk:
    """A store with bars and a world whose morning is done."""

    store: Store
    facts: MemoryFacts
    morning: Morning


def fill(store: Store, bars: pd.DataFrame) -> None:
    store.bars.load(bars, timeframe=Timeframe.MIN_1, source="sample")
    store.bars.load(resample(bars, Timeframe.MIN_5), timeframe=Timeframe.MIN_5, source="sample")
    sectors = samples.sectors()
    store.sectors.load(sectors[sectors["symbol"].isin(SYMBOLS)].assign(source="sample"))


def morning_of(store: Store) -> Desk:
    facts = MemoryFacts(store.new_world(WorldKind.BACKTEST))
    morning = prepare(store, facts, TODAY, SETTINGS, None)
    assert morning is not None
    return Desk(store, facts, morning)


@pytest.fixture(scope="module")
def real(module_store: Store) -> Desk:
    fill(module_store, samples.minute_bars())
    return morning_of(module_store)


@pytest.fixture(scope="module")
def early(new_store: NewStore) -> Iterator[Desk]:
    """The same in a store that holds nothing of the day itself, nor of later ones."""
    bars = samples.minute_bars()
    context: AbstractContextManager[Store] = new_store()
    with context as store:
        fill(store, bars[bars["start"] + timedelta(minutes=1) <= TODAY.morning])
        yield morning_of(store)


def test_only_pairs_that_may_be_entered_have_a_model(real: Desk) -> None:
    assert [str(passport.pair) for passport in real.morning.entering] == ["AAPL/NVDA"]
    assert [str(pair) for pair in real.morning.models] == ["AAPL/NVDA"]
    assert real.facts.read(Refusal) == []


def test_the_plan_names_the_passports_and_models_of_the_day(real: Desk) -> None:
    assert plan_of(real.facts, TODAY.day) == real.morning.plan
    assert real.morning.plan.tested == 6
    assert list(real.morning.plan.models) == ["AAPL/NVDA"]
    (passport,) = real.facts.read(Passport, session=TODAY.day)
    assert passport.body == real.morning.identification.passports[0]
    assert passport.body.window_last < TODAY.morning


def test_a_second_morning_of_the_same_date_does_nothing(real: Desk) -> None:
    before = real.facts.read(Plan)
    assert prepare(real.store, real.facts, TODAY, SETTINGS, None) is None
    assert real.facts.read(Plan) == before


def test_no_bar_after_six_in_the_morning_is_read(real: Desk, early: Desk) -> None:
    assert early.morning.plan == real.morning.plan  # the models' digests among it
    assert early.morning.identification.table == real.morning.identification.table


def test_a_morning_without_two_symbols_of_the_sector_says_so(real: Desk) -> None:
    facts = MemoryFacts(real.store.new_world(WorldKind.BACKTEST))
    settings = SETTINGS.model_copy(update={"sectors": SectorSettings(active=["healthcare"])})
    with pytest.raises(DataError, match="fewer than two symbols of healthcare"):
        prepare(real.store, facts, TODAY, settings, None)
    assert plan_of(facts, TODAY.day) is None


@pytest.fixture
def world(real: Desk) -> MemoryFacts:
    """A fresh world with the morning's plan."""
    facts = MemoryFacts(real.store.new_world(WorldKind.BACKTEST))
    copy_plan(real.facts, facts, TODAY)
    return facts


@pytest.fixture(scope="module")
def traded(real: Desk) -> MemoryFacts:
    """The day, traded."""
    run_session(backtest_desk(real.store, real.facts.world, SETTINGS, SYMBOLS, [TODAY], real.facts), TODAY)
    return real.facts


def test_a_real_day_has_trades_and_the_book_agrees_with_the_broker(real: Desk, traded: MemoryFacts) -> None:
    book = Book.from_facts(traded)
    assert len(traded.read(Signal)) == len(TODAY.decisions)
    assert len(traded.read(Fill)) == len(traded.read(Order)) >= 4
    assert {record.body.outcome for record in traded.read(PairOrderEnded)} == {"filled"}
    assert all(record.body.cost >= 0 for record in traded.read(Fill))
    assert len(book.closed) >= 2


def test_a_real_day_gives_the_same_facts_again(real: Desk, traded: MemoryFacts, world: MemoryFacts) -> None:
    run_session(backtest_desk(real.store, world.world, SETTINGS, SYMBOLS, [TODAY], world), TODAY)
    assert compare(traded, world) == []


class Killed(Exception):
    """The process is gone."""


class Doomed:
    """Facts that live until they are to record an order, a fill or an end for the n-th time."""

    def __init__(self, facts: MemoryFacts, n: int) -> None:
        self._facts, self._left, self.world = facts, n, facts.world

    def append(self, *records: Any) -> None:
        if any(isinstance(record.body, Order | Fill | PairOrderEnded) for record in records):
            self._left -= 1
            if self._left == 0:
                raise Killed
        self._facts.append(*records)

    def read(self, *arguments: Any, **named: Any) -> Any:
        return self._facts.read(*arguments, **named)


@pytest.mark.parametrize("n", [1, 4, 5, 8])
def test_a_real_day_that_is_killed_ends_as_if_it_had_not_been(
    real: Desk, traded: MemoryFacts, world: MemoryFacts, n: int
) -> None:
    desk = backtest_desk(real.store, world.world, SETTINGS, SYMBOLS, [TODAY], Doomed(world, n))  # type: ignore[arg-type]
    with pytest.raises(Killed):
        run_session(desk, TODAY)
    run_session(replace(desk, facts=world), TODAY)
    assert compare(traded, world) == []


class AwayRegistry:
    """A registry whose store is away."""

    tracking = Tracking("postgresql+psycopg://nobody@127.0.0.1:1/mlflow_db", Path())

    def register(self, *_: object, **__: object) -> None:
        raise StoreError("the tracking store is away")


def test_a_registry_that_is_away_is_on_record_and_the_plan_is_made_all_the_same(real: Desk) -> None:
    facts = MemoryFacts(real.store.new_world(WorldKind.BACKTEST))
    morning = prepare(real.store, facts, TODAY, SETTINGS, AwayRegistry())  # type: ignore[arg-type]
    assert morning is not None
    assert plan_of(facts, TODAY.day) == real.morning.plan
    assert [r.body.why for r in facts.read(Refusal) if r.body.reason == "not registered"] == [
        "the tracking store is away"
    ]
    assert [r.body.by for r in facts.read(Refusal) if r.body.reason == "not tracked"] == ["screening"]


def test_whatever_happens_to_the_registry_the_day_is_traded(real: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(AwayRegistry, "register", full)
    facts = MemoryFacts(real.store.new_world(WorldKind.BACKTEST))
    assert prepare(real.store, facts, TODAY, SETTINGS, AwayRegistry()) is not None  # type: ignore[arg-type]
    reasons = [r.body.why for r in facts.read(Refusal) if r.body.reason == "not registered"]
    assert reasons == ["OSError: no space left on device"]


def test_the_first_recipe_of_a_sector_is_in_production_and_trades(real: Desk) -> None:
    (refit,) = real.morning.plan.refits
    assert (refit.sector, refit.recipe, refit.refused) == ("technology", "v1", "")
    assert refit.name == "pairs_trading_gru_garch_technology_v1_20230125"
    assert refit.models == real.morning.plan.models
    assert {"sharpe_ratio", "max_drawdown", "test_f1_score_ar1"} <= refit.figures.keys()
    assert Stages(real.facts).board("technology").stages == {"v1": Stage.PRODUCTION}
    (recipe,) = (record.body for record in real.facts.read(RecipeStaged))
    assert (recipe.name, recipe.model(SETTINGS.model.timeframe)) == ("v1", SETTINGS.model)


def as_recipe(name: str, **changes: object) -> Settings:
    return SETTINGS.model_copy(update={"model": SETTINGS.model.model_copy(update={"version": name, **changes})})


@pytest.fixture
def identified(real: Desk) -> MemoryFacts:
    """A fresh world that has the morning's identification and no plan, and a day before with v1 in Production."""
    facts = MemoryFacts(real.store.new_world(WorldKind.BACKTEST))
    for kind in (Funnel, Passport, TradingConfiguration, RecipeStaged, StageChanged):
        facts.append(*real.facts.read(kind))
    yesterday = replace(real.morning.plan, refits=tuple(replace(each, loss=0.01) for each in real.morning.plan.refits))
    facts.append(Record(yesterday, date(2023, 1, 24), TODAY.morning - timedelta(days=1), "plan of the day before"))
    return facts


def test_a_new_recipe_is_staged_and_fitted_beside_the_champion(real: Desk, identified: MemoryFacts) -> None:
    morning = prepare(real.store, identified, TODAY, as_recipe("v2", gru_units=8, epochs=1), None)
    assert morning is not None
    assert Stages(identified).board("technology").stages == {"v1": Stage.PRODUCTION, "v2": Stage.STAGING}
    champion, challenger = morning.plan.refits
    assert (champion.recipe, challenger.recipe) == ("v1", "v2")
    assert morning.plan.models == champion.models == real.morning.plan.models
    widths = [PairModel.from_bytes(real.store.blobs.get(digest)).settings.gru_units
              for refit in (champion, challenger) for digest in refit.models.values()]  # fmt: skip
    assert widths == [64, 8]


def in_trial(mode: str) -> Settings:
    challenger = {"version": "v2", "gru_units": 8, "epochs": 1}
    return SETTINGS.model_copy(update={"trial": TrialSettings(mode=mode, challenger=challenger, share=1.0)})  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["shadow", "split"])
def test_the_challenger_of_a_trial_is_staged_and_fitted_and_has_its_pairs(
    real: Desk, identified: MemoryFacts, mode: str
) -> None:
    morning = prepare(real.store, identified, TODAY, in_trial(mode), None)
    assert morning is not None
    assert Stages(identified).board("technology").stages == {"v1": Stage.PRODUCTION, "v2": Stage.STAGING}
    champion, challenger = morning.plan.refits
    assert (champion.recipe, challenger.recipe) == ("v1", "v2")
    is_split = mode == "split"
    assert morning.plan.split == ({"AAPL/NVDA": "v2"} if is_split else {})
    assert morning.plan.models == (challenger if is_split else champion).models
    assert [record.body.recipe for record in identified.read(Assignment)] == ["v2"] * is_split


def test_a_recipe_keeps_its_settings_whatever_becomes_of_the_file(real: Desk, identified: MemoryFacts) -> None:
    early = TODAY.morning - timedelta(hours=12)
    second = RecipeStaged.of(as_recipe("v2", gru_units=8, epochs=1).model)
    identified.append(Record(second, early.date(), early, "recipe.v2"))
    Stages(identified).stage("technology", "v2", why="new", by="ada", at=early)
    verdict = Verdict("technology", "v2", "promote", "better on 40 days", {"spa_pvalue": 0.01}, "v1")
    assert [change.recipe for change in act_on(verdict, identified, early)] == ["v1", "v2"]
    assert act_on(verdict, identified, early) == ()
    morning = prepare(real.store, identified, TODAY, as_recipe("v2", gru_units=16, epochs=1), None)
    assert morning is not None
    assert [refit.recipe for refit in morning.plan.refits] == ["v2", "v1"]
    assert {model.settings.gru_units for model in morning.models.values()} == {8}
    (told,) = (record.body.why for record in identified.read(Refusal) if record.body.reason == "recipe changed")
    assert told == "model.version v2 goes on as it was: gru_units 8 is now 16; give the new recipe a name of its own"


def test_a_refit_that_is_refused_leaves_the_pairs_to_the_baseline(real: Desk, identified: MemoryFacts) -> None:
    strict = SETTINGS.model_copy(update={"refit": RefitSettings(min_record=1)})
    morning = prepare(real.store, identified, TODAY, strict, None)
    assert morning is not None
    (refit,) = morning.plan.refits
    assert "1 earlier refits have 0.010 and 0.013 is the most" in refit.refused
    assert {model.why for model in morning.models.values()} == {f"the baseline trades: {refit.refused}"}
    assert Stages(identified).production("technology") == "v1"


def test_a_sector_whose_recipe_was_demoted_is_left_to_the_baseline(real: Desk, identified: MemoryFacts) -> None:
    demoted = Verdict("technology", "v1", "demote", "out of its band", {"cusum": 5.2})
    assert [change.after for change in act_on(demoted, identified, TODAY.morning)] == [Stage.ARCHIVED]
    morning = prepare(real.store, identified, TODAY, SETTINGS, None)
    assert morning is not None
    assert Stages(identified).board("technology").stages == {"v1": Stage.ARCHIVED}
    why = "the baseline trades: no recipe is in Production since v1 was demoted"
    assert {(model.trades_with, model.why) for model in morning.models.values()} == {("baseline", why)}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
def test_a_morning_tells_mlflow_what_stands_where_and_a_later_start_what_it_missed(
    real: Desk, identified: MemoryFacts, tmp_path: Path
) -> None:
    registry = MlflowRegistry(real.store.database("mlflow_morning"), tmp_path)
    both = as_recipe("v2", gru_units=8, epochs=1)
    assert prepare(real.store, identified, TODAY, both, registry) is not None

    def seen() -> dict[str, tuple[str, list[str]]]:
        with registry.tracking.client() as client:
            found = client.search_model_versions(f"tag.world = '{identified.world}'")
            return {
                each.tags["recipe"]: (each.tags["stage"], sorted(client.get_registered_model(each.name).aliases))
                for each in found
            }

    assert seen() == {"v1": ("Production", ["champion"]), "v2": ("Staging", ["challenger"])}
    assert [r.body.reason for r in identified.read(Refusal) if r.body.by == "forecast"] == []
    verdict = Verdict("technology", "v2", "promote", "better on 40 days", {"spa_pvalue": 0.01}, "v1")
    act_on(verdict, identified, TODAY.open)
    assert prepare(real.store, identified, TODAY, both, registry) is None
    assert seen() == {"v1": ("Archived", []), "v2": ("Production", ["champion"])}
