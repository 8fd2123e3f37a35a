"""One desk at a time in a world."""

import signal
import subprocess
import sys
import time

import pytest

from tandem.config import Settings
from tandem.desk import alpaca_desk, desk_name, visiting_desk
from tandem.market import ConfigError, RecyclerError, StoreError, WorldKind

HOLD = """
import sys, time
from tandem.store import turn_if_free
with turn_if_free(sys.argv[1], sys.argv[2]) as is_ours:
    print(is_ours, flush=True)
    time.sleep(600)
"""
NOWHERE = Settings.model_validate(
    {"websocket": {"recycler": {"server_url": "ws://127.0.0.1:9"}}, "alpaca": {"key_id": "any", "secret_key": "any"}}
)


def visit(store, world):
    with visiting_desk(store, world, NOWHERE, ["AAA"], store.facts(world), dry=False, token=""):
        pass


def test_a_world_that_another_process_trades_is_left_to_it_until_it_dies(store):
    world, other = store.new_world(WorldKind.RECYCLER), store.new_world(WorldKind.RECYCLER)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, store.url, desk_name(world)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"True\n"
        with pytest.raises(StoreError, match=f"another process trades {world}"):
            visit(store, world)
        with pytest.raises(RecyclerError):  # that of nobody else, where no recycler is
            visit(store, other)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        deadline = time.monotonic() + 20
        while True:
            try:
                visit(store, world)
            except RecyclerError:
                break
            except StoreError:
                assert time.monotonic() < deadline, "its turn was not given up"
                time.sleep(0.05)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_a_desk_at_the_exchange_is_alone_too(store):
    world = store.new_world(WorldKind.PAPER)
    desks = lambda: alpaca_desk(store, world, NOWHERE, ["AAA"], store.facts(world), dry=False)  # noqa: E731
    with subprocess.Popen([sys.executable, "-c", HOLD, store.url, desk_name(world)], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout.readline() == b"True\n"
            with pytest.raises(StoreError, match=f"another process trades {world}"), desks():
                pass
        finally:
            holder.kill()


def test_a_desk_at_the_exchange_needs_keys(store):
    world = store.new_world(WorldKind.PAPER)
    with (
        pytest.raises(ConfigError, match="no keys for Alpaca"),
        alpaca_desk(store, world, Settings(), ["AAA"], store.facts(world), dry=False),
    ):
        pass
