"""A full life of a sector's models against a real MLflow server on PostgreSQL, killed at every step on the way."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from urllib.request import urlopen

import pytest

from tandem.cli.mlflow import QUIET
from tandem.forecast import MlflowRegistry, RecipeStaged, train_pair
from tandem.market import Session, WorldKind
from tandem.store import Record, Stage, Stages

DAY = Session(date(2026, 4, 14), datetime(2026, 4, 14, 13, 30, tzinfo=UTC), datetime(2026, 4, 14, 20, 0, tzinfo=UTC))
TECH = "technology"
GOOD = {"spa_pvalue": 0.012, "days": 63.0}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

# One write at a time, and then death: run again and again, it is killed after every step there is.
MOVES = """
import json, os, signal, sys
from datetime import datetime
from pathlib import Path
from mlflow import MlflowClient
from tandem.forecast import MlflowRegistry, Verdict, act_on
from tandem.market import DataError, World, WorldKind
from tandem.store import PostgresFacts, Stages, Store

url, mlflow, artifacts, run, at, action, recipe, why, evidence = sys.argv[1:]
at, evidence, written = datetime.fromisoformat(at), json.loads(evidence), []

def dies(write):
    def call(self, *arguments):
        if written:
            os.kill(os.getpid(), signal.SIGKILL)
        written.append(write)
        return write(self, *arguments)
    return call

PostgresFacts.append = dies(PostgresFacts.append)
for name in ("set_model_version_tag", "set_registered_model_alias", "delete_registered_model_alias"):
    setattr(MlflowClient, name, dies(getattr(MlflowClient, name)))
with Store.open(Path("unused"), url) as store:
    facts = store.facts(World(WorldKind.PAPER, int(run)))
    if action == "roll_back":
        if Stages(facts).production("technology") != recipe:
            Stages(facts).roll_back("technology", recipe, why=why, by="ada", at=at)
    else:
        act_on(Verdict("technology", recipe, action, why, evidence), facts, at)
    MlflowRegistry(mlflow, Path(artifacts)).mirror(facts)
