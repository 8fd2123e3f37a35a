"""Each order of alpaca-py's request classes to its documented end."""

from decimal import Decimal
from uuid import UUID

import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.enums import OrderClass, OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
from alpaca.trading.requests import (
    GetOrderByIdRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLimitOrderRequest,
    StopLossRequest,
    StopOrderRequest,
    TakeProfitRequest,
    TrailingStopOrderRequest,
)

ORDER = {"symbol": "AAPL", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day"}


def asked(kind, symbol="AAPL", side=OrderSide.BUY, time_in_force=TimeInForce.DAY, **more):
    if "notional" not in more:
        more.setdefault("qty", 10)
    return kind(symbol=symbol, side=side, time_in_force=time_in_force, **more)


def dollars(value):
    return Decimal(f"{value:.4f}")


@pytest.fixture(autouse=True)
def cleaned(trader):
    yield
    trader.clean()


def test_a_market_order_fills_at_the_next_open(trader):
    opened = trader.next_bar()["open"]
    taken = trader.client.submit_order(asked(MarketOrderRequest, client_order_id="mine"))
    assert (taken.status, taken.qty, taken.filled_qty) == (OrderStatus.PENDING_NEW, "10", "0")
    assert trader.order(taken.id).status is OrderStatus.NEW
    trader.minutes_on()
    order = trader.client.get_order_by_client_id("mine")
    assert (order.id, order.status, order.filled_qty) == (taken.id, OrderStatus.FILLED, "10")
    assert Decimal(order.filled_avg_price) == dollars(opened)
    assert order.filled_at == order.submitted_at


def test_a_limit_order_waits_for_its_price_and_fills_at_it(trader):
    low = trader.next_bar()["low"]
    reached = trader.client.submit_order(asked(LimitOrderRequest, limit_price=round(low + 0.05, 2)))
    waiting = trader.client.submit_order(asked(LimitOrderRequest, limit_price=90.5))
    trader.minutes_on()
    order = trader.order(reached.id)
    assert (order.status, Decimal(order.filled_avg_price)) == (OrderStatus.FILLED, dollars(low + 0.05))
    assert trader.order(waiting.id).status is OrderStatus.NEW
    trader.client.cancel_order_by_id(waiting.id)
    order = trader.order(waiting.id)
    assert (order.status, order.canceled_at is None, order.limit_price) == (OrderStatus.CANCELED, False, "90.5")
    with pytest.raises(APIError) as refused:
        trader.client.cancel_order_by_id(waiting.id)
    assert (refused.value.status_code, refused.value.message) == (422, 'order is already in "canceled" state')


def test_a_stop_order_fills_at_its_stop(trader):
    high = trader.next_bar()["high"]
    taken = trader.client.submit_order(asked(StopOrderRequest, stop_price=round(high - 0.05, 2)))
    trader.minutes_on()
    order = trader.order(taken.id)
    assert (order.status, Decimal(order.filled_avg_price)) == (OrderStatus.FILLED, dollars(high - 0.05))


def test_a_stop_limit_order_fills_between_its_stop_and_its_limit(trader):
    high = round(trader.next_bar()["high"], 2)
    taken = trader.client.submit_order(
        asked(StopLimitOrderRequest, stop_price=round(high - 0.05, 2), limit_price=round(high + 0.05, 2))
    )
    trader.minutes_on(2)
    order = trader.order(taken.id)
    assert order.status is OrderStatus.FILLED
    assert dollars(high - 0.05) <= Decimal(order.filled_avg_price) <= dollars(high + 0.05)


def test_a_trailing_stop_follows_the_price_and_fills_when_it_turns(trader):
    trader.client.submit_order(asked(MarketOrderRequest))
    trader.minutes_on()
    taken = trader.client.submit_order(asked(TrailingStopOrderRequest, side=OrderSide.SELL, trail_price=0.6))
    first = trader.order(taken.id)
    assert Decimal(first.hwm) - Decimal("0.6") == Decimal(first.stop_price)
    for _ in range(25):
        trader.minutes_on()
        order = trader.order(taken.id)
        if order.status is OrderStatus.FILLED:
            break
    assert order.status is OrderStatus.FILLED
    assert Decimal(order.hwm) >= Decimal(first.hwm)
    assert order.trail_price == "0.6"


def test_a_bracket_takes_its_profit_and_lets_go_of_its_stop(trader):
    taken = trader.client.submit_order(
        asked(
            MarketOrderRequest,
            time_in_force=TimeInForce.GTC,
            order_class=OrderClass.BRACKET,
            take_profit=TakeProfitRequest(limit_price=101.1),
            stop_loss=StopLossRequest(stop_price=90.0),
        )
    )
    assert taken.order_class is OrderClass.BRACKET
    assert [(leg.type, leg.side, leg.status) for leg in taken.legs] == [
        ("limit", "sell", OrderStatus.HELD),
        ("stop", "sell", OrderStatus.HELD),
    ]
    trader.minutes_on()
    nested = trader.client.get_order_by_id(taken.id, GetOrderByIdRequest(nested=True))
    assert (nested.status, [leg.status for leg in nested.legs]) == (OrderStatus.FILLED, [OrderStatus.NEW] * 2)
    for _ in range(25):
        trader.minutes_on()
        profit, stop = (trader.order(leg.id) for leg in taken.legs)
        if profit.status is OrderStatus.FILLED:
            break
    assert (profit.status, stop.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
    assert Decimal(profit.filled_avg_price) >= Decimal("101.1")
    assert trader.get("/v2/positions") == []


def test_of_two_orders_one_cancels_the_other(trader):
    trader.client.submit_order(asked(MarketOrderRequest))
    trader.minutes_on()
    taken = trader.client.submit_order(
        asked(
            LimitOrderRequest,
            side=OrderSide.SELL,
            time_in_force=TimeInForce.GTC,
            order_class=OrderClass.OCO,
            take_profit=TakeProfitRequest(limit_price=150.0),
            stop_loss=StopLossRequest(stop_price=100.5),
        )
    )
    assert (taken.limit_price, taken.legs[0].stop_price, taken.order_class) == ("150", "100.5", OrderClass.OCO)
    for _ in range(25):
        trader.minutes_on()
        if trader.order(taken.legs[0].id).status is OrderStatus.FILLED:
            break
    assert trader.order(taken.id).status is OrderStatus.CANCELED
    assert trader.get("/v2/positions") == []


def test_one_order_triggers_another(trader):
    taken = trader.client.submit_order(
        asked(MarketOrderRequest, order_class=OrderClass.OTO, stop_loss=StopLossRequest(stop_price=90.0))
    )
    trader.minutes_on()
    nested = trader.client.get_orders(GetOrdersRequest(status=QueryOrderStatus.ALL, nested=True, limit=1))
    assert [(order.id, [leg.status for leg in order.legs]) for order in nested] == [(taken.id, [OrderStatus.NEW])]
    flat = trader.client.get_orders(GetOrdersRequest(status=QueryOrderStatus.OPEN))
    assert [order.id for order in flat] == [taken.legs[0].id]
    assert flat[0].legs is None


@pytest.mark.parametrize(
    ("time_in_force", "limit", "status"),
    [
        (TimeInForce.IOC, 150.0, OrderStatus.FILLED),
        (TimeInForce.IOC, 90.0, OrderStatus.CANCELED),
        (TimeInForce.FOK, 150.0, OrderStatus.FILLED),
        (TimeInForce.FOK, 90.0, OrderStatus.CANCELED),
    ],
)
def test_an_order_for_at_once_fills_at_once_or_never(trader, time_in_force, limit, status):
    taken = trader.client.submit_order(asked(LimitOrderRequest, time_in_force=time_in_force, limit_price=limit))
    trader.minutes_on()
    assert trader.order(taken.id).status is status


@pytest.mark.parametrize("size", [{"notional": 1234.56}, {"qty": 0.25}])
def test_dollars_and_parts_of_shares_buy_what_they_pay_for(trader, size):
    taken = trader.client.submit_order(asked(MarketOrderRequest, **size))
    assert (taken.notional, taken.qty) == (("1234.56", None) if "notional" in size else (None, "0.25"))
    trader.minutes_on()
    order = trader.order(taken.id)
    spent = Decimal(order.filled_qty) * Decimal(order.filled_avg_price)
    assert order.status is OrderStatus.FILLED
    assert "qty" in size or abs(spent - Decimal("1234.56")) < Decimal("0.01")


def test_a_replaced_order_lives_on_under_another_id(trader):
    old = trader.client.submit_order(asked(LimitOrderRequest, limit_price=90))
    new = trader.client.replace_order_by_id(old.id, ReplaceOrderRequest(qty=7, limit_price=91.5, client_order_id="n"))
    assert (new.qty, new.limit_price, new.client_order_id, new.replaces) == ("7", "91.5", "n", old.id)
    before = trader.order(old.id)
    assert (before.status, before.replaced_by) == (OrderStatus.REPLACED, new.id)
    assert before.replaced_at is not None
    with pytest.raises(APIError) as refused:
        trader.client.replace_order_by_id(old.id, ReplaceOrderRequest(qty=8))
    assert refused.value.status_code == 422


def test_more_than_the_bar_can_take_fills_in_parts(trader):
    taken = trader.client.submit_order(asked(MarketOrderRequest, qty=900, symbol="MSFT"))
    capped = trader.client.submit_order(asked(MarketOrderRequest, qty=1))
    trader.minutes_on()
    assert trader.order(capped.id).status is OrderStatus.FILLED
    order = trader.order(taken.id)
    assert order.status in (OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED)
    assert 0 < Decimal(order.filled_qty) <= 900


@pytest.mark.parametrize(
    ("change", "status", "code", "message"),
    [
        ({"qty": None}, 422, 40010001, "qty or notional is required"),
        ({"qty": ""}, 422, 40010001, "qty or notional is required"),
        ({"notional": "5"}, 422, 40010001, "only one of qty or notional is accepted"),
        ({"qty": 0}, 422, 40010001, "qty must be > 0"),
        ({"qty": "-3"}, 422, 40010001, "qty must be > 0"),
        ({"qty": "many"}, 422, 40010001, "invalid qty: many"),
        ({"qty": "NaN"}, 422, 40010001, "invalid qty: NaN"),
        ({"qty": "1e400"}, 422, 40010001, "invalid qty: 1e400"),
        ({"qty": [1]}, 422, 40010001, "invalid qty: [1]"),
        ({"qty": True}, 422, 40010001, "invalid qty: True"),
        ({"limit_price": "3"}, 422, 40010001, "market orders require no stop or limit price"),
        ({"symbol": "ZZZ"}, 422, 42210000, 'asset "ZZZ" not found'),
        ({"symbol": None}, 422, 40010001, "symbol is required"),
        ({"side": "hold"}, 422, 40010001, "invalid side: hold"),
        ({"side": None}, 422, 40010001, "side is required"),
        ({"type": "dream"}, 422, 40010001, "invalid type: dream"),
        ({"time_in_force": ""}, 422, 40010001, "time_in_force is required"),
        ({"order_class": "mleg"}, 422, 42210000, "mleg orders are orders of options, which are not traded here"),
        ({"extended_hours": True}, 422, 42210000, "extended hours order must be DAY or GTC limit orders"),
        ({"extended_hours": "perhaps"}, 422, 40010001, "invalid extended_hours: perhaps"),
        ({"side": "sell", "qty": "0.5"}, 422, 42210000, "fractional orders cannot be sold short"),
        ({"client_order_id": "x" * 129}, 422, 40010001, "client_order_id must be no more than 128 characters"),
        ({"client_order_id": "a\u0000b"}, 422, 40010001, "invalid client_order_id: a?b"),
        ({"type": "limit"}, 422, 40010001, "limit orders require a limit price"),
        (
            {"type": "limit", "limit_price": 290.123},
            422,
            42210000,
            "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria",
        ),
        ({"take_profit": 5}, 422, 40010001, "invalid take_profit: 5"),
        (
            {"order_class": "bracket", "stop_loss": {"limit_price": 1}},
            422,
            40010001,
            "stop_loss.stop_price is required",
        ),
        (
            {"order_class": "bracket", "stop_loss": {"stop_price": "x"}},
            422,
            40010001,
            "invalid stop_loss.stop_price: x",
        ),
        ({"notional": "0.5", "qty": None}, 422, 40010001, "notional must be >= 1.00"),
    ],
)
def test_an_order_that_cannot_be_taken_is_refused_in_alpacas_words(trader, change, status, code, message):
    before = trader.get("/v2/orders?status=all")
    assert trader.ask("POST", "/v2/orders", {**ORDER, **change}) == (status, {"code": code, "message": message})
    assert trader.get("/v2/orders?status=all") == before


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b"\xff", b"5", b"[" * 5000, b'{"qty": 1e9999999999999}'])
def test_a_body_that_is_no_order_is_refused(trader, body):
    status, said = trader.ask("POST", "/v2/orders", data=body)
    assert (status, said["code"]) == (422, 40010001)


