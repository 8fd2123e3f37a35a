"""What a client of trading that checks nothing lives through, fault by fault."""

import pytest
import requests


@pytest.mark.parametrize(("name", "status"), [("rest-429", 429), ("rest-500", 500), ("rest-504", 504)])
def test_a_client_that_reads_every_answer_as_an_account_breaks(fresh, trader, name, status):
    play = fresh()
    client = trader(play)
    play.arm(name=name, every=2, count=1)
    answers = [client.ask("GET", "/v2/account") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, status, 200, 200]
    with pytest.raises(KeyError):
        answers[1].json()["cash"]
    assert set(answers[1].json()) == {"code", "message"}


def test_a_client_without_patience_meets_a_time_out(fresh, trader):
    play = fresh()
    client = trader(play)
    play.arm(name="rest-504", seconds=30)
    with pytest.raises(requests.Timeout):
        client.ask("GET", "/v2/account", timeout=0.3)


@pytest.mark.parametrize("name", ["lost-answer", "late-504"])
def test_a_client_that_sends_again_after_a_lost_answer_buys_twice(fresh, trader, name):
    play = fresh()
    client = trader(play)
    play.arm(name=name)
    try:
        assert client.buy("IBM", 10).status_code == 504
    except requests.RequestException:
        assert name == "lost-answer"
    assert client.buy("IBM", 10).status_code == 200
    play.step(2)
    assert client.held() == {"IBM": 20}


def test_with_an_id_of_its_own_the_order_is_found_after_a_lost_answer(fresh, trader):
    play = fresh()
    client = trader(play)
    play.arm(name="lost-answer", symbol="IBM")
    assert client.buy("AAPL", name="other").status_code == 200
    with pytest.raises(requests.RequestException):
        client.buy("IBM", name="mine")
    assert client.ask("GET", "/v2/orders:by_client_order_id?client_order_id=mine").json()["symbol"] == "IBM"
    assert client.buy("IBM", name="mine").status_code == 422


def test_alpacas_own_client_buys_twice_after_a_504(fresh):
    from alpaca.trading.client import TradingClient
    from alpaca.trading.enums import OrderSide, TimeInForce
    from alpaca.trading.requests import MarketOrderRequest

    play = fresh()
    play.arm(name="late-504")
    client = TradingClient("k", "s", url_override=play.recycler.http)
    client._retry_wait = 0.05
    client.submit_order(MarketOrderRequest(symbol="IBM", qty=10, side=OrderSide.BUY, time_in_force=TimeInForce.DAY))
    assert len(client.get_orders()) == 2


def test_a_client_that_adds_up_fills_holds_three_times_what_the_account_does(fresh, trader):
    play = fresh()
    client = trader(play)
    play.arm(name="repeat-execution")
    client.buy("IBM", 10)
    play.step(2)
    assert client.hear() == ["new", "fill"] * 3
    fills = [event for event in client.events if event["event"] == "fill"]
    assert sum(int(fill["qty"]) for fill in fills) == 30
    assert len({fill["execution_id"] for fill in fills}) == 1
    assert client.held() == {"IBM": 10}


def test_a_client_that_waits_for_the_fill_waits_for_ever(fresh, trader):
    play = fresh()
    client = trader(play)
    play.arm(name="lose-execution")
    client.buy("IBM", 10)
    play.step(3)
    assert client.hear() == ["new"]
    assert client.held() == {"IBM": 10}


def test_a_client_that_sends_two_legs_and_looks_away_stands_on_one(fresh, trader):
    play = fresh()
    client = trader(play)
    play.arm(name="reject-order", symbol="IBM")
    assert [client.buy(symbol).status_code for symbol in ("AAPL", "IBM")] == [200, 403]
    play.step(2)
    assert client.held() == {"AAPL": 10}


def test_a_client_that_takes_any_fill_for_the_whole_order_holds_less(fresh, trader):
    play = fresh()
    client = trader(play)
    play.arm(name="partial-fill", symbol="IBM")
    client.buy("IBM", 100)
    client.buy("AAPL", 100)
    play.step(20)
    events = client.hear()
    assert sorted(events) == ["fill", "new", "new", "partial_fill"]
    held = client.held()
    assert held["AAPL"] == 100
    assert 0 < held["IBM"] < 100
    assert client.ask("GET", "/v2/orders").json()[0]["status"] == "partially_filled"


def test_a_client_of_a_cut_order_stream_hears_nothing_of_its_orders(fresh, trader):
    play = fresh()
    client = trader(play)
    client.buy("IBM", 10)
    play.arm(name="drop-order-stream")
    play.step(3)
    assert client.hear() == ["new"]
    assert client.held() == {"IBM": 10}
