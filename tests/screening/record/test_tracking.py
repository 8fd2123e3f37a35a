"""A screen in MLflow: a run for each sector, one for each selected pair, and where their figures come from."""

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tandem.market import Pair, StoreError, World, WorldKind
from tandem.screening import Origin, PairTable, experiments_of, identify, passport_figures, slug, track
from tandem.store import Tracking

WORLD = World(WorldKind.PAPER, 3)
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]


@pytest.fixture(scope="module")
def sectors():
    return {"SIMA": "financial services", "SIMB": "financial services", "WALKA": "technology", "WALKB": "technology"}


@pytest.fixture(scope="module")
def across(settings):
    screen = settings.screen.model_copy(update={"across_sectors": True})
    active = settings.sectors.model_copy(update={"active": ["Financial Services", "technology"]})
    return settings.model_copy(update={"screen": screen, "sectors": active})


@pytest.fixture(scope="module")
def recorded(market, panel, day, across, sectors, module_store, tmp_path_factory):
    """MLflow's client, the screen and the runs by sector."""
    bars = panel(market)
    screen = identify(bars, day, across, sectors)
    tracking = Tracking(module_store.database("mlflow_db"), tmp_path_factory.mktemp("artifacts"))
    runs = track(
        tracking, screen, Origin(day, sectors, across, bars.version, "settings", 2, WORLD), screen.table.to_bytes()
    )
    with tracking.client() as client:
        yield client, screen, runs, bars.version


def artifacts_of(run):
    return {path.name: path for path in Path(urlsplit(run.info.artifact_uri).path).iterdir()}


def test_there_is_a_run_for_each_sector_and_one_for_pairs_across(recorded):
    client, _, runs, _ = recorded
    assert list(runs) == ["Financial Services", "technology", "cross_sector"]
    names = {client.get_experiment(client.get_run(run).info.experiment_id).name for run in runs.values()}
    assert names == {
        "pairs_trading/financial_services_sector/identification",
        "pairs_trading/technology_sector/identification",
        "pairs_trading/cross_sector/identification",
    }


def test_the_counts_of_the_sectors_add_up_to_the_funnel(recorded):
    client, screen, runs, _ = recorded
    metrics = [client.get_run(run).data.metrics for run in runs.values()]
    assert [figures["pairs"] for figures in metrics] == [1, 1, 4]
    for step in screen.funnel.steps[1:]:
        assert sum(figures[f"left_after_{slug(step.gate)}"] for figures in metrics) == step.left
    assert sum(figures["selected"] for figures in metrics) == len(screen.passports)
    assert sum(figures["tested"] for figures in metrics) == screen.funnel.tested == 6
    assert metrics[0]["screen_simulated_null"] == screen.funnel.simulated_null.passing
    assert metrics[0]["screen_tested"] == screen.funnel.tested
    markets = screen.funnel.simulated_markets
    assert markets is not None
    assert metrics[0]["screen_luck_high"] == markets.high


def test_tags_and_parameters_say_what_it_was_made_from(recorded):
    client, _, runs, data_version = recorded
    run = client.get_run(runs["Financial Services"])
    assert {
        "sector": "Financial Services", "session": "2024-03-12", "data_version": data_version, "world": "paper-3",
        "configuration_version": "2",
    }.items() <= run.data.tags.items()  # fmt: skip
    assert run.data.tags["code_version"]
    assert run.data.params["screen.min_correlation"] == "0.8"
    assert run.data.params["screen.life.probation_mornings"] == "3"
    assert run.data.params["timeframe"] == "5Min"


def test_the_lineage_leads_to_the_hash_of_the_bars(recorded):
    client, _, runs, data_version = recorded
    for run in runs.values():
        (used,) = client.get_run(run).inputs.dataset_inputs
        assert data_version.startswith(used.dataset.digest)
        assert json.loads(used.dataset.source)["data_version"] == data_version


def test_a_selected_pair_has_a_run_with_the_missions_figures(recorded):
    client, screen, runs, _ = recorded
    parent = runs["Financial Services"]
    experiment = client.get_run(parent).info.experiment_id
    (child,) = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{parent}'")
    passport = screen.passports[0]
    assert passport.pair == Pair("SIMA", "SIMB")
    assert child.data.tags["pair"] == "SIMA/SIMB"
    assert child.data.metrics == passport_figures(passport)
    assert {
        "cointegration_pvalue", "arch_test_pvalue", "ljung_box_pvalue", "adf_test_pvalue", "garch_aic", "garch_bic",
        "score", "score_fit", "score_volatility", "score_trading", "score_diagnostics",
    } <= child.data.metrics.keys()  # fmt: skip
    files = artifacts_of(child)
    assert files["passport.png"].read_bytes().startswith(b"\x89PNG")
    assert json.loads(files["passport.json"].read_bytes())["hedge_ratio"] == passport.hedge_ratio
    assert child.info.status == "FINISHED"


def test_the_funnel_and_the_table_are_beside_the_run(recorded):
    client, screen, runs, _ = recorded
    files = artifacts_of(client.get_run(runs["technology"]))
    assert files["funnel.png"].read_bytes().startswith(b"\x89PNG")
    assert PairTable.from_bytes(files["pairs.parquet"].read_bytes()) == screen.table


def test_a_tracking_store_that_is_away_says_so_at_once(recorded, day, across, sectors, tmp_path):
    away = Tracking("postgresql+psycopg://nobody@127.0.0.1:1/mlflow_db", tmp_path)
    with pytest.raises(StoreError, match="MLflow's tracking store refuses"):
        track(away, recorded[1], Origin(day, sectors, across, "data", "settings", 1, WORLD), b"")


@pytest.mark.parametrize(
    ("sector", "name", "folder"),
    [
        ("technology", "technology", "pairs_trading/technology_sector"),
        ("Financial Services", "financial_services", "pairs_trading/financial_services_sector"),
        ("real-estate & co.", "real_estate_co", "pairs_trading/real_estate_co_sector"),
        ("cross_sector", "cross_sector", "pairs_trading/cross_sector"),
    ],
)
def test_a_sector_has_one_name_wherever_names_are_made_of_it(sector, name, folder):
    assert slug(sector) == name
    assert experiments_of(sector) == folder


def test_a_morning_is_dated_by_market_time(recorded):
    client, _, runs, _ = recorded
    history = client.get_metric_history(runs["technology"], "pairs")
    assert datetime.fromtimestamp(history[0].timestamp / 1000, UTC) == datetime(2024, 3, 12, 10, 0, tzinfo=UTC)
