"""Refits of a morning on which MLflow was away: they trade, and MLflow has them as soon as it is back."""

from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tandem.cli.demo import settings_of
from tandem.desk import Plan, close_day, mlflow_lacks, plan_of, prepare, tell_mlflow
from tandem.forecast import MlflowRegistry, ModelRegistered, RecipeStaged, Registration, owed
from tandem.market import Calendar, Refusal, StoreError, WorldKind
from tandem.screening import Passport
from tandem.store import MemoryFacts, StageChanged, Tracking

TODAY = Calendar().session(date(2023, 1, 25))
PARENT = "mlflow.parentRunId"
OF_A_WORLD = ("world", "refit")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]


@pytest.fixture(scope="module")
def settings(filled, tmp_path_factory):
    made = settings_of(tmp_path_factory.mktemp("home"))
    return made.model_copy(update={"model": made.model.model_copy(update={"epochs": 2})})


@pytest.fixture(scope="module")
def registry(filled, tmp_path_factory):
    return MlflowRegistry(filled.database("mlflow_registration"), tmp_path_factory.mktemp("artifacts"))


class Away:
    """MLflow that is not there."""

    tracking = Tracking("postgresql+psycopg://nobody@127.0.0.1:1/mlflow_db", Path())

    def register(self, *_, **__):
        raise StoreError("the tracking store is away")

    mirror = register


@pytest.fixture(scope="module")
def missed(filled, settings):
    """The facts of a morning that MLflow has missed."""
    facts = MemoryFacts(filled.new_world(WorldKind.BACKTEST))
    prepare(filled, facts, TODAY, settings, Away())
    return facts


@pytest.fixture
def late(filled, missed):
    """A fresh world with such a morning."""
    facts = MemoryFacts(filled.new_world(WorldKind.BACKTEST))
    for kind in (Passport, Plan, RecipeStaged, StageChanged):
        facts.append(*missed.read(kind))
    (record,) = missed.read(Registration)
    tags = record.body.tags | {"world": str(facts.world)}
    facts.append(replace(record, body=replace(record.body, tags=tags, refit=str(facts.world))))
    return facts


def versions(registry, facts):
    with registry.tracking.client() as client:
        return client.search_model_versions(f"tag.world = '{facts.world}'")


def runs(registry, facts):
    """Runs of a world that nothing has superseded: its own one first, then those of pairs."""
    with registry.tracking.client() as client:
        experiment = client.get_experiment_by_name("pairs_trading/technology_sector/gru_garch_hybrid_v1")
        found = client.search_runs([experiment.experiment_id], f"tags.world = '{facts.world}'")
    counted = [run for run in found if "superseded_by" not in run.data.tags]
    return sorted(counted, key=lambda run: (PARENT in run.data.tags, run.data.tags.get("pair", "")))


def everything(registry, facts):
    """All that MLflow has of a world's refit, but for ids and the names of its world."""
    (version,) = versions(registry, facts)
    found = [version.name, plain(version.tags)]
    for run in runs(registry, facts):
        tags = {name: value for name, value in plain(run.data.tags).items() if name != PARENT}
        found.append((run.info.status, run.info.run_name, run.data.params, run.data.metrics, tags, files_of(run)))
    with registry.tracking.client() as client:
        found.append(client.get_registered_model(version.name).tags.keys())
    source = Path(version.source.removeprefix("file://"))
    return [*found, sorted(str(each.relative_to(source)) for each in source.rglob("*") if each.is_file())]


def plain(tags):
    return {name: value for name, value in tags.items() if name not in OF_A_WORLD}


def files_of(run):
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}


def test_a_refit_is_registered_as_soon_as_mlflow_is_back_as_it_would_have_been(filled, settings, missed, registry):
    prompt = MemoryFacts(filled.new_world(WorldKind.BACKTEST))
    prepare(filled, prompt, TODAY, settings, registry)
    assert not owed(prompt)

    plan = plan_of(missed, TODAY.day)
    assert plan.models == plan_of(prompt, TODAY.day).models  # it trades all the same
    assert missed.read(ModelRegistered) == []
    assert len(missed.read(Registration)) == 1
    assert mlflow_lacks(missed)
    assert versions(registry, missed) == []
    assert prepare(filled, missed, TODAY, settings, Away()) is None
    assert prepare(filled, missed, TODAY, settings, registry) is None
    assert everything(registry, missed) == everything(registry, prompt)
    (one,), (other,) = missed.read(ModelRegistered), prompt.read(ModelRegistered)
    assert (one.body.name, one.body.pairs, one.body.metrics) == (other.body.name, other.body.pairs, other.body.metrics)
    assert versions(registry, missed)[0].tags["stage"] == "Production"

    assert not mlflow_lacks(missed)
    assert tell_mlflow(registry, filled.blobs, missed) is None
    assert tell_mlflow(Away(), filled.blobs, missed) is None  # nothing is asked of it
    assert len(versions(registry, missed)) == 1


def test_an_evening_tells_of_it_or_says_why_not(filled, settings, late, registry):
    close_day(filled, late, TODAY, settings, Away(), [])
    (refusal,) = late.read(Refusal)
    assert refusal.body == Refusal("not mirrored", "the tracking store is away", "forecast")
    close_day(filled, late, TODAY, settings, registry, [])
    assert len(versions(registry, late)) == 1
    assert not mlflow_lacks(late)


WRITES = ("create_run", "log_batch", "set_terminated", "create_logged_model", "finalize_logged_model", "set_tag",
          "create_model_version", "set_model_version_tag", "set_registered_model_alias")  # fmt: skip


@pytest.mark.slow
def test_one_that_is_cut_off_after_any_step_is_there_once_in_the_end(filled, late, registry, monkeypatch):
    from mlflow import MlflowClient

    left = [0]

    def cut(write):
        def call(self, *arguments, **named):
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            return write(self, *arguments, **named)

        return call

    keep = MemoryFacts.append
    with monkeypatch.context() as patched:
        for name in WRITES:
            patched.setattr(MlflowClient, name, cut(getattr(MlflowClient, name)))
        patched.setattr(MemoryFacts, "append", cut(keep))
        for step in range(40):
            left[0] = step
            with suppress(KeyboardInterrupt):
                tell_mlflow(registry, filled.blobs, late)
                break
    assert 8 < step < 39
    (version,) = versions(registry, late)
    own, *pairs = runs(registry, late)
    assert version.run_id == own.info.run_id
    assert [run.data.tags[PARENT] for run in pairs] == [own.info.run_id] * len(pairs)
    assert {run.info.status for run in (own, *pairs)} == {"FINISHED"}
    assert {"garch_diagnostics.png", "passport.json"} <= files_of(pairs[0]).keys()
    assert len(late.read(ModelRegistered)) == 1
    assert not mlflow_lacks(late)


def test_one_that_cannot_be_read_keeps_nothing_else_from_mlflow(filled, late, registry):
    (record,) = late.read(Registration)
    lost = replace(record.body, recipe="v9", refit="lost", name="lost")
    late.append(replace(record, body=lost, key="lost"))
    refusal = tell_mlflow(registry, filled.blobs, late)
    assert refusal.why == "lost: no plan of 2023-01-25 has the refit of v9 of technology"
    assert versions(registry, late)[0].tags["stage"] == "Production"
