import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tandem.forecast import MlflowRegistry, ModelRegistered, train_pair
from tandem.market import Session, StoreError, World, WorldKind
from tandem.store import MemoryFacts, Record, Stages

DAY = Session(date(2026, 4, 14), datetime(2026, 4, 14, 13, 30, tzinfo=UTC), datetime(2026, 4, 14, 20, 0, tzinfo=UTC))
WORLD = World(WorldKind.RECYCLER, 3)
NAME = "pairs_trading_gru_garch_technology_v1_20260414"

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]


@pytest.fixture(scope="module")
def day_of_pairs(passport, model, quick, passport_of, simulated_closes):
    closes = simulated_closes(500, seed=9)
    other = passport_of(*closes, pair="MSFT/IBM")
    return [passport, other], {passport.pair: model, other.pair: train_pair(other, *closes, quick)}


def test_a_day_is_recorded_registered_and_served(module_store, tmp_path, day_of_pairs, quick, monkeypatch):
    monkeypatch.chdir(tmp_path)
    uri = module_store.database("mlflow_registry")
    registry = MlflowRegistry(uri, tmp_path / "artifacts")
    passports, models = day_of_pairs
    made = registry.record_day(DAY, "technology", passports, models, quick, {"tested": 6, "feed": "x"}, world=WORLD)
    assert (made.name, made.version) == (NAME, "1")
    assert made.pairs == ("NVDA/AAPL", "MSFT/IBM")
    assert made.trades_with["NVDA/AAPL"] == "baseline"

    from mlflow import MlflowClient

    client = MlflowClient(uri, registry_uri=uri)
    the_runs_hold_the_missions_names(client, made, day_of_pairs)
    the_tags_are_the_missions(client)
    the_model_answers_what_the_pair_model_answers(client, passports, models)
    registry.record_trading(made, {"sharpe_ratio": 1.25, "win_rate": 0.5})
    assert client.get_run(made.run_id).data.metrics["sharpe_ratio"] == 1.25
    assert not (tmp_path / "mlflow.db").exists()
    assert not (tmp_path / "mlruns").exists()


def the_runs_hold_the_missions_names(client, made, day_of_pairs):
    passports, models = day_of_pairs
    experiment = client.get_experiment_by_name("pairs_trading/technology_sector/gru_garch_hybrid_v1")
    parent = client.get_run(made.run_id)
    assert parent.data.metrics["tested"] == 6
    assert parent.data.params["feed"] == "x"
    children = client.search_runs([experiment.experiment_id], f"tags.mlflow.parentRunId = '{made.run_id}'")
    child = next(run for run in children if run.data.tags["pair"] == "NVDA/AAPL")
    assert len(children) == 2
    assert {
        "sequence_length": "10", "gru_units": "16", "dropout_rate": "0.255", "learning_rate": "0.0003",
        "batch_size": "32", "epochs": "4", "validation_split": "0.2", "garch_order": "(1, 1)",
        "garch_model_type": "GARCH", "sector": "technology", "min_data_points": "300", "lookback_days": "45",
        "lag_features": "[1, 2, 3, 4, 5]", "technical_indicators": "['MA_5', 'MA_20', 'RSI']",
        "z_score_window": "7", "volatility_window": "20", "train_start_date": "2026-04-01",
    }.items() <= child.data.params.items()  # fmt: skip
    assert {"train_end_date", "test_start_date", "test_end_date"} <= set(child.data.params)
    metrics = child.data.metrics
    assert models[passports[0].pair].metrics.items() <= metrics.items()
    assert metrics["cointegration_pvalue"] == passports[0].pvalue
    assert {"arch_test_pvalue", "ljung_box_pvalue", "adf_test_pvalue", "garch_aic", "garch_bic"} <= set(metrics)
    epochs = client.get_metric_history(child.info.run_id, "epoch_validation_loss")
    assert [each.step for each in epochs] == [1, 2, 3, 4]
    files = {file.path for file in client.list_artifacts(child.info.run_id)}
    pictures = {"garch_diagnostics.png", "training_history.png", "calibration.png"}
    assert files == pictures | {"passport.json", "settings.yaml"}
    assert [file.path for file in client.list_artifacts(made.run_id)] == ["settings.yaml"]
    assert {run.info.status for run in [parent, *children]} == {"FINISHED"}


def the_tags_are_the_missions(client):
    version = client.get_model_version(NAME, "1")
    assert {
        "sector": "technology", "model_type": "gru_garch_hybrid", "feature_set": "lagged_spread_garch_technical",
        "training_date": "2026-04-14", "data_version": "abc", "garch_order": "1,1", "sequence_length": "10",
        "world": "recycler-3", "stage": "Staging",
    }.items() <= version.tags.items()  # fmt: skip
    assert version.tags["code_version"]


def the_model_answers_what_the_pair_model_answers(client, passports, models):
    import mlflow
    import pandas as pd

    source = client.get_model_version(NAME, "1").source
    asked = [
        {"pair": str(each.pair), "closes_a": list(each.closes_a), "closes_b": list(each.closes_b)}
        for each in [*passports, replace(passports[0], pair=type(passports[0].pair)("X", "Y"))]
    ]
    served = mlflow.pyfunc.load_model(source)
    said = served.predict(pd.DataFrame(asked))
    for row, passport in enumerate(passports):
        spread = passport.formation_spread
        expected = models[passport.pair].forecast(spread, passport, float(passport.z(spread)[-1]))
        assert said["probability"][row] == expected.probability
        assert said["model"][row] == "baseline"
    assert "no pair of this day" in said["refusal"][2]
    assert not [path for path in sys.modules if path == "mlflow.pytorch"]


