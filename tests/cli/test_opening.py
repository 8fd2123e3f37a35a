"""Which world a person's word is meant for."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tandem.cli import control
from tandem.cli.opening import newest_world, world_to_identify, world_to_trade
from tandem.config import Settings
from tandem.market import ConfigError, RecyclerError, WorldKind
from tandem.store import Store


@pytest.fixture
def worlds(store):
    return [store.new_world(WorldKind.RECYCLER) for _ in range(2)]


@pytest.fixture
def says(monkeypatch):
    """What the recycler that the settings name says is its world; None where none runs."""

    def say(world):
        def ask(url, seconds):
            if world is None:
                raise RecyclerError("no recycler answers")
            return {"world": str(world)}

        monkeypatch.setattr(control, "ask", ask)

    return say


def test_it_is_that_of_the_running_recycler(store, worlds, says):
    says(worlds[0])
    assert newest_world(store, Settings()) == worlds[0]


def test_it_is_the_newest_where_none_runs(store, worlds, says):
    says(None)
    assert newest_world(store, Settings()) == worlds[1]


def test_a_recycler_of_another_store_does_not_count(store, worlds, says):
    says("recycler-99999")
    assert newest_world(store, Settings()) == worlds[1]


def test_trading_at_a_recycler_of_another_home_says_whose_it_is_and_what_to_do(store, worlds, says):
    says("recycler-99999")
    with pytest.raises(ConfigError, match=r"plays recycler-99999, a world of another home .*--world"):
        world_to_trade(store, Settings())
    assert world_to_trade(store, Settings(), str(worlds[0])) == worlds[0]
    assert world_to_identify(store, Settings()) in store.worlds()


def test_a_world_that_is_named_is_the_one(store, worlds, says):
    says(worlds[0])
    assert newest_world(store, Settings(), str(worlds[1])) == worlds[1]


def test_a_desk_does_not_trade_bars_that_were_moved_to_today(monkeypatch):
    from tandem.cli import trade

    monkeypatch.setattr(control, "ask", lambda url: {"time": "2026-11-22T20:14:00Z", "timestamps": "current"})
    with pytest.raises(RecyclerError, match="tandem recycler start --lockstep"):
        trade._now(Settings())


@pytest.mark.parametrize("mode", ["recycler", "alpaca"])
def test_two_that_begin_at_once_in_a_new_home_share_one_world(store, says, monkeypatch, mode):
    says(None)
    real = Store.new_world

    def slow(self, *arguments):
        time.sleep(0.5)
        return real(self, *arguments)

    monkeypatch.setattr(Store, "new_world", slow)
    settings = Settings.model_validate({"websocket": {"mode": mode}})
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda _: world_to_identify(store, settings), range(2)))
    assert store.worlds() == [found[0]] == [found[1]]
