"""Activities: executions, paged."""

from decimal import Decimal

import pytest
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import MarketOrderRequest

from tandem.config import CostSettings


@pytest.fixture(scope="module")
def fills(trader):
    """Seven executions over two days, oldest first."""
    for number in range(7):
        side = OrderSide.BUY if number % 2 == 0 else OrderSide.SELL
        request = MarketOrderRequest(symbol="AAPL", qty=1, side=side, time_in_force=TimeInForce.DAY)
        trader.client.submit_order(request)
        trader.minutes_on()
        if number == 3:
            trader.until("2023-01-05T14:40:00Z")
    return trader.get("/v2/account/activities?direction=asc")


def test_executions_are_told_newest_first(trader, fills):
    assert trader.get("/v2/account/activities/FILL") == fills[::-1]
    assert trader.client.get("/account/activities", {"activity_types": "FILL,DIV"}) == fills[::-1]
    first = fills[0]
    assert (first["type"], first["side"], first["qty"], first["cum_qty"], first["leaves_qty"]) == (
        "fill",
        "buy",
        *"110",
    )
    assert (first["activity_type"], first["order_status"], first["symbol"]) == ("FILL", "filled", "AAPL")
    assert first["id"].startswith("20230104143500000::")
    assert Decimal(first["price"]) == Decimal(trader.order(first["order_id"]).filled_avg_price)


def test_pages_follow_each_other_without_a_gap(trader, fills):
    for direction, expected in (("asc", fills), ("desc", fills[::-1])):
        seen, token = [], ""
        while page := trader.get(f"/v2/account/activities?direction={direction}&page_size=3&page_token={token}"):
            seen += page
            token = page[-1]["id"]
        assert seen == expected


def test_days_and_moments_choose(trader, fills):
    def listed(query):
        return trader.get(f"/v2/account/activities?direction=asc&{query}")

    assert listed("date=2023-01-04") == fills[:4]
    assert listed("after=2023-01-05T00:00:00Z") == fills[4:]
    assert listed(f"until={fills[4]['transaction_time']}&after={fills[0]['transaction_time']}") == fills[1:4]
    assert listed("category=non_trade_activity") == listed("date=2023-01-03") == []
    assert trader.get("/v2/account/activities/DIV") == []


@pytest.mark.parametrize(
    "query",
    [
        "page_size=101",
        "page_size=0",
        "page_token=nothing",
        "direction=up",
        "activity_types=DREAM",
        "category=all",
        "date=9999-12-31",
        "date=today",
        "after=soon",
    ],
)
def test_what_means_nothing_is_refused(trader, fills, query):
    status, said = trader.ask("GET", f"/v2/account/activities?{query}")
    assert (status, said["code"]) == (422, 42210000)


def test_an_activity_of_no_kind_is_refused(trader):
    assert trader.ask("GET", "/v2/account/activities/DREAM")[0] == 422


def test_borrowing_over_night_is_a_fee_and_everything_adds_up_to_the_cash(run):
    costs = CostSettings(spread_bps=2.0, impact=0.1, borrow_rate=Decimal("0.1"))
    with run("2023-01-04T20:50:00Z", costs=costs) as short:
        request = MarketOrderRequest(symbol="MSFT", qty=7, side=OrderSide.SELL, time_in_force=TimeInForce.DAY)
        short.client.submit_order(request)
        short.until("2023-01-05T14:40:00Z")
        fill, fee = short.get("/v2/account/activities?direction=asc")
        assert (fill["activity_type"], fee["activity_type"], fee["date"]) == ("FILL", "FEE", "2023-01-05")
        assert (fee["symbol"], fee["description"]) == ("MSFT", "borrowing of MSFT")
        assert Decimal(fee["net_amount"]) < 0
        assert short.get("/v2/account/activities/FEE?date=2023-01-05") == [fee]
        cash = Decimal(100_000) + Decimal(fill["qty"]) * Decimal(fill["price"]) + Decimal(fee["net_amount"])
        assert Decimal(short.client.get_account().cash) == cash
