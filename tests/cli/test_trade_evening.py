"""`tandem trade` from morning to evening at a recycler: a Friday whose evening is cut off, and the Monday after it."""

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from tandem.book import Capital, Mark
from tandem.cli import trade as command
from tandem.cli.control import ask
from tandem.cli.demo import SYMBOLS
from tandem.config import load
from tandem.desk import Shadow, compare, evening, plan_of, registry_of, shadow_of, trial
from tandem.desk.champions import ModelInForce
from tandem.forecast import BASELINE, RecipeStaged, Track, Verdict, challenger_of
from tandem.forecast.trial.simulation import Market, Worth, simulate_tracks
from tandem.market import Calendar, Fill, Order, Session, World, WorldKind
from tandem.recycler import Options, launch
from tandem.signals import Signal
from tandem.sources import samples
from tandem.store import Facts, Move, Record, Stage, StageChanged, Stages, Store

TECH = "technology"
FRIDAY, MONDAY = Calendar().sessions(date(2023, 1, 27), date(2023, 1, 30))
BEFORE = Calendar().before(FRIDAY.day, 9)
NOTHING = Mark(Decimal(100_000), Decimal(0), Decimal(0), Decimal(0), Decimal(0))
SETTINGS = {
    "WEBSOCKET__MODE": "recycler",
    "SCREEN__FORMATION_DAYS": "7",
    "MODEL__TIMEFRAME": "5Min",
    "MODEL__MIN_DATA_POINTS": "400",
    "MODEL__EPOCHS": "1",
    "MODEL__EVIDENCE_PVALUE": "0.0",  # the baseline trades
    "TRIAL__MODE": "shadow",
    "TRIAL__CHALLENGER": "version=v2,gru_units=8",
    "TRIAL__MIN_DAYS": "10",
    "TRIAL__DRAWS": "100",
}
WORTHS = {"v1": Worth(1.5, 0.5), "v2": Worth(6.0, 0.1), BASELINE: Worth(0.0, 0.9)}
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@dataclass
class Life:
    """What two days of `tandem trade` said and left on record.

    Attributes:
        said: on each day.
        cut_off: what Friday's evening had put on record when it was killed.
        tracks: the records that the verdicts were reached from, by session and recipe.
    """

    store: Store
    facts: Facts
    said: list[str] = field(default_factory=list)
    cut_off: list[Record[Verdict]] = field(default_factory=list)
    tracks: dict[tuple[date, str], Track] = field(default_factory=dict)

    def verdicts(self, session: Session) -> list[tuple[str, str, str]]:
        found = (record.body for record in self.facts.read(Verdict, session=session.day))
        return [(each.recipe, each.against, each.action) for each in found]

    def shadow(self, recipe: str) -> Facts:
        world = shadow_of(self.facts, recipe)
        assert world is not None
        return self.store.facts(world)


def with_a_past(store: Store, world: World) -> Facts:
    """Nine sessions in which champion, challenger and baseline did nothing."""
    facts, first = store.facts(world), BEFORE[0]
    settings = load()
    for model in (settings.model, challenger_of(settings).settings):
        recipe = RecipeStaged.of(model)
        facts.append(Record(recipe, first.day, first.morning, f"recipe.{recipe.name}"))
        Stages(facts).stage(TECH, recipe.name, why="new", by="morning", at=first.morning)
    worlds = [facts]
    for recipe in ("v2", BASELINE):
        run = store.new_world(WorldKind.SHADOW).run
        facts.append(Record(Shadow(recipe, run), first.day, first.morning, f"shadow.{recipe}"))
        worlds.append(store.facts(World(WorldKind.SHADOW, run)))
    for each in worlds:
        each.append(Record(Capital(Decimal(100_000)), first.day, first.morning, "capital"))
        each.append(*(Record(NOTHING, past.day, past.close, f"mark.{past.day}") for past in BEFORE))
    return facts


