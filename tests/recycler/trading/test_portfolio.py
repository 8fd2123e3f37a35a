"""Portfolio history."""

from decimal import Decimal

import pandas as pd
import pytest
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import GetPortfolioHistoryRequest, MarketOrderRequest

PATH = "/v2/account/portfolio/history"
SHARES = 100


@pytest.fixture(scope="module")
def start_at():
    return "2023-01-04T14:59:00+00:00"


@pytest.fixture(scope="module")
def held(trader):
    """A hundred shares from 10:00 of the first day; the clock stands at 10:00 of the third."""
    request = MarketOrderRequest(symbol="AAPL", qty=SHARES, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
    paid = trader.next_bar()["open"]
    trader.client.submit_order(request)
    trader.until("2023-01-06T14:59:00Z")
    return round(paid, 2)


def worth(trader, paid, last_bar):
    return round(100_000 + SHARES * (trader.bars.loc[("AAPL", last_bar)].close - paid), 2)


def times(history):
    return [pd.Timestamp(second, unit="s", tz="America/New_York").isoformat()[:16] for second in history["timestamp"]]


def test_by_days_it_is_the_equity_at_each_close_and_now(trader, held):
    history = trader.get(f"{PATH}?period=1M&timeframe=1D")
    assert times(history) == ["2023-01-04T09:30", "2023-01-05T09:30", "2023-01-06T09:30"]
    closes = [worth(trader, held, last) for last in ("2023-01-04T20:59Z", "2023-01-05T20:59Z", "2023-01-06T14:59Z")]
    assert history["equity"] == closes
    assert Decimal(trader.client.get_account().equity) == Decimal(str(closes[-1]))
    assert (history["base_value"], history["timeframe"], history["base_value_asof"]) == (100_000, "1D", "2023-01-04")
    assert history["profit_loss"] == [round(close - 100_000, 2) for close in closes]
    assert history["profit_loss_pct"] == [round(close / 100_000 - 1, 6) for close in closes]


def test_within_a_day_each_window_ends_with_what_the_account_was_worth_then(trader, held):
    history = trader.client.get_portfolio_history(GetPortfolioHistoryRequest(period="1D", timeframe="15Min"))
    told = history.model_dump()
    assert times(told) == ["2023-01-06T09:30", "2023-01-06T09:45", "2023-01-06T10:00"]
    assert history.equity[:2] == [worth(trader, held, last) for last in ("2023-01-06T14:44Z", "2023-01-06T14:59Z")]
    assert history.base_value == worth(trader, held, "2023-01-05T20:59Z")


def test_profit_starts_anew_each_day_where_that_is_asked_for(trader, held):
    history = trader.get(f"{PATH}?period=3D&timeframe=1H&pnl_reset=per_day")
    overnight = history["equity"][times(history).index("2023-01-05T09:30")]
    before = worth(trader, held, "2023-01-04T20:59Z")
    at = times(history).index("2023-01-05T09:30")
    assert history["profit_loss"][at] == round(overnight - before, 2)


def test_hours_outside_the_session_are_shown_where_asked_for(trader, held):
    span = "start=2023-01-05T00:00:00-05:00&end=2023-01-05T23:59:00-05:00&timeframe=1H"
    assert times(trader.get(f"{PATH}?{span}"))[0] == "2023-01-05T09:30"
    assert times(trader.get(f"{PATH}?{span}&extended_hours=True"))[0] == "2023-01-05T04:00"
    continuous = times(trader.get(f"{PATH}?{span}&intraday_reporting=continuous"))
    assert (continuous[0], len(continuous)) == ("2023-01-05T00:00", 24)


def test_without_parameters_it_is_the_last_month(trader, held):
    history = trader.client.get_portfolio_history()
    assert history.timeframe == "1Min"  # the account is three days old
    assert history.equity[-1] == float(trader.client.get_account().equity)


@pytest.mark.parametrize(
    "query",
    [
        "period=soon",
        "period=0D",
        "period=99999A",
        "timeframe=1Sec",
        "intraday_reporting=never",
        "pnl_reset=hourly",
        "date_end=9999-12-31",
        "date_end=x",
        "start=x",
        "extended_hours=perhaps",
        "start=2023-01-01&end=2023-01-02&period=1D",
    ],
)
def test_what_means_nothing_is_refused(trader, query):
    status, said = trader.ask("GET", f"{PATH}?{query}")
    assert (status, said["code"]) == (422, 42210000)


@pytest.mark.parametrize(
    "query",
    [
        "start=2023-01-04&period=9999A",
        "start=9999-12-31&period=1D",
        "start=1800-01-01",
        "end=1800-01-01",
        "period=9999A",
        "start=9000-01-01",
        "date_end=1990-01-01",
    ],
)
def test_times_before_the_account_and_after_now_are_left_out(trader, query):
    assert trader.ask("GET", f"{PATH}?{query}")[0] == 200
