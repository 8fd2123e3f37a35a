import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tandem.recycler import Launched, Options, launch

HEADERS = {"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}
SYMBOLS = ("AAPL", "IBM", "MSFT")


@pytest.fixture(scope="session")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One hour of three symbols, whose closes rise for seven minutes and fall back."""
    starts = pd.date_range("2023-01-04 14:30", periods=60, freq="min", tz="UTC", unit="us")
    frames = [
        pd.DataFrame(
            {
                "symbol": symbol,
                "start": starts,
                "open": base,
                "high": base + 0.5,
                "low": base - 0.5,
                "close": [base + n % 7 * 0.05 for n in range(60)],
                "volume": 100_000,
                "trade_count": 10.0,
                "vwap": base,
            }
        )
        for symbol, base in zip(SYMBOLS, (125.0, 140.0, 240.0), strict=True)
    ]
    file = tmp_path_factory.mktemp("tape") / "bars.parquet"
    pd.concat(frames, ignore_index=True).to_parquet(file)
    return file


def options_of(tape: Path) -> Options:
    return Options(SYMBOLS, bars=tape, port=0, lockstep=True)


class Naive:
    """A client that believes everything it is told and checks nothing."""

    def __init__(self, recycler: Launched, *channels: str) -> None:
        self.bars: list[dict[str, Any]] = []
        self.statuses: list[tuple[str, str]] = []
        self.errors: list[int] = []
        self.is_cut = False
        self.socket: ClientConnection = connect(recycler.ws + "/v2/iex", proxy=None, close_timeout=0.2, max_queue=None)
        wanted = {channel: ["*"] for channel in channels or ("bars", "statuses")}
        for message in ({"action": "auth", "key": "k", "secret": "s"}, {"action": "subscribe", **wanted}):
            self.socket.send(json.dumps(message))
        self._until(lambda: self._acknowledged or bool(self.errors))

    _acknowledged = False

    def hear(self, bars: int) -> None:
        """Until there are so many bars, or the line is cut."""
        self._until(lambda: len(self.bars) >= bars)

    def quiet(self, seconds: float = 0.3) -> None:
        """Whatever still comes until nothing does."""
        try:
            while True:
                self._take(self.socket.recv(seconds))
        except (TimeoutError, ConnectionClosed):
            pass

    def _until(self, done: Callable[[], bool]) -> None:
        try:
            while not done():
                self._take(self.socket.recv(5))
        except ConnectionClosed:
            self.is_cut = True

    def _take(self, frame: str | bytes) -> None:
        for message in json.loads(frame):
            if message["T"] == "b":
                self.bars.append(message)
            elif message["T"] == "s":
                self.statuses.append((message["S"], message["sc"]))
            elif message["T"] == "error":
                self.errors.append(message["code"])
            elif message["T"] == "subscription":
                self._acknowledged = True

    def closes(self, symbol: str) -> list[Any]:
        return [bar["c"] for bar in self.bars if bar["S"] == symbol]

    def starts(self, symbol: str) -> list[str]:
        return [bar["t"][11:16] for bar in self.bars if bar["S"] == symbol]


class Trader:
    """A client of REST and order stream that checks nothing either."""

    def __init__(self, recycler: Launched) -> None:
        self.base = recycler.http
        self.events: list[dict[str, Any]] = []
        self.socket: ClientConnection = connect(recycler.ws + "/stream", proxy=None, close_timeout=0.2, max_queue=None)
        for message in (
            {"action": "auth", "key": "k", "secret": "s"},
            {"action": "listen", "data": {"streams": ["trade_updates"]}},
        ):
            self.socket.send(json.dumps(message))
            self.socket.recv(5)

    def ask(self, method: str, path: str, body: object = None, timeout: float = 5) -> requests.Response:
        return requests.request(method, self.base + path, json=body, headers=HEADERS, timeout=timeout)

    def buy(self, symbol: str, qty: int = 10, name: str | None = None) -> requests.Response:
        order = {"symbol": symbol, "qty": str(qty), "side": "buy", "type": "market", "time_in_force": "day"}
        return self.ask("POST", "/v2/orders", order | ({"client_order_id": name} if name else {}))

    def held(self) -> dict[str, int]:
        return {position["symbol"]: int(position["qty"]) for position in self.ask("GET", "/v2/positions").json()}

    def hear(self, seconds: float = 0.3) -> list[str]:
        """Names of the events that come until nothing does."""
        try:
            while True:
                self.events.append(json.loads(self.socket.recv(seconds))["data"])
        except (TimeoutError, ConnectionClosed):
            return [event["event"] for event in self.events]


class Stage:
    """A recycler whose clock stands at the open until it is stepped, and what is done to it."""

    def __init__(self, recycler: Launched) -> None:
        self.recycler = recycler

    def begin(self) -> None:
        """To the open."""
        assert self.control("POST", "seek", {"to": "2023-01-04T09:30:00"}).status_code == 200

    def control(self, method: str, path: str, body: object = None) -> requests.Response:
        return requests.request(method, f"{self.recycler.http}/control/{path}", json=body, timeout=5)

    def arm(self, **fault: Any) -> int:
        answer = self.control("POST", "faults", fault)
        assert answer.status_code == 201, answer.text
        return int(answer.json()[0]["number"])

    def step(self, minutes: int = 1) -> None:
        answer = self.control("POST", "step", {"count": minutes})
        assert answer.status_code == 200, answer.text

    def strikes(self) -> dict[str, int]:
        return {fault["name"]: fault["strikes"] for fault in self.control("GET", "faults").json()}


@pytest.fixture
def fresh(tape: Path) -> Iterator[Callable[..., Stage]]:
    """Makes stages of their own that end with the test."""
    running: list[Launched] = []

    def made(environment: dict[str, str] | None = None, *, begin: bool = True, **changes: Any) -> Stage:
        running.append(launch(replace(options_of(tape), **changes), environment))
        stage = Stage(running[-1])
        if begin:
            stage.begin()
        return stage

    yield made
    for one in running:
        one.close()


@pytest.fixture(scope="module")
def standing_stage(tape: Path) -> Iterator[Stage]:
    with launch(options_of(tape)) as recycler:
        yield Stage(recycler)


@pytest.fixture
def begin(standing_stage: Stage) -> Callable[[], Stage]:
    """Winds a stage back to the open, without faults: for tests that send no orders."""

    def begun() -> Stage:
        standing_stage.control("DELETE", "faults").raise_for_status()
        standing_stage.begin()
        return standing_stage

    return begun


@pytest.fixture
def again(begin: Callable[[], Stage]) -> Stage:
    """A stage at the open, without faults: for tests that send no orders."""
    return begin()


@pytest.fixture
def naive() -> Iterator[Callable[..., Naive]]:
    """Makes clients of market data that end with the test."""
    made: list[Naive] = []

    def one(stage: Stage, *channels: str) -> Naive:
        made.append(Naive(stage.recycler, *channels))
        return made[-1]

    yield one
    for client in made:
        client.socket.close()


@pytest.fixture
def trader() -> Iterator[Callable[[Stage], Trader]]:
    """Makes clients of trading that end with the test."""
    made: list[Trader] = []

    def one(stage: Stage) -> Trader:
        made.append(Trader(stage.recycler))
        return made[-1]

    yield one
    for client in made:
        client.socket.close()
