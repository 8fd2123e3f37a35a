"""Clients that do not read: at a speed they are cut, at max they are waited for."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tandem.market import Stopwatch
from tandem.recycler import Launched

SYMBOLS = tuple(f"S{number:03d}" for number in range(400))
MINUTES = 390
KEYS = {"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s", "Content-Type": "application/msgpack"}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of 400 symbols: more than any socket holds unread."""
    file = tmp_path_factory.mktemp("many") / "bars.parquet"
    starts = pd.date_range("2023-01-04 14:30", periods=MINUTES, freq="min", tz="UTC", unit="us")
    count = len(SYMBOLS) * MINUTES
    price = pd.Series(np.arange(count) % 997 / 100 + 10)
    frame = {"symbol": np.tile(SYMBOLS, MINUTES), "start": np.repeat(starts, len(SYMBOLS)), "open": price}
    frame |= {"high": price, "low": price, "close": price, "volume": 100, "trade_count": 7.0, "vwap": price}
    pd.DataFrame(frame).to_parquet(file)
    return file


@pytest.fixture
def reader() -> Iterator[Callable[[Launched], ClientConnection]]:
    made: list[ClientConnection] = []

    def make(recycler: Launched) -> ClientConnection:
        one = connect(recycler.ws + "/v2/iex", additional_headers=KEYS, proxy=None, compression=None, max_queue=2)
        made.append(one)
        one.recv(5)
        one.recv(5)
        one.send(msgspec.msgpack.encode({"action": "subscribe", "bars": ["*"]}))
        one.recv(5)
        return one

    yield make
    for one in made:
        one.socket.close()


def control(recycler: Launched, what: str, **body: object) -> Any:
    return requests.post(f"{recycler.http}/control/{what}", json=body, timeout=10).json()


def status(recycler: Launched) -> Any:
    return requests.get(recycler.http + "/control/status", timeout=5).json()


def until(recycler: Launched, true: Callable[[Any], bool]) -> Any:
    watch = Stopwatch()
    while not true(said := status(recycler)):
        assert watch.seconds < 20, said
        threading.Event().wait(0.02)
    return said


def test_at_max_the_replay_waits_for_a_slow_reader_and_loses_nothing(
    start: Callable[..., Launched], many: Path, reader: Callable[[Launched], ClientConnection]
) -> None:
    recycler = start(symbols=SYMBOLS, bars=many)
    one = reader(recycler)
    with requests.post(recycler.http + "/control/desks", json={"desk": "d"}, stream=True, timeout=5):
        done = {"desk": "d", "through": "2023-01-05T00:00:00Z"}
        body = {"json": done, "timeout": 60}
        released = threading.Thread(target=lambda: requests.post(recycler.http + "/control/ready", **body))
        released.start()
        waiting = until(recycler, lambda said: bool(said["waited_for"]))
        assert waiting["waited_for"][0]["unread"] > 0
        assert not waiting["ended"]
        heard = sum(len(msgspec.msgpack.decode(one.recv(10))) for _ in range(MINUTES))
        assert heard == len(SYMBOLS) * MINUTES
        released.join(10)
        assert status(recycler)["waited_for"] == []


def test_at_a_speed_a_client_that_does_not_read_is_cut_and_the_others_hear_everything(
    start: Callable[..., Launched], many: Path, reader: Callable[[Launched], ClientConnection]
) -> None:
    recycler = start(symbols=SYMBOLS, bars=many, lockstep=False, speed=1.0)
    control(recycler, "pause")
    control(recycler, "seek", to="2023-01-04T14:30:00Z")
    stuck, good = reader(recycler), reader(recycler)
    control(recycler, "speed", speed=60_000)
    control(recycler, "resume")
    heard = sum(len(msgspec.msgpack.decode(good.recv(10))) for _ in range(MINUTES))
    assert heard == len(SYMBOLS) * MINUTES
    assert until(recycler, lambda said: said["connections"]["stocks"] == 1)["ended"]
    with pytest.raises(ConnectionClosed):
        _hear_all(stuck)


def _hear_all(one: ClientConnection) -> None:
    for _ in range(MINUTES):
        one.recv(5)
