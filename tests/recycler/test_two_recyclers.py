"""Two recyclers on one account: where PostgreSQL lets the first one go, the second takes over, and the first ends."""

from dataclasses import replace
from decimal import Decimal
from signal import SIGCONT, SIGSTOP

import pandas as pd
import psycopg
import pytest
import requests

from tandem.market import Timeframe
from tandem.recycler import Launched, Options, launch, new_account
from tandem.store import Store

HEADERS = {"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}
CASH = Decimal(100_000)


@pytest.fixture
def durable(store: Store, bars: pd.DataFrame, options: Options) -> Options:
    store.bars.load(bars, timeframe=Timeframe.MIN_1, source="sample")
    return replace(options, bars=None, durable=True, world=new_account(store, CASH), lockstep=False, speed=1.0)


def buy(recycler: Launched, symbol: str, qty: int) -> requests.Response:
    order = {"symbol": symbol, "qty": str(qty), "side": "buy", "type": "market", "time_in_force": "day"}
    return requests.post(recycler.http + "/v2/orders", json=order, headers=HEADERS, timeout=10)


def orders_of(recycler: Launched) -> dict[str, str]:
    answer = requests.get(recycler.http + "/v2/orders?status=all", headers=HEADERS, timeout=10)
    return {order["symbol"]: order["qty"] for order in answer.json()}


def end_connections(store: Store) -> None:
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")


def test_a_recycler_that_lost_its_account_to_another_ends_and_leaves_it_alone(store: Store, durable: Options) -> None:
    environment = {"TANDEM_DATABASE_URL": store.url}
    with launch(durable, environment) as first:
        requests.post(first.http + "/control/pause", timeout=10)
        assert buy(first, "AAPL", 10).status_code == 200
        first.process.send_signal(SIGSTOP)
        end_connections(store)
        with launch(durable, environment) as second:
            assert buy(second, "MSFT", 100).status_code == 200
        first.process.send_signal(SIGCONT)
        assert first.process.wait(20) == 2
    with launch(durable, environment) as third:
        assert orders_of(third) == {"AAPL": "10", "MSFT": "100"}
