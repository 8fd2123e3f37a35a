"""What happens when the store is away, or a fact is not what it should be."""

import threading

import pytest

from tandem.market import ConfigError, Stopwatch, StoreError, WorldKind
from tandem.operations.dashboard.followed import Followed
from tandem.operations.dashboard.watching import Watching


def until(condition):
    """Waits for a condition that another thread brings about."""
    watch = Stopwatch()
    while not condition():
        assert watch.seconds < 20
        threading.Event().wait(0.02)


@pytest.fixture
def rung():
    return []


@pytest.fixture
def watching(store, rung):
    world = store.new_world(WorldKind.RECYCLER)
    made = Watching(store, WorldKind.RECYCLER, str(world), lambda: rung.append(1))
    made.start()
    yield made
    made.stop()


def test_a_store_that_is_away_is_said_and_what_was_known_stays(watching, rung, monkeypatch):
    def away(self):
        raise StoreError("PostgreSQL does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(Followed, "catch_up", away)
        until(lambda: watching.trouble == "PostgreSQL does not answer")
        assert rung
        assert watching.followed(watching.default).world == watching.default
    until(lambda: watching.trouble == "")


def test_a_bug_is_said_and_the_thread_goes_on(watching, monkeypatch, capsys):
    with monkeypatch.context() as patched:
        patched.setattr(Followed, "catch_up", lambda self: 1 / 0)
        until(lambda: "bug in Tandem" in watching.trouble)
    until(lambda: watching.trouble == "")
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_few_worlds_are_kept_in_memory(store, watching):
    worlds = [store.new_world(WorldKind.PAPER) for _ in range(10)]
    for world in worlds:
        watching.followed(world)
    assert len(watching._followed) == 6


def test_a_name_that_no_world_has_is_refused_with_those_there_are(store):
    world = store.new_world(WorldKind.PAPER)
    with pytest.raises(ConfigError, match=f"no world is called paper-99. The newest are: {world}"):
        Watching(store, WorldKind.PAPER, "paper-99", lambda: None)