"""


@pytest.fixture
def server(store, tmp_path) -> Iterator[str]:
    """`mlflow server` as `tandem mlflow ui` starts it; its address."""
    address = store.database("mlflow_life")
    MlflowRegistry(address, tmp_path / "artifacts").tracking._client()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    stores = {"MLFLOW_BACKEND_STORE_URI": address, "MLFLOW_REGISTRY_STORE_URI": address}
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    log = (tmp_path / "server.log").open("w")
    serving = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "mlflow", "server", *where],
        env={**os.environ, **QUIET, **stores}, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, serving, tmp_path / "server.log")
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(serving.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            serving.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(serving.pid, signal.SIGKILL)
        serving.wait()
        log.close()


def wait_for(url, serving, log):
    ends = time.monotonic() + 240
    while time.monotonic() < ends:
        assert serving.poll() is None, log.read_text()[-2000:]
        with suppress(OSError), urlopen(f"{url}/health", timeout=2) as answer:
            if answer.status == 200:
                return
        time.sleep(0.5)
    raise AssertionError(log.read_text()[-2000:])


class Life:
    def __init__(self, store, server, folder):
        from mlflow import MlflowClient

        self.store, self.mlflow, self.artifacts = store, store.database("mlflow_life"), folder / "artifacts"
        self.registry = MlflowRegistry(self.mlflow, self.artifacts)
        self.world = store.new_world(WorldKind.PAPER)
        self.facts = store.facts(self.world)
        self.stages = Stages(self.facts)
        self.server = MlflowClient(server, registry_uri=server)

    def fitted(self, recipe, passport, closes, settings):
        """Train, stage, register, mirror: a morning."""
        own = settings.model_copy(update={"model": settings.model.model_copy(update={"version": recipe})})
        model = train_pair(passport, *closes, own)
        self.facts.append(Record(RecipeStaged.of(own.model), DAY.day, DAY.morning, f"recipe.{recipe}"))
        self.stages.stage(TECH, recipe, why=f"model.version is {recipe}", by="morning", at=DAY.morning)
        made = self.registry.record_day(DAY, TECH, [passport], {passport.pair: model}, own, world=self.world)
        self.facts.append(Record(made, DAY.day, DAY.morning, f"registered.{made.name}.{made.version}"))
        self.registry.mirror(self.facts)
        return made, model

    def killed_all_the_way(self, action, recipe, why, evidence):
        """The same move begun again after each kill, one write further every time; how often it was killed."""
        command = [sys.executable, "-W", "ignore", "-c", MOVES, self.store.url, self.mlflow, str(self.artifacts),
                   str(self.world.run), DAY.open.isoformat(), action, recipe, why, evidence]  # fmt: skip
        for kills in range(20):
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
            assert list(self.stages.board(TECH).stages.values()).count(Stage.PRODUCTION) == 1
            assert list(self.seen().values()).count("Production") <= 1
            if done.returncode == 0:
                return kills
            assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
        raise AssertionError("it never came to an end")

    def seen(self):
        """What the server says: stage by recipe."""
        found = self.server.search_model_versions(f"tag.world = '{self.world}'")
        return {each.tags["recipe"]: each.tags["stage"] for each in found}

    def champion(self, made):
        return str(self.server.get_model_version_by_alias(made.name, "champion").version)


def test_a_full_life_on_a_real_server_with_a_kill_at_each_step(store, server, tmp_path, passport, closes, quick):
    import json

    life = Life(store, server, tmp_path)
    first, model = life.fitted("v1", passport, closes, quick)
    assert life.seen() == {"v1": "Production"}
    assert life.champion(first) == first.version

    wider = quick.model_copy(update={"model": quick.model.model_copy(update={"gru_units": 24})})
    second, _ = life.fitted("v2", passport, closes, wider)
    assert life.seen() == {"v1": "Production", "v2": "Staging"}
    alias = life.server.get_model_version_by_alias(second.name, "challenger")
    assert str(alias.version) == second.version

    assert life.killed_all_the_way("promote", "v2", "better on 63 days", json.dumps(GOOD)) >= 4
    assert life.stages.board(TECH).stages == {"v1": Stage.ARCHIVED, "v2": Stage.PRODUCTION}
    assert life.seen() == {"v1": "Archived", "v2": "Production"}
    assert life.champion(second) == second.version
    assert "champion" not in life.server.get_registered_model(first.name).aliases
    assert "challenger" not in life.server.get_registered_model(second.name).aliases
    promoted = life.stages.history(TECH)[-1].body
    assert (promoted.why, promoted.by, promoted.evidence) == ("better on 63 days", "trial", GOOD)
    assert len(life.stages.history(TECH)) == 5  # however often it was begun again

    assert life.killed_all_the_way("demote", "v2", "out of its band", json.dumps({"cusum": 5.2})) >= 4
    assert life.seen() == {"v1": "Production", "v2": "Archived"}
    assert life.champion(first) == first.version

    assert life.killed_all_the_way("roll_back", "v2", "it was the feed", "{}") >= 4
    assert life.seen() == {"v1": "Archived", "v2": "Production"}
    assert life.registry.mirror(life.facts) == ()
    the_champion_is_served(server, second, passport)
    the_runs_hold_what_the_models_do(life, first, model)


def the_champion_is_served(server, made, passport):
    import mlflow
    import pandas as pd

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(server)
    try:
        served = mlflow.pyfunc.load_model(f"models:/{made.name}@champion")
    finally:
        mlflow.set_tracking_uri(before)
    asked = {"pair": str(passport.pair), "closes_a": list(passport.closes_a), "closes_b": list(passport.closes_b)}
    said = served.predict(pd.DataFrame([asked]))
    assert 0 < said["probability"][0] < 1
    assert served.metadata.signature is not None


def the_runs_hold_what_the_models_do(life, made, model):
    (child,) = life.server.search_runs(
        [life.server.get_run(made.run_id).info.experiment_id], f"tags.mlflow.parentRunId = '{made.run_id}'"
    )
    assert model.metrics.items() <= child.data.metrics.items()
    assert {file.path for file in life.server.list_artifacts(child.info.run_id)} >= {
        "garch_diagnostics.png", "training_history.png", "calibration.png", "passport.json", "settings.yaml",
    }  # fmt: skip