def test_a_tracking_store_that_is_away_is_one_clear_line_at_once(tmp_path):
    registry = MlflowRegistry("postgresql+psycopg://nobody@127.0.0.1:1/mlflow_db", tmp_path)
    with pytest.raises(StoreError, match="MLflow's tracking store refuses"):
        registry.mirror(MemoryFacts(WORLD))


HEALTH = "healthcare"
FIRST = datetime(2026, 4, 14, 10, 0, tzinfo=UTC)


@pytest.fixture
def mlflow(module_store, tmp_path):
    """MLflow, and a world of its own in which refits are registered without training any."""
    return Mlflow(MlflowRegistry(module_store.database("mlflow_registry"), tmp_path), module_store)


class Mlflow:
    def __init__(self, registry, store):
        self.registry = registry
        self.facts = store.facts(store.new_world(WorldKind.PAPER))
        self.stages = Stages(self.facts)

    def refit(self, recipe, day, refused=""):
        """A registered version of a recipe."""
        name = f"pairs_trading_gru_garch_{HEALTH}_{recipe}_2026040{day}"
        self.stages.stage(HEALTH, recipe, why="new", by="morning", at=FIRST)
        with self.registry.tracking.client() as client:
            if not client.search_registered_models(f"name = '{name}'"):
                client.create_registered_model(name)
            tags = {"world": str(self.facts.world), "sector": HEALTH, "stage": "Archived" if refused else "Staging"}
            version = str(client.create_model_version(name, source="file:///nowhere", tags=tags).version)
        made = ModelRegistered(name, version, "", (), sector=HEALTH, recipe=recipe, refused=refused)
        self.facts.append(Record(made, date(2026, 4, day), FIRST, f"registered.{name}.{version}"))

    def promote(self, recipe):
        self.stages.promote(HEALTH, recipe, why="better", by="trial", at=FIRST, evidence={"spa_pvalue": 0.01})

    def mirror(self):
        return self.registry.mirror(self.facts)

    def seen(self):
        """What MLflow says of this world: stage and aliases by recipe and day."""
        with self.registry.tracking.client() as client:
            found = client.search_model_versions(f"tag.world = '{self.facts.world}'")
            names = {each.name: client.get_registered_model(each.name).aliases for each in found}
        return {
            each.name.rpartition(f"{HEALTH}_")[2].replace("_2026040", "/"): (
                each.tags["stage"],
                sorted(alias for alias, version in names[each.name].items() if str(version) == str(each.version)),
            )
            for each in found
        }


def test_mlflow_is_brought_to_what_the_store_says_and_left_alone_then(mlflow):
    for recipe, day in (("v1", 1), ("v1", 2), ("v2", 2)):
        mlflow.refit(recipe, day)
    assert mlflow.mirror()
    assert mlflow.seen() == {
        "v1/1": ("Archived", []), "v1/2": ("Production", ["champion"]), "v2/2": ("Staging", ["challenger"]),
    }  # fmt: skip
    assert mlflow.mirror() == ()
    mlflow.promote("v2")
    assert mlflow.mirror()
    assert mlflow.seen() == {
        "v1/1": ("Archived", []), "v1/2": ("Archived", []), "v2/2": ("Production", ["champion"]),
    }  # fmt: skip
    mlflow.stages.demote(HEALTH, "v2", why="out of its band", by="trial", at=FIRST)
    mlflow.mirror()
    assert mlflow.seen()["v1/2"] == ("Production", ["champion"])
    assert mlflow.seen()["v2/2"] == ("Archived", [])


def test_a_refit_that_must_not_trade_leaves_the_one_before_it_in_production(mlflow):
    mlflow.refit("v1", 1)
    mlflow.refit("v1", 2, refused="validation log loss 9")
    mlflow.mirror()
    assert mlflow.seen() == {"v1/1": ("Production", ["champion"]), "v1/2": ("Archived", [])}


def test_a_refit_of_which_mlflow_was_told_late_is_no_newer_for_that(mlflow):
    mlflow.refit("v1", 2)
    mlflow.refit("v1", 1)
    mlflow.mirror()
    assert mlflow.seen() == {"v1/1": ("Archived", []), "v1/2": ("Production", ["champion"])}


WRITES = ("set_model_version_tag", "set_registered_model_alias", "delete_registered_model_alias")


@pytest.mark.parametrize("step", range(6))
def test_a_mirror_that_is_cut_off_at_any_step_is_gone_on_with_and_never_shows_two(mlflow, monkeypatch, step):
    from mlflow import MlflowClient

    for recipe in ("v1", "v2"):
        mlflow.refit(recipe, 1)
    mlflow.mirror()
    mlflow.promote("v2")
    left = [step]

    def cut(write):
        def call(self, *arguments):
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            return write(self, *arguments)

        return call

    with monkeypatch.context() as patched:
        for name in WRITES:
            patched.setattr(MlflowClient, name, cut(getattr(MlflowClient, name)))
        with suppress(KeyboardInterrupt):
            mlflow.mirror()
    stages = [stage for stage, _ in mlflow.seen().values()]
    assert stages.count("Production") <= 1
    mlflow.mirror()
    assert mlflow.seen() == {"v1/1": ("Archived", []), "v2/1": ("Production", ["champion"])}
    assert mlflow.mirror() == ()
