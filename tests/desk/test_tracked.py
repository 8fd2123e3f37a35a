"""An identification and MLflow: what is on record whatever becomes of it, and what is sent, once."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Thread
from typing import Any

import pandas as pd
import pytest

from tandem.config import Settings
from tandem.desk import TradingConfiguration, configuration_of, identify_day, tracked_of
from tandem.market import Calendar, Refusal, Session, Timeframe, World, WorldKind, resample
from tandem.screening import Funnel, Passport
from tandem.screening.record import tracking as record
from tandem.sources import samples
from tandem.store import MemoryFacts, Record, Store, Tracking

SYMBOLS = ["AAPL", "IBM", "MSFT", "NVDA"]
LOOSE = {
    "min_correlation": -1, "max_pvalue": 0.9999, "min_score": 0, "max_half_life_share": 1, "min_diagnostic_p": 0,
    "min_hedge_ratio": -100, "max_hedge_ratio": 100,
}  # fmt: skip
SECRET = "SECRET1"
MINUTES_5 = Timeframe.MIN_5
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]


def settings_of(**screen: Any) -> Settings:
    model = {"timeframe": "5Min", "min_data_points": 400, "epochs": 1}
    return Settings.model_validate({"screen": {"formation_days": 7, **screen}, "model": model})


def session_of(day: date) -> Session:
    session = Calendar().session(day)
    assert session is not None
    return session


SETTINGS, TODAY = settings_of(), session_of(date(2023, 1, 25))


@pytest.fixture(scope="module")
def bars() -> pd.DataFrame:
    return resample(samples.minute_bars(), MINUTES_5)


@pytest.fixture(scope="module")
def january(module_store: Store, bars: pd.DataFrame) -> Store:
    module_store.bars.load(bars, timeframe=MINUTES_5, source="sample")
    sectors = samples.sectors()
    module_store.sectors.load(sectors[sectors["symbol"].isin(SYMBOLS)].assign(source="sample"))
    return module_store


@pytest.fixture
def facts(january: Store) -> MemoryFacts:
    return MemoryFacts(january.new_world(WorldKind.BACKTEST))


@pytest.fixture(scope="module")
def mlflow(january: Store, tmp_path_factory: pytest.TempPathFactory) -> Tracking:
    # Its own database: in a shared one other tests leave experiments with folders of theirs.
    return Tracking(january.database("mlflow_tracked"), tmp_path_factory.mktemp("artifacts"))


def runs_of(mlflow: Tracking, world: World) -> list[Any]:
    with mlflow.client() as client:
        experiments = [each.experiment_id for each in client.search_experiments()]
        return list(client.search_runs(experiments, f"tags.world = '{world}'"))


def parents(runs: list[Any]) -> list[Any]:
    return [run for run in runs if "mlflow.parentRunId" not in run.data.tags]


def test_mlflow_puts_nothing_into_the_folder_somebody_is_in(mlflow: Tracking) -> None:
    with mlflow.client() as client:
        places = [each.artifact_location for each in client.search_experiments()]
    assert places
    assert all(place.startswith(mlflow.artifacts.as_uri()) for place in places)


class Killed(BaseException):
    """The process is gone."""


class Doomed(Tracking):
    """Where a process is killed as it comes to MLflow."""

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        raise Killed
        yield


def test_all_is_on_record_before_mlflow_is_asked(january: Store, facts: MemoryFacts) -> None:
    with pytest.raises(Killed):
        identify_day(january, facts, TODAY, SETTINGS, tracking=Doomed("", Path()))
    assert configuration_of(facts, TODAY.day) is not None
    assert len(facts.read(Passport)) == len(facts.read(Funnel)) == 1


def test_what_mlflow_lacks_is_sent_the_next_time_and_once(january: Store, facts: MemoryFacts, mlflow: Tracking) -> None:
    with pytest.raises(Killed):
        identify_day(january, facts, TODAY, SETTINGS, tracking=Doomed("", Path()))
    late = identify_day(january, facts, TODAY, SETTINGS, tracking=mlflow)
    assert (late.is_new, late.is_sent, late.untracked) == (False, True, None)
    again = identify_day(january, facts, TODAY, SETTINGS, tracking=mlflow)
    assert (again.is_new, again.is_sent, again.runs) == (False, False, late.runs)
    assert tracked_of(facts, TODAY.day, 1) == late.tracked
    assert {run.info.run_id for run in parents(runs_of(mlflow, facts.world))} == set(late.runs.values())
    assert len(runs_of(mlflow, facts.world)) == 2


def test_mlflow_that_was_away_is_told_of_it_later(january: Store, facts: MemoryFacts, mlflow: Tracking) -> None:
    away = Tracking("postgresql+psycopg://nobody@127.0.0.1:1/mlflow_db", Path())
    for _ in range(2):
        assert identify_day(january, facts, TODAY, SETTINGS, tracking=away).untracked
    said = identify_day(january, facts, TODAY, SETTINGS)
    assert said.untracked is not None
    assert [record.body for record in facts.read(Refusal)] == [said.untracked]
    late = identify_day(january, facts, TODAY, SETTINGS, tracking=mlflow)
    assert (late.is_sent, late.untracked, list(late.runs)) == (True, None, ["technology"])
    assert identify_day(january, facts, TODAY, SETTINGS).untracked is None


def test_a_kill_among_the_runs_leaves_none_that_counts(
    january: Store, facts: MemoryFacts, mlflow: Tracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise Killed

    child = record._child
    monkeypatch.setattr(record, "_child", killed)
    with pytest.raises(Killed):
        identify_day(january, facts, TODAY, SETTINGS, tracking=mlflow)
    monkeypatch.setattr(record, "_child", child)
    (failed,) = runs_of(mlflow, facts.world)
    assert failed.info.status == "FAILED"
    with mlflow.client() as client:
        tags = {name: tag for name, tag in failed.data.tags.items() if not name.startswith("mlflow")}
        orphan = client.create_run(failed.info.experiment_id, tags=tags)
        client.create_run(failed.info.experiment_id, tags=tags | {"mlflow.parentRunId": orphan.info.run_id})
    found = identify_day(january, facts, TODAY, SETTINGS, tracking=mlflow)
    runs = runs_of(mlflow, facts.world)
    made = found.runs["technology"]
    gone = [run for run in runs if run.info.status != "FINISHED"]
    assert [run.info.run_id for run in parents(runs) if run not in gone] == [made]
    assert sorted(run.info.status for run in gone) == ["FAILED", "KILLED", "KILLED"]
    assert {run.data.tags["superseded_by"] for run in gone} == {made}


def test_runs_that_are_there_are_taken(january: Store, facts: MemoryFacts, mlflow: Tracking) -> None:
    found = identify_day(january, facts, TODAY, SETTINGS, tracking=mlflow)
    lost = MemoryFacts(facts.world)
    again = identify_day(january, lost, TODAY, SETTINGS, tracking=mlflow)
    assert (again.is_new, again.runs) == (True, found.runs)
    other = identify_day(january, facts, TODAY, settings_of(min_score=0.71), tracking=mlflow)
    assert other.runs != found.runs


def test_only_the_best_pairs_have_a_run_of_their_own_and_the_run_says_so(
    january: Store, facts: MemoryFacts, mlflow: Tracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "MOST_CHILDREN", 0)
    monkeypatch.setattr(record, "BEST_OF_SECTOR", 1)
    found = identify_day(january, facts, TODAY, settings_of(**LOOSE), tracking=mlflow)
    assert len(found.passports) > 1
    runs = runs_of(mlflow, facts.world)
    (parent,) = parents(runs)
    (child,) = (run for run in runs if run != parent)
    assert child.data.tags["pair"] == str(found.passports[0].pair)
    assert (parent.data.metrics["selected"], parent.data.metrics["children"]) == (len(found.passports), 1)
    note = parent.data.tags["mlflow.note.content"]
    assert f"selected {len(found.passports)}, children 1." in note
    assert found.funnel.chance in note


@pytest.mark.parametrize("under", ["", "deeper/artifacts"])
def test_a_broken_folder_of_artifacts_is_one_clear_line(
    january: Store, facts: MemoryFacts, tmp_path: Path, under: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    broken = Tracking(january.database("mlflow_db"), tmp_path / "file" / under)
    found = identify_day(january, facts, TODAY, SETTINGS, tracking=broken)
    assert found.is_new
    assert found.untracked is not None
    assert f"MLflow's files cannot be kept, {tmp_path / 'file'}" in found.untracked.why
    assert "\n" not in found.untracked.why
    assert [record.body for record in facts.read(Refusal)] == [found.untracked]
    assert runs_of(broken, facts.world) == []


def test_a_full_disk_is_a_refusal_too(
    january: Store, facts: MemoryFacts, mlflow: Tracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "funnel.png")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        found = identify_day(january, facts, TODAY, SETTINGS, tracking=mlflow)
    assert found.untracked is not None
    assert "No space left on device" in found.untracked.why
    assert configuration_of(facts, TODAY.day) == found.configuration
    assert [run.info.status for run in runs_of(mlflow, facts.world)] == ["FAILED"]


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql+psycopg://user:{SECRET}@127.0.0.1:1abc/x",
        f"postgresql+psycopg://user:SEC/{SECRET}@host/x",
        f"postgresql+psycopg://user:a:{SECRET}/b@host/x",
        f"nodb+x://user:{SECRET}@host/x",
        f"postgresql+psycopg://user:{SECRET}%RET@[::1/x",
        f"{SECRET} is no address",
    ],
)
def test_an_address_that_cannot_be_read_is_a_refusal_without_the_password(
    january: Store, facts: MemoryFacts, address: str
) -> None:
    found = identify_day(january, facts, TODAY, SETTINGS, tracking=Tracking(address, Path()))
    assert found.untracked is not None
    assert "\n" not in found.untracked.why
    assert SECRET not in found.untracked.why
    assert found.passports


def test_bars_outside_the_window_and_of_other_worlds_make_no_version(
    january: Store, facts: MemoryFacts, bars: pd.DataFrame
) -> None:
    first = identify_day(january, facts, TODAY, SETTINGS)
    one = bars[bars["symbol"] == "AAPL"]
    long_ago = one.head(78).assign(symbol="OLD", start=lambda frame: frame["start"] - timedelta(days=365))
    january.bars.load(long_ago, timeframe=MINUTES_5, source="sample")
    later = one[one["start"] >= TODAY.open].assign(symbol="NEWCO")
    january.bars.load(later, timeframe=MINUTES_5, source="sample")
    seen = one.assign(symbol="SEEN")
    january.bars.load(seen, timeframe=MINUTES_5, source="stream", world=facts.world)
    january.sectors.load(pd.DataFrame({"symbol": ["OLD", "NEWCO", "SEEN", "NONE"], "sector": ["technology"] * 4}))
    again = identify_day(january, facts, TODAY, SETTINGS)
    assert not again.is_new
    assert again.configuration == first.configuration


class Raced(MemoryFacts):
    """Facts into which somebody else writes just before the first append."""

    def __init__(self, world: World, other: Callable[["Raced"], object]) -> None:
        super().__init__(world)
        self._other: Callable[[Raced], object] | None = other

    def append(self, *records: Record) -> None:
        other, self._other = self._other, None
        if other is not None:
            other(self)
        super().append(*records)


def test_two_who_find_the_same_at_once_have_one_result(january: Store) -> None:
    facts = Raced(january.new_world(WorldKind.BACKTEST), lambda facts: identify_day(january, facts, TODAY, SETTINGS))
    found = identify_day(january, facts, TODAY, SETTINGS)
    assert [record.body for record in facts.read(TradingConfiguration)] == [found.configuration]


def test_two_with_other_settings_at_once_make_two_versions(january: Store) -> None:
    others = settings_of(min_score=0.71)
    facts = Raced(january.new_world(WorldKind.BACKTEST), lambda facts: identify_day(january, facts, TODAY, others))
    found = identify_day(january, facts, TODAY, SETTINGS)
    assert (found.is_new, found.configuration.version) == (True, 2)
    assert [record.body.version for record in facts.read(TradingConfiguration)] == [1, 2]
    assert {record.key for record in facts.read(Passport)} == {
        "passport.2023-01-25.AAPL/NVDA",
        "passport.2023-01-25.v2.AAPL/NVDA",
    }


def test_one_at_a_time_does_the_same_thing(mlflow: Tracking) -> None:
    done: list[str] = []

    def second() -> None:
        with mlflow.alone("this"):
            done.append("second")

    waiting = Thread(target=second)
    with mlflow.alone("this"):
        waiting.start()
        with mlflow.alone("something else"):
            done.append("first")
        waiting.join(0.2)
        assert waiting.is_alive()
    waiting.join()
    assert done == ["first", "second"]


FIRST = """
import sys
from pathlib import Path
from tandem.store import Tracking
from datetime import datetime, timezone
sys.stdin.readline()
with Tracking(sys.argv[1], Path(sys.argv[2])).runs("pairs", datetime(2023, 1, 25, tzinfo=timezone.utc), {}) as runs:
    print(runs.experiment)
"""


@pytest.mark.slow
def test_the_first_use_of_mlflow_by_several_at_once(january: Store, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", FIRST, january.database("mlflow_at_once"), str(tmp_path)]
    several = [Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) for _ in range(3)]
    for each in several:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    said = [each.communicate() for each in several]
    assert [each.returncode for each in several] == [0, 0, 0], said
    assert len({out for out, _ in said}) == 1