def test_more_than_is_held_or_paid_for_is_forbidden(trader):
    trader.client.submit_order(asked(MarketOrderRequest))
    trader.minutes_on()
    assert trader.ask("POST", "/v2/orders", {**ORDER, "side": "sell", "qty": 11}) == (
        403,
        {
            "code": 40310000,
            "message": "insufficient qty available for order (requested: 11, available: 10)",
            "available": "10",
            "existing_qty": "10",
            "held_for_orders": "0",
            "symbol": "AAPL",
        },
    )
    status, said = trader.ask("POST", "/v2/orders", {**ORDER, "symbol": "MSFT", "qty": 10_000})
    assert (status, said["code"], said["message"]) == (403, 40310000, "insufficient buying power")
    assert {"buying_power", "cost_basis"} <= said.keys()


def test_an_order_against_an_own_one_is_a_wash_trade(trader):
    resting = trader.client.submit_order(asked(LimitOrderRequest, limit_price=95))
    status, said = trader.ask("POST", "/v2/orders", {**ORDER, "side": "sell", "qty": 1})
    assert (status, said["message"]) == (403, "potential wash trade detected. use complex orders")
    assert said["existing_order_id"] == str(resting.id)


def test_what_clients_send_without_meaning_anything_is_passed_over(trader):
    sent = {
        **ORDER, "qty": "1", "notional": None, "limit_price": None, "stop_price": "", "client_order_id": "",
        "order_class": "", "extended_hours": None, "take_profit": None, "stop_loss": {},
        "position_intent": "buy_to_open", "side": "BUY",
    }  # fmt: skip
    status, taken = trader.ask("POST", "/v2/orders", sent)
    assert status == 200
    assert str(UUID(taken["client_order_id"])) == taken["client_order_id"]
    assert (taken["order_class"], taken["type"], taken["order_type"]) == ("", "market", "market")


