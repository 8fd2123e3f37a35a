"""Stages: one in Production per sector, whoever moves and whenever."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.market import DataError, StoreError, World, WorldKind
from tandem.store import Facts, MemoryFacts, Move, Record, Stage, StageChanged, Stages, Store

AT = datetime(2026, 4, 14, 14, 0, tzinfo=UTC)
WORLD = World(WorldKind.PAPER, 7)
GOOD = {"spa_pvalue": 0.01}
TECH = "technology"


def rows(store: Store, sector: str = TECH) -> dict[str, str]:
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
        found = connection.execute("SELECT recipe, stage FROM model_stages WHERE sector = %s ORDER BY fact", [sector])
        return dict(found.fetchall())


def stages_with(facts: Facts, *recipes: str) -> Stages:
    stages = Stages(facts)
    for recipe in recipes:
        stages.stage(TECH, recipe, why="it is new", by="morning", at=AT)
    return stages


def promoted(facts: Facts, *recipes: str) -> Stages:
    """Each recipe in Production after the one before."""
    stages = stages_with(facts, *recipes)
    for recipe in recipes[1:]:
        stages.promote(TECH, recipe, why="better", by="trial", at=AT, evidence=GOOD)
    return stages


def test_the_first_recipe_of_a_sector_goes_to_production_and_the_next_one_to_staging(store: Store) -> None:
    stages = stages_with(store.facts(WORLD), "v1", "v2")
    assert stages.board(TECH).stages == {"v1": Stage.PRODUCTION, "v2": Stage.STAGING}
    assert rows(store) == {"v1": "Production", "v2": "Staging"}
    assert [record.body.move for record in stages.history(TECH)] == [Move.STAGED, Move.FIRST, Move.STAGED]


def test_a_recipe_staged_for_tomorrow_puts_off_no_demotion_of_today() -> None:
    stages = promoted(MemoryFacts(WORLD), "v1")
    stages.stage(TECH, "v2", why="it is new", by="morning", at=AT + timedelta(days=1))
    stages.demote(TECH, "v1", why="it drifts", by="ada", at=AT + timedelta(minutes=5))
    assert stages.production(TECH, AT + timedelta(minutes=6)) is None
    assert stages.production(TECH, AT + timedelta(minutes=4)) == "v1"


def test_a_known_recipe_is_staged_once(store: Store) -> None:
    stages = stages_with(store.facts(WORLD), "v1", "v1")
    assert len(stages.history(TECH)) == 2


def test_a_promotion_archives_the_former_and_says_who_when_why_and_on_which_figures(store: Store) -> None:
    stages = stages_with(store.facts(WORLD), "v1", "v2")
    later = AT + timedelta(minutes=7)
    stages.promote(TECH, "v2", why="better on 40 days", by="ada", at=later, evidence=GOOD)
    down, up = stages.history(TECH)[-2:]
    assert (down.body.recipe, down.body.before, down.body.after) == ("v1", Stage.PRODUCTION, Stage.ARCHIVED)
    assert up.body == StageChanged(
        TECH, "v2", Stage.STAGING, Stage.PRODUCTION, Move.PROMOTED, "better on 40 days", "ada", GOOD, "v1"
    )
    assert up.at == later
    assert rows(store) == {"v1": "Archived", "v2": "Production"}


def test_a_demoted_recipe_gives_way_to_the_last_good_one_and_then_to_the_baseline(store: Store) -> None:
    stages = promoted(store.facts(WORLD), "v1", "v2", "v3")
    for recipe, heir in (("v3", "v2"), ("v2", "v1"), ("v1", None)):
        stages.demote(TECH, recipe, why="out of its band", by="trial", at=AT)
        assert stages.production(TECH) == heir
    assert set(rows(store).values()) == {"Archived"}


def test_a_rollback_brings_back_what_was_in_production_and_nothing_else(store: Store) -> None:
    stages = promoted(store.facts(WORLD), "v1", "v2")
    stages.stage(TECH, "v3", why="new", by="morning", at=AT)
    stages.withdraw(TECH, "v3", why="no longer trained", by="ada", at=AT)
    assert stages.board(TECH).before == "v1"
    stages.roll_back(TECH, "v1", why="v2 feels wrong", by="ada", at=AT)
    assert stages.board(TECH).stages == {"v1": Stage.PRODUCTION, "v2": Stage.ARCHIVED, "v3": Stage.ARCHIVED}
    with pytest.raises(DataError, match="never in Production"):
        stages.roll_back(TECH, "v3", why="?", by="ada", at=AT)


def test_what_was_rolled_back_does_not_take_over_by_itself(store: Store) -> None:
    stages = promoted(store.facts(WORLD), "v1", "v2")
    stages.roll_back(TECH, "v1", why="v2 feels wrong", by="ada", at=AT)
    stages.demote(TECH, "v1", why="out of its band", by="trial", at=AT)
    assert stages.production(TECH) is None


@pytest.mark.parametrize(
    ("move", "recipe", "told"),
    [
        ("promote", "v1", "v1 of technology is in Production, only what is in Staging can be promoted"),
        ("promote", "v9", "technology has no recipe v9. It has: v1, v2"),
        ("demote", "v2", "v2 of technology is in Staging, only what is in Production can be demoted"),
        ("roll_back", "v2", "v2 of technology is in Staging, only what is in Archived can be brought back"),
    ],
)
def test_an_odd_move_is_refused_in_words(move: str, recipe: str, told: str) -> None:
    facts = MemoryFacts(WORLD)
    stages = stages_with(facts, "v1", "v2")
    before = facts.read(StageChanged)
    with pytest.raises(DataError, match=told):
        getattr(stages, move)(TECH, recipe, why="?", by="ada", at=AT, evidence=GOOD)
    assert facts.read(StageChanged) == before


def test_a_promotion_takes_evidence_and_every_change_a_reason() -> None:
    stages = stages_with(MemoryFacts(WORLD), "v1", "v2")
    with pytest.raises(DataError, match="without evidence"):
        stages.promote(TECH, "v2", why="I like it", by="ada", at=AT, evidence={})
    with pytest.raises(DataError, match="without a reason"):
        stages.promote(TECH, "v2", why=" ", by="ada", at=AT, evidence=GOOD)


def test_what_stood_at_a_moment_stays_what_it_was(store: Store) -> None:
    stages = stages_with(store.facts(WORLD), "v1", "v2")
    stages.promote(TECH, "v2", why="better", by="ada", at=AT + timedelta(minutes=9), evidence=GOOD)
    stages.demote(TECH, "v2", why="a clock that is slow", by="ada", at=AT)
    assert stages.production(TECH, AT + timedelta(minutes=8)) == "v1"
    assert stages.production(TECH, AT + timedelta(minutes=9)) == "v1"
    assert stages.production(TECH) == "v1"


def test_sectors_and_worlds_do_not_meet(store: Store) -> None:
    ours, theirs = Stages(store.facts(WORLD)), Stages(store.facts(World(WorldKind.PAPER, 8)))
    for stages in (ours, theirs):
        for sector in (TECH, "energy"):
            stages.stage(sector, "v1", why="new", by="morning", at=AT)
    ours.demote("energy", "v1", why="bad", by="ada", at=AT)
    assert (ours.production("energy"), theirs.production("energy"), ours.production(TECH)) == (None, "v1", "v1")
    assert ours.sectors() == ("energy", TECH)


def test_of_promotions_that_race_each_is_made_after_the_other(store: Store) -> None:
    """Two real connections: at every instant a third one sees exactly one recipe in Production."""
    recipes = [f"v{number}" for number in range(1, 10)]
    stages = stages_with(store.facts(WORLD), *recipes)
    start = Barrier(9)

    def promote(recipe: str) -> None:
        start.wait()
        stages.promote(TECH, recipe, why="better", by=recipe, at=AT, evidence=GOOD)

    def watch() -> set[int]:
        seen = set()
        with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
            start.wait()
            while not done:
                row = connection.execute("SELECT count(*) FROM model_stages WHERE stage = 'Production'").fetchone()
                assert row is not None
                seen.add(int(row[0]))  # type: ignore[call-overload]
        return seen

    done: list[bool] = []
    with ThreadPoolExecutor(9) as threads:
        watching = threads.submit(watch)
        racing = [threads.submit(promote, recipe) for recipe in recipes[1:]]
        for each in racing:
            each.result()
        done.append(True)
        assert watching.result() == {1}
    board = stages.board(TECH)
    assert list(board.stages.values()).count(Stage.PRODUCTION) == 1
    assert len([change for change in board.changes if change.move is Move.PROMOTED]) == 8
    assert rows(store) == {recipe: str(stage) for recipe, stage in board.stages.items()}


def test_of_two_who_promote_the_same_recipe_one_is_told_that_it_is_done(store: Store) -> None:
    stages = stages_with(store.facts(WORLD), "v1", "v2")
    start = Barrier(2)

    def promote(by: str) -> str:
        start.wait()
        try:
            stages.promote(TECH, "v2", why="better", by=by, at=AT, evidence=GOOD)
        except DataError as error:
            return str(error)
        return "made"

    with ThreadPoolExecutor(2) as threads:
        said = sorted(threads.map(promote, ["ada", "bob"]))
    assert said == ["made", "v2 of technology is in Production, only what is in Staging can be promoted"]


def test_the_database_itself_allows_one_production_per_sector(store: Store) -> None:
    facts = store.facts(WORLD)
    stages_with(facts, "v1", "v2")
    up = StageChanged(TECH, "v2", Stage.STAGING, Stage.PRODUCTION, Move.PROMOTED, "by hand", "nobody")
    with pytest.raises(StoreError, match="one_in_production"):
        facts.append(Record(up, AT.date(), AT, "by hand"))
    with pytest.raises(StoreError, match="recipe v1 of technology is in Production, not in Staging"):
        facts.append(Record(StageChanged(TECH, "v1", Stage.STAGING, Stage.ARCHIVED, Move.WITHDRAWN, "?", "?"),
                            AT.date(), AT, "by hand"))  # fmt: skip
    assert rows(store) == {"v1": "Production", "v2": "Staging"}


def test_rows_follow_a_run_in_memory_when_it_is_written_down(store: Store) -> None:
    memory = MemoryFacts(WORLD)
    promoted(memory, "v1", "v2", "v3").demote(TECH, "v3", why="bad", by="trial", at=AT)
    memory.flush(store.facts(WORLD))
    memory.flush(store.facts(WORLD))
    assert rows(store) == {"v1": "Archived", "v3": "Archived", "v2": "Production"}


MOVES = st.tuples(st.sampled_from(["stage", "promote", "demote", "roll_back", "withdraw"]), st.integers(1, 4))


@given(st.lists(MOVES, max_size=25))
def test_whatever_is_tried_at_most_one_is_in_production(moves: list[tuple[str, int]]) -> None:
    stages = Stages(MemoryFacts(WORLD))
    for move, number in moves:
        extra = {"evidence": GOOD} if move in ("promote", "demote", "roll_back") else {}
        try:
            getattr(stages, move)(TECH, f"v{number}", why="?", by="ada", at=AT, **extra)
        except DataError:
            continue
        board = stages.board(TECH)
        assert list(board.stages.values()).count(Stage.PRODUCTION) <= 1
        assert board.production is None or board.production != board.before


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from tandem.market import World, WorldKind
from tandem.store import PostgresFacts, Stages, Store

url, after = sys.argv[1:]
append = PostgresFacts.append

def dies(self, *records):
    if after == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    append(self, *records)
    os.kill(os.getpid(), signal.SIGKILL)

store = Store.open(Path("unused"), url)
facts = store.facts(World(WorldKind.PAPER, 7))
if after != "committed":
    PostgresFacts.append = dies
Stages(facts).promote("technology", "v2", why="better", by="ada", at=datetime(2026, 4, 14, 15, tzinfo=UTC),
                      evidence={"spa_pvalue": 0.01})
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("when", "production"), [("before", "v1"), ("appended", "v1"), ("committed", "v2")])
def test_a_promotion_that_is_killed_is_made_whole_or_not_at_all(store: Store, when: str, production: str) -> None:
    stages = stages_with(store.facts(WORLD), "v1", "v2")
    done = subprocess.run([sys.executable, "-c", KILLED, store.url, when], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert stages.production(TECH) == production
    other = {"v1": "v2", "v2": "v1"}[production]
    assert rows(store)[production] == "Production"
    assert rows(store)[other] == ("Staging" if other == "v2" else "Archived")
    if production == "v1":
        stages.promote(TECH, "v2", why="better", by="ada", at=AT, evidence=GOOD)
    assert stages.production(TECH) == "v2"
