"""What a paper account looks like when its clock was put forward past closes."""

from contextlib import contextmanager

from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import LimitOrderRequest, MarketOrderRequest

SHARES = 100


@contextmanager
def holding(run):
    """A hundred shares from 9:36 on the first day."""
    with run("2023-01-04T14:34:00Z") as trader:
        request = MarketOrderRequest(symbol="AAPL", qty=SHARES, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
        paid = round(trader.next_bar()["open"], 2)
        trader.client.submit_order(request)
        trader.minutes_on()
        yield trader, paid


def close_of(trader, day):
    return trader.bars.loc[("AAPL", f"{day} 20:59:00+00:00")].close


def test_the_account_knows_each_close_that_a_seek_passed(run):
    with holding(run) as (trader, paid):
        assert trader.ask("POST", "/control/seek", {"to": "2023-01-06T10:05"})[0] == 200
        last = close_of(trader, "2023-01-05")
        assert float(trader.client.get_account().last_equity) == round(100_000 + SHARES * (last - paid), 2)
        assert float(trader.client.get_open_position("AAPL").lastday_price) == last
        history = trader.get("/v2/account/portfolio/history?period=1M&timeframe=1D")
        worth = [round(100_000 + SHARES * (close_of(trader, day) - paid), 2) for day in ("2023-01-04", "2023-01-05")]
        assert history["equity"][:2] == worth


def test_a_seek_tells_what_expired_and_a_refused_one_ends_nothing(run):
    with holding(run) as (trader, _), trader.stream() as hear:
        request = LimitOrderRequest(
            symbol="AAPL", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, limit_price=1
        )
        order = trader.client.submit_order(request)
        assert hear()["data"]["event"] == "new"
        status, said = trader.ask("POST", "/control/seek", {"to": "2029-01-04"})
        assert (status, said["message"].partition(".")[0]) == (422, "the reel ends at 2023-01-06 21:00 UTC")
        assert trader.order(order.id).status == "new"
        trader.ask("POST", "/control/seek", {"to": "2023-01-05"})
        assert hear()["data"]["event"] == "expired"
        assert trader.order(order.id).status == "expired"
