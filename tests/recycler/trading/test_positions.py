"""Positions, and closing them."""

from decimal import Decimal

import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.enums import OrderSide, OrderStatus, TimeInForce
from alpaca.trading.requests import ClosePositionRequest, LimitOrderRequest, MarketOrderRequest


@pytest.fixture(autouse=True)
def holding(trader):
    """Ten shares of one, five of the other sold short."""
    for symbol, qty, side in (("AAPL", 10, OrderSide.BUY), ("MSFT", 5, OrderSide.SELL)):
        request = MarketOrderRequest(symbol=symbol, qty=qty, side=side, time_in_force=TimeInForce.DAY)
        trader.client.submit_order(request)
    trader.minutes_on()
    yield
    trader.clean()


def held(trader):
    return {one.symbol: one.qty for one in trader.client.get_all_positions()}


def test_a_position_is_found_by_symbol_and_by_id(trader):
    long, short = trader.client.get_all_positions()
    assert trader.client.get_open_position("AAPL") == trader.client.get_open_position(long.asset_id) == long
    assert (long.qty, long.qty_available, long.side) == ("10", "10", "long")
    assert (short.qty, short.qty_available, short.side) == ("-5", "-5", "short")
    assert Decimal(short.market_value) == -5 * Decimal(short.current_price)
    assert Decimal(short.cost_basis) == -5 * Decimal(short.avg_entry_price)
    gain = Decimal(long.unrealized_pl) / Decimal(long.cost_basis)
    assert Decimal(long.unrealized_plpc) == gain.quantize(Decimal("0.000001"))


@pytest.mark.parametrize("name", ["QQQ", "61e69015-8549-4bfd-b9c3-01e75843f47d", "%00", "A" * 300])
def test_a_position_that_is_none_is_not_found(trader, name):
    for method in ("GET", "DELETE"):
        status, said = trader.ask(method, f"/v2/positions/{name}")
        assert (status, said) == (404, {"code": 40410000, "message": "position does not exist"})


def test_a_position_is_closed_whole(trader):
    order = trader.client.close_position("AAPL")
    assert (order.symbol, order.side, order.qty, order.status) == ("AAPL", "sell", "10", OrderStatus.PENDING_NEW)
    trader.client.close_position("MSFT")
    trader.minutes_on()
    assert held(trader) == {}


def test_a_position_is_closed_in_part(trader):
    trader.client.close_position("AAPL", ClosePositionRequest(percentage="25"))
    trader.client.close_position("MSFT", ClosePositionRequest(percentage="50"))
    trader.minutes_on()
    assert held(trader) == {"AAPL": "7.5", "MSFT": "-3"}
    trader.client.close_position("AAPL", ClosePositionRequest(qty="0.5"))
    trader.minutes_on()
    assert held(trader)["AAPL"] == "7"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("percentage=0", 422),
        ("percentage=101", 422),
        ("percentage=half", 422),
        ("qty=-1", 422),
        ("qty=0", 422),
        ("qty=NaN", 422),
        ("qty=1&percentage=1", 422),
        ("qty=11", 403),
    ],
)
def test_a_part_that_makes_no_sense_is_refused(trader, query, status):
    answered, said = trader.ask("DELETE", f"/v2/positions/AAPL?{query}")
    assert (answered, "message" in said) == (status, True)
    assert held(trader) == {"AAPL": "10", "MSFT": "-5"}


def test_shares_that_an_order_holds_cannot_be_closed(trader):
    resting = trader.client.submit_order(
        LimitOrderRequest(symbol="AAPL", qty=8, side=OrderSide.SELL, time_in_force=TimeInForce.DAY, limit_price=150)
    )
    assert trader.client.get_open_position("AAPL").qty_available == "2"
    with pytest.raises(APIError) as refused:
        trader.client.close_position("AAPL")
    assert refused.value.status_code == 403
    closed = {one.symbol: one for one in trader.client.close_all_positions()}
    assert (closed["AAPL"].status, closed["AAPL"].body.held_for_orders) == (403, 8.0)
    assert closed["MSFT"].status == 200
    assert trader.order(resting.id).status is OrderStatus.NEW


def test_all_positions_are_closed_after_their_orders_are_cancelled(trader):
    request = LimitOrderRequest(
        symbol="AAPL", qty=8, side=OrderSide.SELL, time_in_force=TimeInForce.DAY, limit_price=150
    )
    resting = trader.client.submit_order(request)
    answers = trader.client.close_all_positions(cancel_orders=True)
    assert [(one.symbol, one.status) for one in answers] == [("AAPL", 200), ("MSFT", 200)]
    assert trader.order(resting.id).status is OrderStatus.CANCELED
    trader.minutes_on()
    assert held(trader) == {}
