"""After the close: what happens to the models by itself, and that it happens once."""

import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import tandem.desk.trial as trial
from tandem.book import Capital, Mark
from tandem.cli.demo import SYMBOLS, settings_of
from tandem.config import Settings
from tandem.desk import Shadow, backtest_desk, close_day, plan_of, prepare, run_session, shadow_of
from tandem.desk.graded import Graded
from tandem.forecast import BASELINE, Grades, MlflowRegistry, RecipeStaged, Track, Verdict, challenger_of
from tandem.forecast.trial.simulation import Market, Worth, simulate_tracks
from tandem.market import Calendar, Refusal, Session, WorldKind
from tandem.signals import Signal
from tandem.store import Move, Record, Stage, StageChanged, Stages

TECH = "technology"
TODAY = Calendar().session(date(2023, 1, 25))
RECORD, LIVE = 250, 40
WORTHS = {
    "v1": Worth(1.5, 0.5), "v2": Worth(3.5, 0.2), BASELINE: Worth(0.0, 0.9), "v2 in the open": Worth(-14.0, 1.5),
}  # fmt: skip
NOTHING = Mark(Decimal(100_000), Decimal(0), Decimal(0), Decimal(0), Decimal(0))

quiet = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
pytestmark = quiet


@cache
def tracks():
    """The record of 2022, and how the challenger does once it trades."""
    days = np.busday_count(np.datetime64("2022-01-03"), np.datetime64("2023-06-01"))
    return simulate_tracks(Market(sessions=int(days)), WORTHS, seed=3)


def simulated(store, facts, recipe, sector, *, seen_by=None, traders=None, days=None):
    """`track_of` of recipes whose worth is known: cut to the sessions that are on record."""
    whole = tracks()["v2 in the open" if recipe == "v2" and seen_by is None else recipe]
    own = traders.days(recipe) if traders else sorted({record.session for record in facts.read(Mark)})
    chosen = [day for day in own if (days is None or day in days) and day in whole.pnl]
    grades = whole.grades.where(np.isin(whole.grades.sessions, np.array(chosen, dtype="datetime64[D]")))
    return Track(recipe, grades, {day: whole.pnl[day] for day in chosen}, whole.capital)


def session_on(day):
    at = [datetime.combine(day, time(hour, 30), UTC) for hour in (14, 20)]
    return Session(day, *at)


def marks(days):
    return [Record(NOTHING, day, session_on(day).open, f"mark.{day}") for day in days]


def settings_for(store, home, **changes):
    settings = settings_of(home).model_dump() | {"database_url": store.url}
    settings["model"]["epochs"] = 2
    settings["trial"] = {"mode": "shadow", "challenger": {"version": "v2", "gru_units": 8}, "draws": 200} | changes
    return Settings.model_validate(settings)


def lived(store, settings, registry, days=RECORD):
    """A world with a simulated past, a morning on the bars that ship, and that day traded: v1 against v2."""
    facts = store.facts(store.new_world(WorldKind.BACKTEST))
    past = [day for day in tracks()["v1"].pnl if day < TODAY.day][-days:]
    first = session_on(past[0])
    for model in (settings.model, challenger_of(settings).settings):
        recipe = RecipeStaged.of(model)
        facts.append(Record(recipe, first.day, first.morning, f"recipe.{recipe.name}"))
        Stages(facts).stage(TECH, recipe.name, why="new", by="morning", at=first.morning)
    facts.append(Record(Capital(Decimal(100_000)), first.day, first.morning, "capital"), *marks(past))
    for name in ("v2", BASELINE):
        world = store.new_world(WorldKind.SHADOW)
        facts.append(Record(Shadow(name, world.run), first.day, first.morning, f"shadow.{name}"))
        capital = Record(Capital(Decimal(100_000)), first.day, first.morning, "capital")
        store.facts(world).append(capital, *marks(past))
    prepare(store, facts, TODAY, settings, registry)
    run_session(backtest_desk(store, facts.world, settings, SYMBOLS, [TODAY], facts), TODAY)
    return facts


