"""A search on a day's pairs, on the bars that ship with Tandem."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import yaml

from tandem.config import ModelSettings, Settings
from tandem.desk import Identification, identify_day, search_of, tune
from tandem.forecast import Search, Tuned, next_version, run_trials
from tandem.market import Calendar, DataError, Pair, Session, Timeframe, WorldKind, resample
from tandem.sources import samples
from tandem.store import MemoryFacts, Store, Tracking

SYMBOLS = ["AAPL", "IBM", "MSFT", "NVDA"]
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:mlflow.*"),
]


def session_of(day: date) -> Session:
    session = Calendar().session(day)
    assert session is not None
    return session


MONDAY = session_of(date(2023, 1, 30))


@pytest.fixture(scope="module")
def january(module_store: Store) -> Store:
    bars = resample(samples.minute_bars(), Timeframe.MIN_5)
    module_store.bars.load(bars, timeframe=Timeframe.MIN_5, source="sample")
    sectors = samples.sectors()
    module_store.sectors.load(sectors[sectors["symbol"].isin(SYMBOLS)].assign(source="sample"))
    return module_store


@pytest.fixture(scope="module")
def settings(tmp_path_factory: Any) -> Settings:
    return Settings.model_validate({
        "screen": {"formation_days": 14},
        "model": {"timeframe": "5Min", "min_data_points": 1000, "epochs": 1, "gru_units": 16},
        "tuning": {"steps": 1, "pairs": 2},
        "home": tmp_path_factory.mktemp("home"),
    })  # fmt: skip


@pytest.fixture(scope="module")
def facts(january: Store) -> MemoryFacts:
    return MemoryFacts(january.new_world(WorldKind.BACKTEST))


@pytest.fixture(scope="module")
def found(january: Store, facts: MemoryFacts, settings: Settings) -> Identification:
    return identify_day(january, facts, MONDAY, settings)


@pytest.fixture
def search(january: Store, settings: Settings, found: Identification) -> Search:
    return search_of(january, MONDAY, settings, found, "technology", trials=2)


def test_what_a_search_finds_is_on_record_and_in_mlflow_once(
    january: Store, facts: MemoryFacts, search: Search, settings: Settings
) -> None:
    tracking = Tracking(january.database("mlflow_tuning"), settings.home / "artifacts")
    told: list[tuple[str, int, int]] = []
    tuned, ended, untracked = tune(
        january, facts, MONDAY, search, tracking=tracking, progress=lambda *said: told.append(said)
    )
    assert untracked is None
    assert (tuned.trials, len(ended.trials), len(tuned.pairs) + len(tuned.left_out)) == (2, 2, 2)
    assert tuned.loss == min(each.loss for each in ended.trials if not each.is_pruned)
    assert all(said[0] == "trials" and said[2] == 2 for said in told)
    assert tune(january, facts, MONDAY, search, tracking=tracking)[0] == tuned
    (record,) = facts.read(Tuned, session=MONDAY.day)
    assert record.body == tuned
    assert january.ledger.count(["technology"]).trials == 2
    with tracking.client() as client:
        experiment = client.get_experiment_by_name("pairs_trading/technology_sector/gru_garch_hybrid_v1")
        (run,) = client.search_runs([experiment.experiment_id])
        losses = client.get_metric_history(run.info.run_id, "trial_log_loss")
    assert run.data.metrics["validation_log_loss"] == tuned.loss
    assert run.data.metrics["trials"] == 2
    assert sorted(each.value for each in losses) == sorted(each.loss for each in ended.trials)


def test_the_block_to_paste_is_a_recipe_of_the_next_version(search: Search, facts: MemoryFacts, january: Store) -> None:
    tuned, _, _ = tune(january, facts, MONDAY, search)
    block = yaml.safe_load(tuned.block())["model"]
    recipe = ModelSettings.model_validate({**search.settings.model.model_dump(), **block})
    assert recipe.version == "v2"
    assert {name: getattr(recipe, name) for name in tuned.params} == tuned.params
    assert [next_version(name) for name in ("v9", "v10", "slow", "2")] == ["v10", "v11", "slow-2", "3"]


def test_without_a_choice_the_selected_pairs_come_first_and_then_the_most_surely_cointegrated(
    search: Search, found: Identification
) -> None:
    names = [each.pair for each in search.pairs]
    assert names[: len(found.passports)] == [passport.pair for passport in found.passports][:2]
    assert len(names) == 2


def test_a_person_may_name_the_pairs(january: Store, settings: Settings, found: Identification) -> None:
    named = search_of(january, MONDAY, settings, found, "technology", trials=1, pairs=[Pair("AAPL", "NVDA")])
    assert [each.pair for each in named.pairs] == [Pair("AAPL", "NVDA")]
    with pytest.raises(DataError, match="there are no 5Min bars of NOWHERE"):
        search_of(january, MONDAY, settings, found, "technology", trials=1, pairs=[Pair("IBM", "NOWHERE")])


def test_a_worker_teaches_on_the_threads_that_the_engine_has_for_it(
    january: Store, facts: MemoryFacts, search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    seats: list[tuple[int | None, int]] = []

    class Cluster:
        threads_each = 3

        def map(self, work: object, shared: Search, blocks: list[int]) -> Iterator[int]:
            seats.extend((shared.threads, seat) for seat in blocks)
            yield run_trials(shared, january)

    monkeypatch.setattr("tandem.desk.tuning.engine_of", lambda *_: nullcontext(Cluster()))
    where = search.settings.training.model_copy(update={"engine": "dask", "workers": 2})
    tune(january, facts, MONDAY, replace(search, settings=search.settings.model_copy(update={"training": where})))
    assert seats == [(3, 0), (3, 1)]


def test_a_named_symbol_without_bars_is_named(january: Store, settings: Settings, found: Identification) -> None:
    with pytest.raises(DataError, match=r"^there are no 5Min bars of YYYY, ZZZZ\."):
        search_of(january, MONDAY, settings, found, "technology", trials=2, pairs=[Pair("YYYY", "ZZZZ")])
    pairs = [Pair("AAPL", "NVDA"), Pair("AAPL", "ZZZZ")]
    with pytest.raises(DataError, match=r"^there are no 5Min bars of ZZZZ\. Load some, or name other --pairs"):
        search_of(january, MONDAY, settings, found, "technology", trials=2, pairs=pairs)


def test_a_named_pair_whose_bars_are_of_later_is_named(
    january: Store, settings: Settings, found: Identification
) -> None:
    early = session_of(date(2022, 6, 1))
    with pytest.raises(DataError, match=r"^the two symbols of AAPL/NVDA have no 5Min bars in common before 2022-06-01"):
        search_of(january, early, settings, found, "technology", trials=2, pairs=[Pair("AAPL", "NVDA")])