def test_a_client_order_id_is_taken_once(trader):
    trader.client.submit_order(asked(MarketOrderRequest, qty=1, client_order_id="once"))
    status, said = trader.ask("POST", "/v2/orders", {**ORDER, "client_order_id": "once"})
    assert (status, said) == (422, {"code": 40010001, "message": "client_order_id must be unique"})


def test_orders_are_listed_as_they_are_asked_for(trader):
    ids = [str(trader.client.submit_order(asked(LimitOrderRequest, limit_price=90 + n)).id) for n in range(3)]
    other = str(trader.client.submit_order(asked(LimitOrderRequest, symbol="MSFT", limit_price=150)).id)

    def listed(query):
        return [order["id"] for order in trader.get(f"/v2/orders?{query}")]

    assert listed("") == [other, *ids[::-1]]
    assert listed("symbols=AAPL&direction=asc&nested=True") == ids
    assert listed("symbols=AAPL,MSFT&limit=2") == [other, ids[2]]
    assert listed("side=sell") == listed("status=closed&symbols=QQQ") == []
    assert listed(f"after_order_id={ids[0]}&before_order_id={other}") == [ids[2], ids[1]]
    assert listed(f"status=all&after_order_id={ids[2]}&direction=asc") == [other]
    now = trader.get(f"/v2/orders/{other}")["submitted_at"]
    assert listed(f"after={now}") == listed(f"until={now}&after_order_id={ids[0]}") == []
    assert trader.headers("/v2/orders").get("X-Tandem-Proxy") is None
    status, said = trader.ask("DELETE", "/v2/orders")
    assert (status, {one["id"] for one in said}, {one["status"] for one in said}) == (207, {*ids, other}, {200})
    assert trader.client.cancel_orders() == []


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v2/orders/61e69015-8549-4bfd-b9c3-01e75843f47d", 404, "order not found for 61e69015-8549-4bfd"),
        ("DELETE", "/v2/orders/61e69015-8549-4bfd-b9c3-01e75843f47d", 404, "order not found for 61e69015-8549-4bfd"),
        ("PATCH", "/v2/orders/61e69015-8549-4bfd-b9c3-01e75843f47d", 404, "order not found for 61e69015-8549-4bfd"),
        ("GET", "/v2/orders/seven", 422, "order id is not a UUID: seven"),
        ("GET", "/v2/orders:by_client_order_id?client_order_id=nobody", 404, "order not found for nobody"),
        ("GET", "/v2/orders:by_client_order_id", 404, "order not found for "),
        ("GET", "/v2/orders?limit=501", 422, "invalid limit: 501"),
        ("GET", "/v2/orders?limit=٣", 422, "invalid limit: ٣"),
        ("GET", "/v2/orders?after=soon", 422, "invalid after: soon"),
        ("GET", "/v2/orders?until=0001-01-01T00:00:00%2B14:00", 422, "invalid until: 0001"),
        ("GET", "/v2/orders?nested=perhaps", 422, "invalid nested: perhaps"),
        ("GET", "/v2/orders?status=tired", 422, "invalid status: tired"),
        ("GET", "/v2/orders?direction=up", 422, "invalid direction: up"),
        ("GET", "/v2/orders?after_order_id=7", 422, "order id is not a UUID: 7"),
        ("GET", "/v2/nowhere", 404, "endpoint not found."),
        ("PATCH", "/v2/account", 404, "endpoint not found."),
    ],
)
def test_what_is_not_there_is_said_in_json(trader, method, path, status, message):
    answered, said = trader.ask(method, path)
    assert (answered, said["message"].startswith(message)) == (status, True), said
    assert isinstance(said["code"], int)