@contextmanager
def cut_off(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process dies as soon as the champions have been watched."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    whole = evening.shadow_day
    patch.setattr(evening, "shadow_day", lambda *given: killed() if given[2] == FRIDAY else whole(*given))
    with pytest.raises(KeyboardInterrupt):
        yield
    patch.setattr(evening, "shadow_day", whole)


def watched_over(patch: pytest.MonkeyPatch, life: Life) -> None:
    """Records are real until Monday's close; then they are those of recipes whose worth is known."""
    real, simulated = trial.track_of, simulate_tracks(Market(sessions=150, pairs=4), WORTHS, seed=3)

    def track_of(store: Store, facts: Facts, recipe: str, *given: object, **named: object) -> Track:
        today = life.facts.read(Mark)[-1].session
        track = simulated[recipe] if today == MONDAY.day else real(store, facts, recipe, *given, **named)
        life.tracks[today, recipe] = track
        return track

    patch.setattr(trial, "track_of", track_of)


@pytest.fixture(scope="module")
def life(module_store, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    samples.load(module_store)
    world = module_store.new_world(WorldKind.RECYCLER)
    reel = Options(SYMBOLS, FRIDAY.day, MONDAY.day, port=0, lockstep=True, world=world)
    with (
        pytest.MonkeyPatch.context() as patch,
        launch(reel, {"TANDEM_HOME": str(home), "TANDEM_DATABASE_URL": module_store.url}) as recycler,
    ):
        patch.chdir(home)
        where = {"HOME": str(home), "DATABASE_URL": module_store.url, "WEBSOCKET__RECYCLER__SERVER_URL": recycler.ws}
        for name, value in (SETTINGS | where).items():
            patch.setenv(f"TANDEM_{name}", value)
        made = Life(module_store, with_a_past(module_store, world))
        watched_over(patch, made)
        with redirect_stdout(StringIO()) as said, cut_off(patch):
            command.trade()
        made.cut_off = made.facts.read(Verdict)
        made.said.append(said.getvalue())
        with redirect_stdout(StringIO()) as said:
            command.trade()
        made.said.append(said.getvalue())
        yield made


def test_a_day_is_traded_from_its_plan_to_its_close(life):
    assert f"{life.facts.world}, session 2023-01-27" in life.said[0]
    assert life.said[0].endswith("2023-01-27 is over.\n")
    for session in (FRIDAY, MONDAY):
        assert list(plan_of(life.facts, session.day).models) == ["AAPL/NVDA"]
        assert len(life.facts.read(Signal, session=session.day)) == len(session.decisions)
    assert len(life.facts.read(Fill, session=FRIDAY.day)) >= 4


def test_an_evening_that_was_cut_off_is_made_up_for_before_the_next_day(life):
    assert [(record.body.recipe, record.body.against) for record in life.cut_off] == [("v1", "")]
    assert life.verdicts(FRIDAY) == [("v1", "", "keep"), ("v2", "v1", "keep")]
    watched, tried = life.facts.read(Verdict, session=FRIDAY.day)
    assert [watched] == life.cut_off
    assert tried.at == FRIDAY.close
    assert tried.body.evidence["shared_days"] == len(BEFORE) + 1  # Friday, and nothing of Monday
    told = life.said[1]
    assert told.index("2023-01-27, technology, v2: keep. ") < told.index("AAPL/NVDA: score")
    assert "2023-01-27, technology, v1" not in told  # that was on record already


def test_the_evening_is_reached_from_what_was_forecast_and_earned(life):
    track = life.tracks[FRIDAY.day, "v1"]
    assert list(track.pnl) == [session.day for session in (*BEFORE, FRIDAY)]
    assert track.pnl[FRIDAY.day] == pytest.approx(float(life.facts.read(Mark, session=FRIDAY.day)[-1].body.net_pnl))
    signals = life.facts.read(Signal, session=FRIDAY.day)
    assert track.grades.probability.tolist() == [record.body.probability for record in signals]
    assert track.grades.known.skill.log_loss > 0


def test_what_came_of_a_forecast_is_not_known_before_it_came(life):
    """The recycler's store has Monday's bars on Friday already, an evening at Alpaca has not."""
    for recipe in ("v1", "v2", BASELINE):
        grades = life.tracks[FRIDAY.day, recipe].grades
        horizon = int(grades.horizons[0])
        assert np.isnan(grades.labels).sum() == horizon - 1
        assert np.isfinite(grades.labels[: len(grades) - horizon + 1]).all()


def test_challenger_and_baseline_have_traded_both_days_in_books_of_their_own(life):
    for recipe in ("v2", BASELINE):
        shadow = life.shadow(recipe)
        assert [*dict.fromkeys(record.session for record in shadow.read(Mark))] == [
            session.day for session in (*BEFORE, FRIDAY, MONDAY)
        ]
    assert compare(life.facts, life.shadow(BASELINE)) == []  # the baseline traded, through sockets and in process


def test_a_better_challenger_is_promoted_in_the_evening_and_trades_from_the_next_day_on(life):
    assert life.verdicts(MONDAY) == [("v1", "", "keep"), ("v2", "v1", "promote")]
    assert "2023-01-30, technology, v2: promote. better by " in life.said[1].partition("2023-01-30 is over.")[2]
    promoted = life.facts.read(StageChanged)[-1]
    assert (promoted.body.recipe, promoted.body.move, promoted.body.by) == ("v2", Move.PROMOTED, "trial")
    assert promoted.at == MONDAY.close
    assert Stages(life.facts).board(TECH).stages == {"v1": Stage.ARCHIVED, "v2": Stage.PRODUCTION}
    assert {record.body.recipe for record in life.facts.read(ModelInForce)} == {"v1"}


def test_mlflow_has_been_told(life):
    with registry_of(life.store, load()).tracking.client() as client:
        found = client.search_model_versions(f"tag.world = '{life.facts.world}'")
        stages = {each.name.rpartition("technology_")[2]: each.tags["stage"] for each in found}
        aliases = {each.name: list(client.get_registered_model(each.name).aliases) for each in found}
    old = {f"{recipe}_20230127": "Archived" for recipe in ("v1", "v2")}
    assert stages == old | {"v1_20230130": "Archived", "v2_20230130": "Production"}
    assert {name: each for name, each in aliases.items() if each} == {
        "pairs_trading_gru_garch_technology_v2_20230130": ["champion"]
    }


def test_an_evening_that_cannot_be_done_is_told_and_keeps_no_day_from_being_traded(life, capsys):
    """The shadow book is further than the world: somebody has restored an old copy."""
    facts = life.store.facts(life.store.new_world(WorldKind.RECYCLER))
    ahead = life.store.new_world(WorldKind.SHADOW)
    facts.append(
        Record(Capital(Decimal(100_000)), FRIDAY.day, FRIDAY.morning, "capital"),
        Record(NOTHING, FRIDAY.day, FRIDAY.close, "mark"),
        Record(Shadow("v2", ahead.run), FRIDAY.day, FRIDAY.morning, "shadow.v2"),
    )
    life.store.facts(ahead).append(Record(NOTHING, MONDAY.day, MONDAY.close, "mark"))
    command._catch_up(Console(highlight=False), life.store, facts, MONDAY, load(), None)
    assert capsys.readouterr().out.startswith(
        f"the evening of 2023-01-27 could not be done: {ahead} has traded 2023-01-30 and cannot go back to 2023-01-27"
    )
    assert facts.read(Verdict) == []


def test_a_dry_run_sends_nothing_records_nothing_and_has_no_evening(life, monkeypatch, capsys):
    """Friday once more, by the plan that is on record."""
    kinds = (Signal, Order, Fill, Mark, Capital, Verdict, StageChanged)
    account = life.store.new_world(WorldKind.RECYCLER)
    reel = Options(SYMBOLS, FRIDAY.day, FRIDAY.day, port=0, lockstep=True, world=account)
    before = [len(life.facts.read(kind)) for kind in kinds]
    with launch(reel, {"TANDEM_DATABASE_URL": life.store.url}) as recycler:
        monkeypatch.setenv("TANDEM_WEBSOCKET__RECYCLER__SERVER_URL", recycler.ws)
        command.trade(dry_run=True, world=str(life.facts.world))
        assert ask(recycler.ws)["order_events"] == 0
    said = capsys.readouterr().out
    assert "session 2023-01-27, dry run: nothing is sent\nThe day has its plan already.\n" in said
    assert "intends to enter" in said
    assert "filled" not in said
    assert said.endswith("2023-01-27 is over.\n")
    assert [len(life.facts.read(kind)) for kind in kinds] == before
    assert not any(life.store.facts(world).read(kind) for world in (account, life.store.worlds()[-1]) for kind in kinds)
