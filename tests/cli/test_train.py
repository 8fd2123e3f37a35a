"""`tandem train`: the models of a day's pairs, and the ranking of all."""

import csv
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from tandem.cli import control
from tandem.cli.app import run
from tandem.cli.train import _trials, engine_options, train
from tandem.desk import Plan, plan_of
from tandem.forecast import ModelRegistered
from tandem.market import ConfigError, DataError, RecyclerError, Refusal
from tandem.screening import Funnel
from tandem.store import Store, Tracking

FRIDAY = date(2023, 1, 27)
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]


@pytest.fixture(autouse=True)
def person(desk_in_january):
    """Windows of seven sessions and a small network."""
    desk_in_january(SCREEN__FORMATION_DAYS="7", MODEL__MIN_DATA_POINTS="400", MODEL__EPOCHS="1", MODEL__GRU_UNITS="4")


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_all_pairs_are_ranked_in_100_columns_with_their_baselines(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    train(session=FRIDAY, all=True)
    page = capsys.readouterr().out
    said = " ".join(page.split())
    assert "technology, 2023-01-27, recipe v1" in said
    assert "AAPL/NVDA" in page
    assert "Always 1" in page
    assert "The GRU has a lower log loss than AR(1) on" in said
    assert "luck alone gives 0.2" in said
    assert "It is lower than that of knowing nothing (" in said
    assert "The ledger has 3 trials of technology" in said
    assert "MLflow run" in said
    assert "\u2026" not in page
    assert max(map(len, page.splitlines())) <= min(columns, 100)


def test_the_document_and_the_file_have_every_pair(capsys, tmp_path):
    train(session=FRIDAY, all=True, json=True, csv=Path("out/pairs.csv"))
    document = json.loads(capsys.readouterr().out)
    ratings = document["sectors"]["technology"]["ratings"]
    assert len(ratings) == 3
    assert document["sectors"]["technology"]["figures"]["trained"] == 3
    rows = list(csv.DictReader((tmp_path / "out/pairs.csv").read_text().splitlines()))
    assert [row["pair"] for row in rows] == [rating["pair"] for rating in ratings]
    assert float(rows[0]["test_mcc"]) == ratings[0]["metrics"]["test_mcc"]
    assert float(rows[0]["test_mcc"]) >= float(rows[1]["test_mcc"]) >= float(rows[2]["test_mcc"])


def test_a_ledger_of_one_trial_is_counted_in_the_singular():
    assert _trials(1, "energy") == "The ledger has 1 trial of energy; Sharpe ratios are deflated by it."
    assert _trials(1_200, "energy") == "The ledger has 1,200 trials of energy; Sharpe ratios are deflated by them."


def test_a_limit_says_what_it_leaves_out(capsys):
    train(session=FRIDAY, all=True, limit=2, sector="Technology")
    assert "1 of 3 pairs that passed were left out by --limit." in " ".join(capsys.readouterr().out.split())


def test_the_days_pairs_are_trained_once_and_the_plan_is_on_record(capsys, january):
    train(session=FRIDAY)
    first = capsys.readouterr().out
    assert "AAPL/NVDA" in first
    world = january.worlds()[-1]
    plan = plan_of(january.facts(world), FRIDAY)
    assert plan is not None
    train(session=FRIDAY)
    assert capsys.readouterr().out == first
    assert plan_of(january.facts(world), FRIDAY) == plan


def test_two_trainings_at_once_add_what_one_does(january, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("TANDEM_WEBSOCKET__MODE", "recycler")
    monkeypatch.setattr(control, "ask", nobody_answers)
    real = Store.new_world

    def slow(self, *arguments):
        time.sleep(0.5)
        return real(self, *arguments)

    monkeypatch.setattr(Store, "new_world", slow)
    before = january.worlds()
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: train(session=FRIDAY, json=True), range(2)))
    (world,) = (each for each in january.worlds() if each not in before)
    facts = january.facts(world)
    for kind in (Funnel, Plan, ModelRegistered):
        assert len(facts.read(kind, session=FRIDAY)) == 1
    assert facts.read(Refusal) == []
    with Tracking(january.database("mlflow_db"), tmp_path / "home" / "artifacts").client() as client:
        (version,) = client.search_model_versions(f"tag.world = '{world}'")
        experiment = client.get_experiment_by_name("pairs_trading/technology_sector/gru_garch_hybrid_v1")
        own = client.search_runs([experiment.experiment_id], f"tags.world = '{world}'")
    children = [run for run in own if run.info.run_id != version.run_id]
    assert [run.data.tags["pair"] for run in children] == ["AAPL/NVDA"]


def nobody_answers(*_):
    raise RecyclerError("no recycler answers")


def test_a_choice_among_all_pairs_needs_all():
    with pytest.raises(ConfigError, match="Give --all too"):
        train(session=FRIDAY, limit=3)


def test_a_sector_nobody_screened_is_one_clear_line(capsys):
    assert run(["train", "--all", "--session", "2023-01-27", "--sector", "energy"]) == 2
    assert capsys.readouterr().err.startswith("tandem: no pair of energy passed the correlation gate of 2023-01-27")


def test_a_file_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(DataError, match=r"cannot be written: .* Choose another file"):
        train(session=FRIDAY, all=True, limit=1, csv=Path("taken/pairs.csv"))


def test_more_workers_than_one_are_processes_of_a_cluster():
    assert engine_options(None, 3) == {"training.engine": "dask", "training.workers": 3}
    assert engine_options(None, 1) == {"training.engine": None, "training.workers": 1}
    assert engine_options("dask://desk", None) == {"training.engine": "dask://desk", "training.workers": None}
    assert engine_options("dask", 3) == {"training.engine": "dask", "training.workers": 3}
    assert engine_options("local", 1) == {"training.engine": "local", "training.workers": 1}


@pytest.mark.parametrize("command", ["train", "tune"])
@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("local", "--workers 2 are processes of a cluster, and --engine local has none"),
        ("dask://desk:8786", "--workers are processes on this machine, and dask://desk:8786 has workers of its own"),
    ],
)
def test_workers_where_no_cluster_is_started_are_refused(capsys, command, engine, said):
    assert run([command, "--session", "2023-01-27", "--engine", engine, "--workers", "2"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"tandem: {said}")
