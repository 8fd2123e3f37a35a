"""A recycler with three sessions of two symbols, one desk that moves its clock, and alpaca-py's client."""

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pandas as pd
import pytest
import requests
from alpaca.trading.client import TradingClient
from websockets.sync.client import connect

from tandem.config import CostSettings
from tandem.recycler import Options, launch

HEADERS = {"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}
DAYS = ("2023-01-04", "2023-01-05", "2023-01-06")
FREE = CostSettings(spread_bps=0.0, impact=0.0)


def session_of(day, number):
    """390 minutes that rise and fall by a dollar every twenty minutes, half a dollar wide, a dollar higher each day."""
    starts = pd.date_range(f"{day} 14:30", periods=390, freq="min", tz="UTC", unit="us")
    steps = pd.Series(range(390)) % 20
    wave = steps.where(steps <= 10, 20 - steps) * 0.10
    for symbol, base in (("AAPL", 100.0), ("MSFT", 200.0)):
        opened = (base + number + wave).round(2)
        yield pd.DataFrame(
            {
                "symbol": symbol,
                "start": starts,
                "open": opened,
                "high": opened + 0.25,
                "low": opened - 0.25,
                "close": (opened + 0.05).round(2),
                "volume": 20_000,
                "trade_count": 10,
                "vwap": opened,
            }
        )


@pytest.fixture(scope="session")
def days() -> pd.DataFrame:
    return pd.concat([f for n, day in enumerate(DAYS) for f in session_of(day, n)], ignore_index=True)


@pytest.fixture(scope="session")
def days_file(days, tmp_path_factory):
    file = tmp_path_factory.mktemp("days") / "days.parquet"
    days.to_parquet(file)
    return file


class Trader:
    """REST, clock and client of one recycler."""

    keys = HEADERS

    def __init__(self, recycler, days):
        self.http, self.ws = recycler.http, recycler.ws
        self.session = requests.Session()
        self.client = TradingClient("k", "s", paper=True, url_override=self.http)
        self.bars = days.set_index(["symbol", "start"])

    def ask(self, method, path, body=None, headers=HEADERS, **more):
        if body is not None:
            more["json"] = body
        answer = self.session.request(method, self.http + path, headers=headers, timeout=10, **more)
        return answer.status_code, answer.json() if answer.content else None

    def get(self, path):
        status, said = self.ask("GET", path)
        assert status == 200, said
        return said

    def headers(self, path):
        return self.session.get(self.http + path, headers=HEADERS, timeout=10).headers

    @property
    def now(self):
        return pd.Timestamp(self.session.get(self.http + "/control/status", timeout=5).json()["time"])

    def until(self, moment):
        """Stand at the first mark later than `moment`."""
        said = {"desk": "d", "through": pd.Timestamp(moment).isoformat()}
        status, barrier = self.ask("POST", "/control/ready", said)
        assert status == 200, barrier
        return barrier

    def minutes_on(self, count=1):
        for _ in range(count):
            self.until(self.now)

    def next_bar(self, symbol="AAPL", ahead=0):
        """The bar that starts where the clock stands, or `ahead` minutes later."""
        return self.bars.loc[(symbol, self.now + timedelta(minutes=ahead))]

    def order(self, id):
        return self.client.get_order_by_id(str(id))

    def clean(self):
        """Nothing held, nothing open."""
        self.client.close_all_positions(cancel_orders=True)
        self.minutes_on()
        assert self.get("/v2/positions") == []

    @contextmanager
    def stream(self):
        """The trading socket, listening: a function that gives the next message."""
        with connect(self.ws + "/stream", proxy=None) as socket:

            def hear(message=None):
                if message is not None:
                    socket.send(json.dumps(message))
                return json.loads(socket.recv(5))

            hear({"action": "authenticate", "data": {"key_id": "k", "secret_key": "s"}})
            hear({"action": "listen", "data": {"streams": ["trade_updates"]}})
            yield hear


@pytest.fixture(scope="module")
def start_at():
    """Where the clock stands when a file's tests begin."""
    return datetime.fromisoformat("2023-01-04T14:34:00+00:00")


@pytest.fixture(scope="module")
def options(days_file):
    return Options(("AAPL", "MSFT"), bars=days_file, port=0, lockstep=True, costs=FREE)


@pytest.fixture(scope="module")
def trader(options, days, start_at):
    with launch(options) as recycler:
        one = Trader(recycler, days)
        with requests.post(one.http + "/control/desks", json={"desk": "d"}, stream=True, timeout=10) as held:
            assert held.status_code == 200
            one.until(start_at)
            yield one


@pytest.fixture(scope="module")
def run(options, days):
    """Launches recyclers with other options, each with a trader whose clock it holds."""

    @contextmanager
    def running(until=None, **changes):
        with launch(replace(options, **changes)) as recycler:
            one = Trader(recycler, days)
            with requests.post(one.http + "/control/desks", json={"desk": "d"}, stream=True, timeout=10) as held:
                assert held.status_code == 200
                if until:
                    one.until(until)
                yield one

    return running
