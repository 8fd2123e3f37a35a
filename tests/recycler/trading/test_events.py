"""Order events as server-sent events."""

import json
from contextlib import contextmanager

import pytest
import requests
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import MarketOrderRequest

from tandem.recycler.trading.event_log import event_id, number_of

HEADERS = {"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}


def buy(trader):
    request = MarketOrderRequest(symbol="AAPL", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
    trader.client.submit_order(request)
    trader.minutes_on()


@contextmanager
def events(trader, query=""):
    """What is told, as it comes."""
    url = f"{trader.http}/v2/events/trades?{query}"
    with requests.get(url, headers=HEADERS, stream=True, timeout=5) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines(chunk_size=1)
        assert next(lines).startswith(b":")
        yield (json.loads(line.removeprefix(b"data: ")) for line in lines if line.startswith(b"data: "))


@pytest.fixture(scope="module")
def told(trader):
    """The events of three orders."""
    for _ in range(3):
        buy(trader)
    with events(trader, f"since=2023-01-04&until={trader.now.isoformat()}".replace("+", "%2B")) as stream:
        return [next(stream) for _ in range(6)]


def test_what_was_told_before_is_told_again(trader, told):
    assert [one["event"] for one in told] == ["new", "fill"] * 3
    assert all(isinstance(one["event_id"], str) and one["at"] == one["timestamp"] for one in told)
    assert [one["event_id"] for one in told] == sorted(one["event_id"] for one in told)
    assert {one["account_id"] for one in told} == {trader.get("/v2/account")["id"]}
    assert [one["order"]["status"] for one in told] == ["new", "filled"] * 3


def test_a_client_goes_on_after_the_last_event_it_has_seen(trader, told):
    ids = [one["event_id"] for one in told]
    with events(trader, f"since_id={ids[1]}&until_id={ids[4]}") as stream:
        assert [one["event_id"] for one in stream] == ids[2:5]


def test_what_lies_in_the_past_ends_by_itself(trader, told):
    with events(trader, f"since={told[2]['at']}&until={told[3]['at']}") as stream:
        assert list(stream) == told[2:4]


def test_who_asks_for_nothing_hears_what_comes(trader, told):
    with events(trader) as stream, trader.stream() as hear:
        buy(trader)
        assert [next(stream)["event"], next(stream)["event"]] == ["new", "fill"]
        assert hear()["data"]["event"] == "new"
    trader.get("/v2/account")


@pytest.mark.parametrize("query", ["since=soon", "since_id=7", "until=2023-01-05", "since_id=" + "!" * 26])
def test_what_means_nothing_is_refused(trader, query):
    status, said = trader.ask("GET", f"/v2/events/trades?{query}")
    assert (status, said["code"]) == (422, 42210000)


@pytest.mark.parametrize("number", [0, 1, 31, 32, 2**40])
def test_an_id_names_its_number(trader, number):
    id = event_id(trader.now.to_pydatetime(), number)
    assert (len(id), number_of(id), number_of(id.lower())) == (26, number, number)
