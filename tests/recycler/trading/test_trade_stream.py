"""The trading socket."""

import asyncio
import json
import threading
import time

import msgspec
import pytest
from alpaca.trading.enums import OrderClass, OrderSide, TimeInForce
from alpaca.trading.requests import LimitOrderRequest, MarketOrderRequest, StopLossRequest, TakeProfitRequest
from alpaca.trading.stream import TradingStream
from websockets.sync.client import connect

AUTHORIZED = {"stream": "authorization", "data": {"status": "authorized", "action": "authenticate"}}
LISTEN = {"action": "listen", "data": {"streams": ["trade_updates", "gossip"]}}
KEYS = {"action": "authenticate", "data": {"key_id": "k", "secret_key": "s"}}


@pytest.fixture(autouse=True)
def cleaned(trader):
    yield
    trader.clean()


def market(trader, qty=10, side=OrderSide.BUY, symbol="AAPL", **more):
    request = MarketOrderRequest(symbol=symbol, qty=qty, side=side, time_in_force=TimeInForce.DAY, **more)
    return trader.client.submit_order(request)


@pytest.mark.parametrize("path", ["/stream", "/stream/"])
def test_control_messages_are_answered_word_for_word(trader, path):
    with connect(trader.ws + path, proxy=None) as socket:

        def ask(message):
            socket.send(json.dumps(message))
            frame = socket.recv(5)
            assert isinstance(frame, bytes)
            return json.loads(frame)

        assert ask(LISTEN) == {"stream": "authorization", "data": {"status": "unauthorized", "action": "listen"}}
        refused = ask({"action": "authenticate", "data": {"key_id": "", "secret_key": ""}})
        assert refused["data"] == {
            "status": "unauthorized",
            "action": "authenticate",
            "message": "access key verification failed",
        }
        assert ask({"action": "auth", "key": "k", "secret": "s"}) == AUTHORIZED
        assert ask(KEYS) == AUTHORIZED
        for nonsense in ("{", "[]", b"\xff", '{"action": "dance"}', '{"action": ["listen"]}', "5"):
            socket.send(nonsense)
        assert ask(LISTEN) == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
        assert ask({"action": "listen", "data": {"streams": None}})["data"] == {"streams": []}
        assert ask({"action": "listen", "data": {"streams": [["trade_updates"], 7]}})["data"] == {"streams": []}


def test_messagepack_is_spoken_where_the_handshake_asks_for_it(trader):
    headers = {"Content-Type": "application/msgpack"}
    with connect(trader.ws + "/stream", proxy=None, additional_headers=headers) as socket:
        socket.send(msgspec.msgpack.encode(KEYS))
        assert msgspec.msgpack.decode(socket.recv(5)) == AUTHORIZED


def test_each_event_is_told_once_and_in_order(trader):
    with trader.stream() as hear:
        taken = market(trader, symbol="MSFT", side=OrderSide.SELL)
        trader.minutes_on()
        new, fill = hear()["data"], hear()["data"]
        assert (new["event"], new["order"]["status"], new["order"]["filled_qty"]) == ("new", "new", "0")
        assert not {"price", "qty", "position_qty"} & new.keys()
        assert (fill["event"], fill["qty"], fill["position_qty"]) == ("fill", "10", "-10")
        assert (fill["order"]["id"], fill["order"]["filled_avg_price"]) == (str(taken.id), fill["price"])
        assert new["timestamp"] == fill["timestamp"] == fill["order"]["filled_at"]


def test_an_order_filled_in_parts_is_shown_as_it_stood_each_time(trader):
    with trader.stream() as hear:
        market(trader, 900)
        seen = [hear()["data"]]
        while seen[-1]["event"] not in ("fill", "expired"):
            trader.minutes_on()
            seen.append(hear()["data"])
        filled = [int(one["order"]["filled_qty"]) for one in seen]
        parts = [int(one.get("qty", 0)) for one in seen]
        assert filled == [sum(parts[: at + 1]) for at in range(len(parts))]
        assert [one["event"] for one in seen] == ["new", *["partial_fill"] * (len(seen) - 2), "fill"]


def test_a_bracket_tells_of_its_legs_when_they_come_to_life(trader):
    legs = {
        "take_profit": TakeProfitRequest(limit_price=150.0),
        "stop_loss": StopLossRequest(stop_price=90.0),
        "order_class": OrderClass.BRACKET,
    }
    with trader.stream() as hear:
        market(trader, **legs)
        trader.minutes_on()
        said = [hear()["data"] for _ in range(4)]
        assert [(one["event"], one["order"]["type"]) for one in said] == [
            ("new", "market"),
            ("fill", "market"),
            ("new", "limit"),
            ("new", "stop"),
        ]
        assert [leg["type"] for leg in said[0]["order"]["legs"]] == ["limit", "stop"]


def test_the_official_client_hears_everything(trader):
    stream = TradingStream("k", "s", url_override=trader.ws + "/stream")
    heard = []

    async def hear(update):
        heard.append(update)
        if update.event == "canceled":
            await stream.stop_ws()

    stream.subscribe_trade_updates(hear)
    thread = threading.Thread(target=lambda: asyncio.run(stream._run_forever()))
    thread.start()
    for _ in range(200):
        if trader.session.get(trader.http + "/control/status", timeout=5).json()["connections"]["trades"]:
            break
        time.sleep(0.02)
    time.sleep(0.1)
    bought = market(trader)
    trader.minutes_on()
    request = LimitOrderRequest(
        symbol="AAPL", qty=1, side=OrderSide.SELL, time_in_force=TimeInForce.GTC, limit_price=500
    )
    resting = trader.client.submit_order(request)
    trader.client.cancel_order_by_id(resting.id)
    thread.join(10)
    assert not thread.is_alive()
    assert [(one.event, one.order.id) for one in heard] == [
        ("new", bought.id),
        ("fill", bought.id),
        ("new", resting.id),
        ("canceled", resting.id),
    ]
    assert (heard[1].qty, heard[1].position_qty) == (10, 10)