@pytest.fixture(scope="module")
def settings(filled, tmp_path_factory):
    return settings_for(filled, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def young(filled, settings):
    """A world whose shadows have 20 sessions on record, on the evening of the next."""
    return lived(filled, settings, None, days=20)


def everything(facts):
    """What an evening may change."""
    return [[(record.key, record.at, record.body) for record in facts.read(kind)]
            for kind in (Verdict, StageChanged, Shadow, Refusal)]  # fmt: skip


def is_in_production(facts):
    return Stages(facts).production(TECH)


def test_a_full_life_by_itself(filled, settings, monkeypatch):
    """Staged, tried in shadow, promoted, degraded, demoted; a person rolls back; each evening twice."""
    monkeypatch.setattr(trial, "track_of", simulated)
    facts = lived(filled, settings, None)
    assert [refit.recipe for refit in plan_of(facts, TODAY.day).refits] == ["v1", "v2"]
    watched, tried = close_day(filled, facts, TODAY, settings, None)
    assert (watched.recipe, watched.action, tried.recipe, tried.action) == ("v1", "keep", "v2", "promote")
    promoted = Stages(facts).history(TECH)[-1]
    assert (promoted.body.recipe, promoted.body.move, promoted.body.by) == ("v2", Move.PROMOTED, "trial")
    assert (promoted.at, promoted.body.evidence) == (TODAY.close, tried.evidence)
    assert tried.evidence["trials"] >= 2  # the ledger has counted this morning's trainings
    the_shadow_has_the_mornings_refit(filled, facts)
    before = everything(facts)
    assert close_day(filled, facts, TODAY, settings, None) == [watched, tried]
    assert everything(facts) == before

    after = [day for day in tracks()["v1"].pnl if day > TODAY.day][:LIVE]
    facts.append(*marks(after))
    last = session_on(after[-1])
    (watched,) = close_day(filled, facts, last, settings, None, [TECH])
    assert (watched.recipe, watched.action) == ("v2", "demote")
    for world in (facts, filled.facts(shadow_of(facts, "v2"))):  # by now the horizons of the day are over
        (kept,) = world.read(Graded, session=TODAY.day)
        assert len(Grades.from_bytes(filled.blobs.get(kept.body.grades))) > 0
    assert "left the band of its record" in watched.why
    assert [each.body.move for each in Stages(facts).history(TECH)[-2:]] == [Move.DEMOTED, Move.TOOK_OVER]
    assert Stages(facts).board(TECH).stages == {"v1": Stage.PRODUCTION, "v2": Stage.ARCHIVED}

    Stages(facts).roll_back(TECH, "v2", why="it was the feed", by="ada", at=last.close)
    before = everything(facts)
    assert close_day(filled, facts, last, settings, None, [TECH]) == [watched]
    assert everything(facts) == before
    assert is_in_production(facts) == "v2"


def the_shadow_has_the_mornings_refit(store, facts):
    plan, shadow = plan_of(facts, TODAY.day), store.facts(shadow_of(facts, "v2"))
    assert plan_of(shadow, TODAY.day).models == plan.refit(TECH, "v2").models
    assert shadow.read(Signal)


def test_a_short_record_is_not_looked_into(filled, settings, young, monkeypatch):
    def never(*_, **__):
        raise AssertionError("graded")

    monkeypatch.setattr(trial, "track_of", never)
    watched, tried = close_day(filled, young, TODAY, settings, None)
    assert (watched.action, watched.why) == ("keep", "there is no record of live sessions yet")
    assert (tried.action, tried.why, tried.against) == ("keep", "21 sessions on record, at least 60", "v1")


def test_where_nothing_is_in_production_the_challenger_is_tried_against_the_baseline(filled, settings, monkeypatch):
    monkeypatch.setattr(trial, "track_of", simulated)
    facts = lived(filled, settings, None)
    early = min(facts.read(Mark), key=lambda mark: mark.at).at
    Stages(facts).demote(TECH, "v1", why="drifts", by="ada", at=early)
    watched, tried = close_day(filled, facts, TODAY, settings, None)
    assert (watched.recipe, watched.action) == (BASELINE, "keep")
    assert watched.why == "no recipe is in Production since v1 was demoted"
    assert (tried.action, tried.against) == ("promote", BASELINE)
    assert is_in_production(facts) == "v2"


def test_a_session_that_the_shadow_missed_is_made_up_for(filled, young, monkeypatch):
    done = []
    monkeypatch.setattr(trial, "shadow_session", lambda store, facts, session, *_: done.append(session.day))
    after = Calendar().after(TODAY.day)
    young_settings = settings_for(filled, Path("unused"))
    monkeypatch.setattr(trial, "_days", lambda facts: [TODAY.day] if facts is young else [date(2023, 1, 24)])
    trial.shadow_day(filled, young, after, young_settings)
    assert done == [TODAY.day, after.day] * 2  # challenger and baseline


class Away:
    """MLflow that is not there."""

    def mirror(self, facts):
        from tandem.market import StoreError

        raise StoreError("the tracking store is away")


def test_mlflow_away_is_on_record_once(filled, settings, young, monkeypatch):
    monkeypatch.setattr("tandem.desk.registration.is_behind", lambda facts: True)
    for _ in range(2):
        close_day(filled, young, TODAY, settings, Away())
    found = [record.body for record in young.read(Refusal) if record.body.reason == "not mirrored"]
    assert found == [Refusal("not mirrored", "the tracking store is away", "forecast")]


# One write at a time, and then death: run again and again, it is killed after every step there is.
EVENING = """
import os, signal, sys
from datetime import date
from pathlib import Path
from mlflow import MlflowClient
from tandem.forecast import MlflowRegistry
from tandem.market import World, WorldKind
from tandem.store import PostgresFacts, Store

folder, url, mlflow, home, run, day = sys.argv[1:]
sys.path.insert(0, folder)
import test_evening as life

def dies(write):
    def call(self, *arguments):
        if arguments and written:
            os.kill(os.getpid(), signal.SIGKILL)
        written.extend(arguments[:1])
        return write(self, *arguments)
    return call

written = []
PostgresFacts.append = dies(PostgresFacts.append)
for name in ("set_model_version_tag", "set_registered_model_alias", "delete_registered_model_alias"):
    setattr(MlflowClient, name, dies(getattr(MlflowClient, name)))
life.trial.track_of = life.simulated
with Store.open(Path("unused"), url) as store:
    facts = store.facts(World(WorldKind.BACKTEST, int(run)))
    day = date.fromisoformat(day)
    session = life.TODAY if day == life.TODAY.day else life.session_on(day)
    registry = MlflowRegistry(mlflow, Path(home) / "artifacts")
    life.close_day(store, facts, session, life.settings_for(store, Path(home)), registry, [life.TECH])
"""


def killed_all_the_way(store, facts, home, day):
    """The same evening begun again after each kill, one write further every time; how often it was killed."""
    command = [sys.executable, "-W", "ignore", "-c", EVENING, str(Path(__file__).parent), store.url,
               store.database("mlflow_evening"), str(home), str(facts.world.run), str(day)]  # fmt: skip
    for kills in range(30):
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, env={**os.environ})
        assert list(Stages(facts).board(TECH).stages.values()).count(Stage.PRODUCTION) == 1
        if done.returncode == 0:
            return kills
        assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    raise AssertionError("it never came to an end")


