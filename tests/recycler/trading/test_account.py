"""Account, configuration and rules of the account's owner."""

from decimal import Decimal

import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import MarketOrderRequest

from tandem.config import CostSettings


def market(trader, qty, side=OrderSide.BUY, symbol="AAPL"):
    request = MarketOrderRequest(symbol=symbol, qty=qty, side=side, time_in_force=TimeInForce.DAY)
    return trader.client.submit_order(request)


@pytest.fixture
def configured(trader):
    """Changes the configuration, and back at the end."""
    before = trader.client.get_account_configurations()

    def change(**what):
        status, said = trader.ask("PATCH", "/v2/account/configurations", what)
        assert status == 200, said
        return said

    yield change
    trader.client.set_account_configurations(before)


def test_a_new_account_has_its_cash_and_nothing_else(run):
    with run() as fresh:
        account = fresh.client.get_account()
        assert (account.cash, account.equity, account.last_equity, account.buying_power) == (
            *("100000",) * 3,
            "200000",
        )
        assert (account.status, account.multiplier, account.currency) == ("ACTIVE", "2", "USD")
        assert not any((account.trading_blocked, account.account_blocked, account.trade_suspended_by_user))
        assert account.shorting_enabled
        assert fresh.headers("/v2/account")["X-Request-ID"] != fresh.headers("/v2/account")["X-Request-ID"]


def test_without_keys_nothing_is_answered(trader):
    for path in ("/v2/account", "/v2/orders", "/v2/clock", "/v2/events/trades"):
        assert trader.ask("GET", path, headers={}) == (401, {"code": 40110000, "message": "unauthorized."})


def test_positions_and_account_add_up_to_the_cent_with_costs(run):
    costs = CostSettings(spread_bps=2.0, impact=0.1, commission_per_share=0.01)
    with run("2023-01-04T14:34:00Z", costs=costs) as paid:
        bar, other = paid.next_bar(), paid.next_bar("MSFT")
        market(paid, 10)
        market(paid, 4, OrderSide.SELL, "MSFT")
        paid.minutes_on()
        account = paid.client.get_account()
        fills = paid.get("/v2/account/activities/FILL")
        long, short = (Decimal(str(round(one["close"], 2))) for one in (bar, other))
        spent = sum(Decimal(f["price"]) * Decimal(f["qty"]) * (1 if f["side"] == "buy" else -1) for f in fills)
        fees = Decimal(100_000) - spent - Decimal(account.cash)
        assert fees >= Decimal("0.14")
        assert fees == -sum(Decimal(one["net_amount"]) for one in paid.get("/v2/account/activities/FEE"))
        assert Decimal(account.equity) == Decimal(account.cash) + 10 * long - 4 * short
        assert Decimal(account.long_market_value) == 10 * long
        assert Decimal(account.short_market_value) == -4 * short
        assert Decimal(account.buying_power) == 2 * Decimal(account.equity) - 10 * long - 4 * short
        assert Decimal(account.initial_margin) == (10 * long + 4 * short) / 2
        positions = {one.symbol: one for one in paid.client.get_all_positions()}
        assert (positions["AAPL"].qty, positions["MSFT"].qty, positions["MSFT"].side) == ("10", "-4", "short")
        gains = sum(Decimal(one.unrealized_pl) for one in positions.values())
        assert Decimal(account.equity) == Decimal(100_000) + gains - fees


def test_the_last_close_is_remembered(run):
    with run("2023-01-04T20:50:00Z") as late:
        market(late, 10)
        late.until("2023-01-04T20:59:00Z")
        account = late.client.get_account()
        assert account.last_equity == account.equity
        late.until("2023-01-05T14:40:00Z")
        account, position = late.client.get_account(), late.client.get_open_position("AAPL")
        assert Decimal(account.equity) - Decimal(account.last_equity) == Decimal(position.unrealized_intraday_pl)
        assert Decimal(position.lastday_price) == Decimal(
            str(round(late.bars.loc[("AAPL", "2023-01-04T20:59Z")].close, 2))
        )
        assert Decimal(account.last_maintenance_margin) == 3 * Decimal(position.lastday_price)


def test_who_suspends_trading_cannot_send_orders(trader, configured):
    assert configured(suspend_trade=True)["suspend_trade"]
    with pytest.raises(APIError) as refused:
        market(trader, 1)
    assert (refused.value.status_code, refused.value.message) == (403, "new orders are rejected by user request")
    assert trader.client.get_account().trade_suspended_by_user
    configured(suspend_trade=False)
    market(trader, 1)


def test_who_forbids_shorting_sells_only_what_is_held(trader, configured):
    configured(no_shorting="True")
    with pytest.raises(APIError) as refused:
        market(trader, 1, OrderSide.SELL, "MSFT")
    assert (refused.value.status_code, refused.value.message) == (403, "account is not allowed to short")
    assert not trader.client.get_account().shorting_enabled
    market(trader, 1, symbol="MSFT")
    trader.minutes_on()
    market(trader, 1, OrderSide.SELL, "MSFT")
    trader.minutes_on()


def test_who_forbids_parts_of_shares_buys_whole_ones(trader, configured):
    configured(fractional_trading=False)
    with pytest.raises(APIError):
        market(trader, 0.5)
    market(trader, 1)


def test_a_lower_multiplier_leaves_less_buying_power(trader, configured):
    before = Decimal(trader.client.get_account().buying_power)
    configured(max_margin_multiplier="1")
    account = trader.client.get_account()
    assert account.multiplier == "1"
    assert Decimal(account.buying_power) == before - Decimal(account.equity)


@pytest.mark.parametrize(
    "change",
    [
        {"no_shorting": "perhaps"},
        {"max_margin_multiplier": "3"},
        {"trade_confirm_email": "sometimes"},
        {"max_options_trading_level": 9},
        {"suspend_trade": {}},
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(trader, change):
    before = trader.get("/v2/account/configurations")
    status, said = trader.ask("PATCH", "/v2/account/configurations", change)
    assert (status, said["code"]) == (422, 40010001)
    assert trader.get("/v2/account/configurations") == before


def test_what_a_configuration_does_not_name_stays(trader, configured):
    said = configured(trade_confirm_email="none", dtbp_check="both", no_shorting=None)
    assert (said["trade_confirm_email"], said["no_shorting"]) == ("none", False)
