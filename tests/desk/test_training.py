"""The models of a day's pairs, on the bars that ship with Tandem."""

from datetime import date
from typing import Any

import pytest

from tandem.config import Settings
from tandem.desk import Identification, identify_day, pair_bars, prepare, rank_day
from tandem.forecast import Ranked, Ranking, train_pair, with_record
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


FRIDAY = session_of(date(2023, 1, 27))


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
        "screen": {"formation_days": 7},
        "model": {"timeframe": "5Min", "min_data_points": 400, "epochs": 1, "gru_units": 4},
        "home": tmp_path_factory.mktemp("home"),
    })  # fmt: skip


@pytest.fixture(scope="module")
def facts(january: Store) -> MemoryFacts:
    return MemoryFacts(january.new_world(WorldKind.BACKTEST))


@pytest.fixture(scope="module")
def found(january: Store, facts: MemoryFacts, settings: Settings) -> Identification:
    return identify_day(january, facts, FRIDAY, settings)


def test_every_pair_that_passes_the_correlation_gate_is_ranked_and_on_record(
    january: Store, facts: MemoryFacts, settings: Settings, found: Identification
) -> None:
    day = rank_day(january, facts, FRIDAY, settings, found, "technology")
    passed = {found.table.pair(row) for row in range(len(found.table)) if found.table.correlation_prices[row] >= 0.8}
    assert {rating.pair for rating in day.ranking.ratings} == passed
    assert len(passed) == day.fact.correlated == day.fact.trained == 3
    (record,) = facts.read(Ranked, session=FRIDAY.day)
    assert record.body == day.fact
    assert Ranking.from_bytes(january.blobs.get(day.fact.table)) == day.ranking
    again = rank_day(january, facts, FRIDAY, settings, found, "technology")
    assert again == day
    assert len(facts.read(Ranked)) == 1


def test_a_limit_takes_the_strongest_correlations_and_says_what_it_leaves_out(
    january: Store, facts: MemoryFacts, settings: Settings, found: Identification
) -> None:
    day = rank_day(january, facts, FRIDAY, settings, found, "technology", limit=1)
    strongest = int(found.table.correlation_prices.argmax())
    assert [rating.pair for rating in day.ranking.ratings] == [found.table.pair(strongest)]
    assert (day.fact.trained, day.fact.left_out) == (1, 2)


def test_a_sector_without_such_pairs_is_one_clear_line(
    january: Store, facts: MemoryFacts, settings: Settings, found: Identification
) -> None:
    with pytest.raises(DataError, match="no pair of energy passed the correlation gate of 2023-01-27"):
        rank_day(january, facts, FRIDAY, settings, found, "energy")


def test_trainings_count_once_in_the_ledger_whoever_does_them(january: Store, settings: Settings) -> None:
    facts = MemoryFacts(january.new_world(WorldKind.BACKTEST))
    before = january.ledger.count(["technology"]).trials
    found = identify_day(january, facts, FRIDAY, settings)
    rank_day(january, facts, FRIDAY, settings, found, "technology")
    counted = january.ledger.count(["technology"]).trials
    assert counted == max(before, 3)
    morning = prepare(january, facts, FRIDAY, settings, None)
    assert morning is not None
    assert morning.models
    assert january.ledger.count(["technology"]).trials == counted
    other = settings.model_copy(update={"model": settings.model.model_copy(update={"seed": 8})})
    rank_day(january, facts, FRIDAY, other, found, "technology")
    assert january.ledger.count(["technology"]).trials == counted + 3


def test_a_morning_gives_the_models_of_pairs_one_by_one(january: Store, settings: Settings) -> None:
    facts = MemoryFacts(january.new_world(WorldKind.BACKTEST))
    morning = prepare(january, facts, FRIDAY, settings, None)
    assert morning is not None
    (passport,) = morning.entering
    (bars,) = pair_bars(january, FRIDAY, settings, [passport.pair])
    closes = bars.closes_a, bars.closes_b
    alone = with_record(train_pair(passport, *closes, settings, bars.starts), *closes, settings, bars.starts)
    assert morning.models[passport.pair].to_bytes() == alone.to_bytes()
    assert not (settings.home / "training" / "2023-01-27").exists()


def test_bars_of_a_pair_are_those_that_both_legs_have(january: Store, settings: Settings) -> None:
    first, second = pair_bars(january, FRIDAY, settings, [Pair("AAPL", "NVDA"), Pair("AAPL", "NOWHERE")])
    assert len(first) == len(first.starts) >= 400
    assert max(first.starts) < FRIDAY.open
    assert len(second) == 0


def test_a_ranking_is_in_mlflow_once_with_a_run_for_each_pair(
    january: Store, facts: MemoryFacts, settings: Settings, found: Identification
) -> None:
    tracking = Tracking(january.database("mlflow_ranking"), settings.home / "artifacts")
    first = rank_day(january, facts, FRIDAY, settings, found, "technology", tracking=tracking)
    again = rank_day(january, facts, FRIDAY, settings, found, "technology", tracking=tracking)
    assert again.run == first.run != ""
    with tracking.client() as client:
        experiment = client.get_experiment_by_name("pairs_trading/technology_sector/gru_garch_hybrid_v1")
        runs = client.search_runs([experiment.experiment_id])
        (parent,) = [run for run in runs if run.data.tags["level"] == "ranking"]
        children = [run for run in runs if run.data.tags["level"] == "rating"]
    assert parent.data.metrics["trials"] == january.ledger.count(["technology"]).trials
    assert parent.data.metrics["children"] == 3
    assert {run.data.params["pair"] for run in children} == {str(each.pair) for each in first.ranking.ratings}
    assert {"test_mcc", "test_f1_score", "test_base_rate", "test_f1_score_always_one"} <= set(children[0].data.metrics)
    assert {"sequence_length", "garch_order", "train_start_date", "test_end_date"} <= set(children[0].data.params)


def test_mlflow_away_leaves_the_ranking_on_record(
    january: Store, facts: MemoryFacts, settings: Settings, found: Identification
) -> None:
    away = Tracking("postgresql+psycopg://nobody@127.0.0.1:1/mlflow_db", settings.home)
    day = rank_day(january, facts, FRIDAY, settings, found, "technology", tracking=away)
    assert day.untracked is not None
    assert day.run == ""
    assert day.ranking.trained
