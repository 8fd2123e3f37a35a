"""How long orders wait, over the closes and openings of three sessions."""

from decimal import Decimal

import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.enums import OrderSide, OrderStatus, TimeInForce
from alpaca.trading.requests import LimitOrderRequest, MarketOrderRequest


@pytest.fixture(scope="module")
def start_at():
    return "2023-01-04T10:00:00+00:00"


def market(trader, time_in_force=TimeInForce.DAY):
    request = MarketOrderRequest(symbol="AAPL", qty=1, side=OrderSide.BUY, time_in_force=time_in_force)
    return trader.client.submit_order(request)


def limit(trader, price, **more):
    more = {"time_in_force": TimeInForce.DAY, **more}
    return trader.client.submit_order(
        LimitOrderRequest(symbol="AAPL", qty=1, side=OrderSide.BUY, limit_price=price, **more)
    )


def price_of(order):
    return Decimal(order.filled_avg_price)


def test_orders_live_as_long_as_they_were_meant_to(trader):
    opened = Decimal(str(round(trader.bars.loc[("AAPL", "2023-01-04T14:30Z")].open, 2)))
    at_open, early = market(trader, TimeInForce.OPG), market(trader)
    assert {at_open.status, early.status} == {OrderStatus.ACCEPTED}
    trader.until("2023-01-04T14:29:00Z")
    assert trader.order(early.id).status is OrderStatus.NEW
    trader.minutes_on()
    assert [price_of(trader.order(one.id)) for one in (at_open, early)] == [opened, opened]

    lasting, days = limit(trader, 90.0, time_in_force=TimeInForce.GTC), limit(trader, 90.5)
    at_close = market(trader, TimeInForce.CLS)
    assert trader.order(days.id).expires_at.isoformat() == "2023-01-04T21:00:00+00:00"
    trader.until("2023-01-04T20:55:00Z")
    with pytest.raises(APIError):
        market(trader, TimeInForce.CLS)
    with pytest.raises(APIError):
        market(trader, TimeInForce.OPG)
    trader.until("2023-01-04T20:59:00Z")
    closed = Decimal(str(round(trader.bars.loc[("AAPL", "2023-01-04T20:59Z")].close, 2)))
    assert price_of(trader.order(at_close.id)) == closed
    assert [trader.order(one.id).status for one in (lasting, days)] == [OrderStatus.NEW, OrderStatus.EXPIRED]
    assert trader.order(days.id).expired_at.isoformat() == "2023-01-04T21:00:00+00:00"

    late = market(trader)
    assert late.status is trader.order(late.id).status is OrderStatus.ACCEPTED
    assert late.expires_at.isoformat() == "2023-01-05T21:00:00+00:00"
    trader.until("2023-01-05T14:30:00Z")
    order = trader.order(late.id)
    opened = Decimal(str(round(trader.bars.loc[("AAPL", "2023-01-05T14:30Z")].open, 2)))
    assert (order.status, price_of(order)) == (OrderStatus.FILLED, opened)
    assert trader.order(lasting.id).status is OrderStatus.NEW
    trader.client.cancel_orders()
    assert trader.get("/v2/orders") == []


def test_a_cancelled_order_that_waited_never_comes_to_the_exchange(trader):
    trader.until("2023-01-05T20:59:00Z")
    waits = market(trader)
    trader.client.cancel_order_by_id(waits.id)
    trader.until("2023-01-06T14:31:00Z")
    order = trader.order(waits.id)
    assert (order.status, order.filled_qty) == (OrderStatus.CANCELED, "0")