@pytest.mark.slow
def test_a_full_life_with_mlflow_and_a_kill_at_each_step(filled, settings, tmp_path):
    registry = MlflowRegistry(filled.database("mlflow_evening"), tmp_path / "artifacts")
    facts = lived(filled, settings, registry)

    def seen():
        with registry.tracking.client() as client:
            found = client.search_model_versions(f"tag.world = '{facts.world}'")
            names = {each.tags["recipe"]: sorted(client.get_registered_model(each.name).aliases) for each in found}
            return {each.tags["recipe"]: (each.tags["stage"], names[each.tags["recipe"]]) for each in found}

    def runs():
        with registry.tracking.client() as client:
            found = [client.get_experiment_by_name(f"pairs_trading/{TECH}_sector/gru_garch_hybrid_{name}").experiment_id
                     for name in ("v1", "v2")]  # fmt: skip
            return [run.data.metrics for run in client.search_runs(found) if "pair" in run.data.tags]

    assert seen() == {"v1": ("Production", ["champion"]), "v2": ("Staging", ["challenger"])}
    assert all(0 <= metrics["deflated_sharpe_ratio"] <= 1 and metrics["trials"] >= 1 for metrics in runs())
    assert killed_all_the_way(filled, facts, tmp_path, TODAY.day) >= 6
    assert seen() == {"v1": ("Archived", []), "v2": ("Production", ["champion"])}
    assert [(r.body.recipe, r.body.action) for r in facts.read(Verdict)] == [("v1", "keep"), ("v2", "promote")]
    assert len(Stages(facts).history(TECH)) == 5  # however often it was begun again

    after = [day for day in tracks()["v1"].pnl if day > TODAY.day][:LIVE]
    facts.append(*marks(after))
    assert killed_all_the_way(filled, facts, tmp_path, after[-1]) >= 4
    assert seen() == {"v1": ("Production", ["champion"]), "v2": ("Archived", [])}
    assert Stages(facts).history(TECH)[-1].body.why.startswith("v2 was demoted: ")

    Stages(facts).roll_back(TECH, "v2", why="it was the feed", by="ada", at=session_on(after[-1]).close)
    assert killed_all_the_way(filled, facts, tmp_path, after[-1]) >= 3
    assert seen() == {"v1": ("Archived", []), "v2": ("Production", ["champion"])}
