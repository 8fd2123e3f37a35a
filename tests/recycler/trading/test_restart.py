"""What a recycler that was killed knows of its account when it comes back."""

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest
import requests
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import CreateWatchlistRequest, MarketOrderRequest

from tandem.market import Timeframe
from tandem.recycler import launch

EVENTS = "/v2/events/trades?"


@pytest.fixture
def again(options, store, days, trader):
    """Starts a durable recycler that goes on where the last one was killed."""
    store.bars.load(days, timeframe=Timeframe.MIN_1, source="sample")
    make = type(trader)

    @contextmanager
    def running():
        kept = replace(options, bars=None, durable=True)
        with launch(kept, {"TANDEM_DATABASE_URL": store.url}) as recycler:
            one = make(recycler, days)
            with requests.post(one.http + "/control/desks", json={"desk": "d"}, stream=True, timeout=10):
                yield one
            recycler.process.kill()

    return running


def told(trader, query):
    """Every event of a query that ends by itself."""
    text = requests.get(trader.http + EVENTS + query, headers=trader.keys, timeout=10).text
    return [line for line in text.splitlines() if line.startswith("data: ")]


def test_everything_that_was_answered_is_still_there(again):
    with again() as first:
        first.until("2023-01-04T20:50:00Z")
        buy = MarketOrderRequest(symbol="AAPL", qty=5, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
        first.client.submit_order(buy)
        first.client.create_watchlist(CreateWatchlistRequest(name="mine", symbols=["MSFT"]))
        first.until("2023-01-05T14:40:00Z")
        first.ask("PATCH", "/v2/account/configurations", {"no_shorting": True})
        paths = ("/v2/account", "/v2/account/configurations", "/v2/account/activities", "/v2/orders?status=all")
        paths += ("/v2/positions", "/v2/watchlists:by_name?name=mine")
        before = {path: first.get(path) for path in paths}
        history = first.get("/v2/account/portfolio/history?timeframe=1D")
        events = told(first, "since=2023-01-01&until=2023-01-05")
    with again() as second:
        for path, said in before.items():
            assert second.get(path) == said
        kept = second.get("/v2/account/portfolio/history?timeframe=1D")
        assert (kept["equity"][0], kept["base_value"]) == (history["equity"][0], 100_000)
        assert told(second, "since=2023-01-01&until=2023-01-05") == events
        assert len(events) == 2


def test_events_keep_their_ids_and_their_order(again):
    query = "since=2023-01-01&until=2023-01-05"
    with again() as first:
        first.until("2023-01-04T15:00:00Z")
        for number in range(3):
            status, _ = first.ask(
                "POST",
                "/v2/orders",
                {
                    "symbol": "AAPL",
                    "qty": "1",
                    "side": "buy",
                    "type": "limit",
                    "time_in_force": "day",
                    "limit_price": "50",
                    "client_order_id": f"o{number}",
                },
            )
            assert status == 200
        for number in (2, 0, 1):
            order = first.get(f"/v2/orders:by_client_order_id?client_order_id=o{number}")
            assert first.ask("DELETE", f"/v2/orders/{order['id']}")[0] == 204
        first.until("2023-01-05T14:40:00Z")
        events = [json.loads(line.removeprefix("data: ")) for line in told(first, query)]
        assert [(one["event"], one["order"]["client_order_id"]) for one in events[3:]] == [
            ("canceled", f"o{number}") for number in (2, 0, 1)
        ]
    with again() as second:
        assert [json.loads(line.removeprefix("data: ")) for line in told(second, query)] == events
        rest = told(second, f"since_id={events[3]['event_id']}&until=2023-01-05")
        assert [json.loads(line.removeprefix("data: ")) for line in rest] == events[4:]
