"""Orders of every type to their documented end."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from tandem.market import OrderEvent
from tandem.matching import Changed, Rejected


def refusal(call, *args, **kwargs):
    with pytest.raises(Rejected) as refused:
        call(*args, **kwargs)
    return refused.value.status, refused.value.code, str(refused.value)


def long_of(exchange, qty="10", **settings):
    market = exchange(**settings)
    market.submit("held", qty=qty)
    market.bar(100.0)
    return market


def short_of(exchange, qty="10", **settings):
    market = exchange(**settings)
    market.submit("held", "sell", qty)
    market.bar(100.0)
    return market


# market orders


def test_an_order_fills_at_the_open_of_the_first_bar_that_starts_at_or_after_it(exchange):
    market = exchange()
    market.at(1)
    assert market.submit("a") == ["a new"]
    market.at(0)
    assert market.bar(90.0) == []
    assert market.bar(80.0, symbol="MSFT") == []
    market.at(1)
    assert market.bar(101.5, 103, 100, 102) == ["a fill 10 at 101.5"]
    assert [update.event for update in market.engine.find("a")] == [OrderEvent.NEW, OrderEvent.FILL]


def test_a_bar_without_volume_fills_nothing(exchange):
    market = exchange()
    market.submit("a")
    assert market.bar(100.0, volume=0) == []
    assert market.bar(101.0) == ["a fill 10 at 101"]


@pytest.mark.parametrize(("side", "paid"), [("buy", "100.11"), ("sell", "99.89")])
def test_a_fill_pays_half_the_spread_and_the_impact_of_its_share_of_volume(exchange, side, paid):
    market = exchange(spread_bps=2.0, impact=0.1)
    market.submit("a", side, "100")
    assert market.bar(100.0, volume=10_000) == [f"a fill 100 at {paid}"]


def test_orders_of_one_bar_share_a_part_of_its_volume_and_what_is_left_waits(exchange):
    market = exchange(max_volume_share=0.1)
    market.submit("a", qty="8")
    market.submit("b", qty="8")
    assert market.bar(100.0, volume=105) == ["a fill 8 at 100", "b partial_fill 2 at 100"]
    assert market.ticket("b").status == "partially_filled"
    assert market.bar(101.0, volume=55) == ["b partial_fill 5 at 101"]
    assert market.bar(102.0, volume=55) == ["b fill 1 at 102"]
    assert market.ticket("b").average_price == Decimal("100.875")


def test_commission_and_the_sellers_fees_are_taken_from_cash_and_counted_as_a_loss(exchange):
    fees = {"commission_per_share": "0.01", "sec_fee_per_dollar": "0.0000278", "taf_fee_per_share": "0.000166"}
    market = exchange(**fees)
    market.submit("a", qty="100")
    market.bar(100.0)
    assert (market.engine.account().cash, market.engine.ledger.realised) == (Decimal(100_000 - 10_000 - 1), -1)
    market.submit("b", "sell", "100")
    market.bar(100.0)
    assert market.engine.ledger.fees == Decimal("1") + 1 + Decimal("0.28") + Decimal("0.02")
    assert [execution.fees for execution in market.engine.executions()] == [1, Decimal("1.30")]


def test_shares_held_short_cost_a_360th_of_the_rate_for_each_night(exchange):
    market = short_of(exchange, borrow_rate="0.036")
    day = market.day.day
    market.engine.on_day(day)
    assert market.engine.ledger.fees == 0
    market.engine.on_day(day + timedelta(days=3))
    assert market.engine.ledger.fees == Decimal("0.30")
    assert market.engine.account().cash == Decimal("100999.70")


# time in force


def test_a_day_order_expires_at_the_close_and_one_sent_after_it_waits_for_the_next_open(exchange):
    market = exchange()
    market.at(389)
    market.submit("early")
    assert market.close() == ["early expired"]
    assert market.submit("late") == ["late accepted"]
    assert market.open() == ["late new"]
    assert market.ticket("late").expires_at == market.day.close
    assert market.bar(100.0) == ["late fill 10 at 100"]


def test_a_gtc_order_outlives_the_day_and_is_canceled_after_ninety(exchange):
    market = exchange()
    market.submit("a", type="limit", limit_price="50", tif="gtc")
    assert market.close() == []
    market.open(days=89)
    assert market.close() == []
    market.open()
    assert market.close() == ["a canceled"]


def test_an_opg_order_fills_at_the_open_or_is_canceled(exchange):
    market = exchange()
    market.close()
    market.now += timedelta(hours=4)
    assert market.submit("a", tif="opg") == ["a accepted"]
    market.submit("b", type="limit", limit_price="99", tif="opg")
    assert market.open() == ["a new", "b new"]
    assert market.bar(100.0, 101, 98, 99) == ["a fill 10 at 100", "b canceled"]


def test_a_cls_order_fills_at_the_close_of_the_last_bar_or_is_canceled(exchange):
    market = exchange()
    market.submit("a", tif="cls")
    market.submit("b", type="limit", limit_price="99", tif="cls")
    assert market.bar(95.0) == []
    market.at(389)
    assert market.bar(98.0, 102, 97, 101) == []
    assert market.close() == ["a fill 10 at 101", "b canceled"]


@pytest.mark.parametrize(("tif", "minute"), [("opg", 5), ("cls", 380)])
def test_orders_for_the_auctions_are_taken_at_their_hours_only(exchange, tif, minute):
    market = exchange()
    market.at(minute)
    hours = {"opg": "9:28am", "cls": "3:50pm"}[tif]
    text = f"{tif} orders must be submitted after 7:00pm and before {hours}"
    assert refusal(market.submit, "a", tif=tif) == (403, 40310000, text)
    market.close()
    market.now += timedelta(hours=2)
    assert refusal(market.submit, "a", tif=tif) == (403, 40310000, text)
    market.now += timedelta(hours=1)
    assert market.submit("a", tif=tif) == ["a accepted"]


def test_an_ioc_order_takes_what_the_next_bar_gives_and_a_fok_order_all_or_nothing(exchange):
    market = exchange(max_volume_share=0.1)
    market.submit("a", tif="ioc")
    assert market.bar(100.0, volume=60) == ["a partial_fill 6 at 100", "a canceled"]
    market.submit("b", tif="fok")
    assert market.bar(100.0, volume=60) == ["b canceled"]
    market.submit("c", tif="fok")
    assert market.bar(100.0, volume=100) == ["c fill 10 at 100"]
    market.submit("d", type="limit", limit_price="99", tif="ioc")
    assert market.bar(100.0, 101, 98, 99) == ["d canceled"]


# limit, stop, stop_limit, trailing_stop


@pytest.mark.parametrize(
    ("side", "limit", "bar"), [("buy", "98", (100, 101, 97, 99)), ("sell", "102", (100, 103, 99, 101))]
)
def test_a_limit_order_fills_at_its_limit_inside_the_bar_without_crossing_the_spread(exchange, side, limit, bar):
    market = exchange(spread_bps=50)
    market.submit("a", side, type="limit", limit_price=limit)
    assert market.bar(100.0) == []
    assert market.bar(*bar) == [f"a fill 10 at {limit}"]


def test_a_resting_limit_that_is_gapped_through_fills_at_the_open(exchange):
    market = exchange(spread_bps=50)
    market.submit("a", type="limit", limit_price="98")
    market.bar(100.0)
    assert market.bar(95.0, 96, 94, 95) == ["a fill 10 at 95"]


def test_a_limit_that_the_first_bar_can_fill_at_once_crosses_the_spread_and_never_pays_more_than_its_limit(exchange):
    market = exchange(spread_bps=20)
    market.submit("a", type="limit", limit_price="101")
    market.submit("b", type="limit", limit_price="100.05")
    assert market.bar(100.0, 102, 99, 100) == ["a fill 10 at 100.1", "b fill 10 at 100.05"]


@pytest.mark.parametrize(
    ("side", "stop", "bar", "paid"),
    [
        ("sell", "98", (100, 101, 97, 99), "97.902"),
        ("sell", "98", (96, 97, 95, 96), "95.904"),
        ("sell", "98", (96, 97, 96, 96), "96"),
        ("buy", "102", (100, 103, 99, 101), "102.102"),
        ("buy", "102", (104, 105, 103, 104), "104.104"),
        ("buy", "102", (100, 102, 99, 101), "102"),
    ],
)
def test_a_stop_fills_where_it_is_reached_or_at_the_open_that_gaps_it_never_outside_the_bar(
    exchange, side, stop, bar, paid
):
    market = exchange(spread_bps=20)
    market.submit("a", side, type="stop", stop_price=stop)
    assert market.bar(100.0) == []
    assert market.bar(*bar) == [f"a fill 10 at {paid}"]


def test_the_rest_of_a_stop_that_was_reached_is_a_market_order(exchange):
    market = exchange(max_volume_share=0.1)
    market.submit("a", "sell", type="stop", stop_price="98")
    assert market.bar(99.0, 99, 97, 99, volume=40) == ["a partial_fill 4 at 98"]
    assert market.bar(105.0) == ["a fill 6 at 105"]


def test_a_stop_limit_becomes_a_limit_order_when_its_stop_is_reached(exchange):
    market = exchange()
    market.submit("a", "sell", type="stop_limit", stop_price="98", limit_price="97")
    assert market.bar(100.0, 101, 98.5, 99) == []
    assert market.bar(96.0, 96.5, 95, 96) == []
    assert market.ticket("a").triggered
    assert market.bar(96.0, 97.5, 95, 97) == ["a fill 10 at 97"]


def test_a_stop_limit_whose_limit_is_better_than_its_stop_waits_for_the_bar_after(exchange):
    market = exchange()
    market.submit("a", type="stop_limit", stop_price="102", limit_price="101")
    assert market.bar(100.0, 103, 99, 102) == []
    assert market.bar(102.0, 103, 100.5, 102) == ["a fill 10 at 101"]


def test_a_trailing_stop_is_judged_by_the_mark_known_before_the_bar_and_follows_it_afterwards(exchange):
    market = long_of(exchange)
    market.submit("a", "sell", type="trailing_stop", trail_price="2", tif="gtc")
    assert (market.ticket("a").hwm, market.ticket("a").stop) == (100, 98)
    assert market.bar(101.0, 104, 98.5, 103) == []
    assert (market.ticket("a").hwm, market.ticket("a").stop) == (104, 102)
    assert market.bar(103.0, 105, 101, 104) == ["a fill 10 at 102"]


def test_a_buying_trailing_stop_follows_downwards_by_percent(exchange):
    market = short_of(exchange)
    market.submit("a", "buy", type="trailing_stop", trail_percent="1")
    market.bar(99.0, 99.5, 95, 96)
    assert (market.ticket("a").hwm, market.ticket("a").stop) == (95, Decimal("95.95"))
    assert market.bar(95.0, 97, 94, 96) == ["a fill 10 at 95.95"]


def test_orders_at_the_open_come_before_those_inside_the_bar_and_stops_before_limits(exchange):
    market = long_of(exchange, qty="30")
    market.submit("a", "sell", type="limit", limit_price="102")
    market.submit("b", "sell", type="stop", stop_price="98")
    market.submit("c", "sell")
    assert market.bar(100.0, 103, 97, 100) == ["c fill 10 at 100", "b fill 10 at 98", "a fill 10 at 102"]


def test_outside_the_session_only_orders_for_extended_hours_fill(exchange):
    market = exchange()
    market.close()
    market.now += timedelta(minutes=5)
    assert market.submit("a", type="limit", limit_price="101", extended_hours=True) == ["a new"]
    assert market.submit("b", type="limit", limit_price="101") == ["b accepted"]
    assert market.bar(100.0) == ["a fill 10 at 100"]
    market.submit("c", type="limit", limit_price="90", extended_hours=True)
    market.now += timedelta(hours=4)
    assert market.bar(89.0) == ["c expired"]


def test_a_halted_symbol_trades_nothing_until_it_is_resumed(exchange):
    market = exchange()
    market.submit("a")
    market.engine.halt("AAPL")
    assert market.bar(100.0) == []
    market.engine.resume("AAPL")
    assert market.bar(101.0) == ["a fill 10 at 101"]


# bracket, oco, oto


BRACKET = {"order_class": "bracket", "take_profit": "105", "stop_loss": "95"}


def test_the_legs_of_a_bracket_are_held_until_the_entry_fills_and_one_ends_the_other(exchange):
    market = exchange()
    assert market.submit("a", **BRACKET) == ["a new", "take_profit held", "stop_loss held"]
    assert market.engine.account().buying_power == 199_000
    assert market.bar(100.0, 106, 94, 100) == ["a fill 10 at 100", "take_profit new", "stop_loss new"]
    assert market.engine.available("AAPL") == 0
    assert market.bar(100.0, 106, 99, 100) == ["take_profit fill 10 at 105", "stop_loss canceled"]
    assert market.engine.positions() == {}
    assert market.engine.account().cash == 100_050


def test_when_both_legs_are_inside_one_bar_the_loss_comes_first(exchange):
    market = exchange()
    market.submit("a", **BRACKET)
    market.bar(100.0)
    assert market.bar(100.0, 106, 94, 100) == ["stop_loss fill 10 at 95", "take_profit canceled"]


def test_a_take_profit_that_fills_in_part_shrinks_the_stop_loss(exchange):
    market = exchange(max_volume_share=0.1)
    market.submit("a", **BRACKET)
    market.bar(100.0)
    assert market.bar(100.0, 106, 99, 100, volume=40) == ["take_profit partial_fill 4 at 105"]
    assert market.ticket(market.leg("a", 1)).qty == 6
    assert market.engine.available("AAPL") == 0
    assert market.bar(95.0, 96, 94, 95) == ["stop_loss fill 6 at 95", "take_profit canceled"]


def test_a_bracket_whose_entry_ends_takes_its_legs_with_it(exchange):
    market = exchange()
    market.submit("a", type="limit", limit_price="99", **BRACKET)
    assert market.cancel("a") == ["a canceled", "take_profit canceled", "stop_loss canceled"]
    market.submit("b", type="limit", limit_price="99", **BRACKET)
    assert market.close() == ["b expired", "take_profit expired", "stop_loss expired"]


def test_canceling_one_leg_cancels_the_other(exchange):
    market = exchange()
    market.submit("a", **BRACKET)
    market.bar(100.0)
    assert market.cancel(market.leg("a", 1)) == ["stop_loss canceled", "take_profit canceled"]
    assert market.engine.available("AAPL") == 10


def test_a_short_bracket_stands_the_other_way_round(exchange):
    market = exchange()
    legs = {"order_class": "bracket", "take_profit": "95", "stop_loss": "105", "stop_loss_limit": "106"}
    market.submit("a", "sell", **legs)
    market.bar(100.0)
    assert market.bar(105.5, 105.8, 105.2, 105.5) == ["stop_loss fill 10 at 105.5", "take_profit canceled"]


def test_an_oco_order_is_its_own_take_profit(exchange):
    market = long_of(exchange)
    terms = {"type": "limit", "order_class": "oco", "take_profit": "105", "stop_loss": "95"}
    assert market.submit("a", "sell", **terms) == ["a new", "stop_loss new"]
    assert market.engine.available("AAPL") == 0
    assert market.bar(100.0, 101, 94, 95) == ["stop_loss fill 10 at 95", "a canceled"]
    assert refusal(market.submit, "b", "sell", **terms) == (422, 42210000, "oco orders must be exit orders")


def test_an_oto_order_has_one_leg(exchange):
    market = exchange()
    assert market.submit("a", order_class="oto", stop_loss="95") == ["a new", "stop_loss held"]
    assert market.bar(100.0) == ["a fill 10 at 100", "stop_loss new"]
    assert market.bar(94.0, 96, 93, 94) == ["stop_loss fill 10 at 94"]


def test_shares_of_an_entry_that_fills_in_part_wait_for_its_legs(exchange):
    market = exchange(max_volume_share=0.1)
    market.submit("a", **BRACKET)
    assert market.bar(100.0, volume=40) == ["a partial_fill 4 at 100"]
    assert market.engine.available("AAPL") == 0
    assert market.bar(100.0) == ["a fill 6 at 100", "take_profit new", "stop_loss new"]


# notional and fractional


def test_a_notional_order_buys_as_much_as_its_dollars_pay_for(exchange):
    market = exchange(spread_bps=20)
    market.submit("a", qty=None, notional="1000")
    assert market.engine.account().buying_power == 199_000
    assert market.bar(300.0) == ["a fill 3.33000333 at 300.3"]
    assert market.engine.account().cash > 99_000
    assert market.ticket("a").qty is None


def test_a_notional_sale_never_sells_more_than_is_held(exchange):
    market = long_of(exchange, qty="0.5")
    market.submit("a", "sell", qty=None, notional="50")
    assert market.bar(80.0) == ["a fill 0.5 at 80"]


def test_a_fraction_of_a_long_position_may_be_sold(exchange):
    market = long_of(exchange)
    market.submit("a", "sell", "0.25")
    market.bar(100.0)
    assert market.engine.positions()["AAPL"].qty == Decimal("9.75")


# cancel and replace


def test_a_canceled_order_never_fills(exchange):
    market = exchange()
    market.submit("a")
    assert market.cancel("a") == ["a canceled"]
    assert market.bar(100.0) == []
    assert refusal(market.cancel, "a") == (422, 42210000, 'order is already in "canceled" state')
    assert refusal(market.cancel, "b") == (404, 40410000, "order not found for b")


def test_a_replacement_is_a_new_order_and_the_old_one_is_replaced(exchange):
    market = exchange()
    market.submit("a", type="limit", limit_price="90")
    assert market.replace("a", limit_price="99", qty="20", client_order_id="b") == ["a replaced", "b new"]
    old, new = market.ticket("a"), market.ticket("b")
    assert (old.status, old.replaced_by, new.replaces, new.qty) == ("replaced", "b", "a", 20)
    assert old.id != new.id
    assert market.engine.account().buying_power == 200_000 - 20 * 99
    assert market.bar(98.0) == ["b fill 20 at 98"]


def test_what_has_filled_counts_for_the_replacement(exchange):
    market = exchange(max_volume_share=0.1)
    market.submit("a", type="limit", limit_price="100")
    market.bar(100.0, volume=40)
    text = "unable to replace order, qty must be > filled_qty"
    assert refusal(market.replace, "a", qty="4") == (422, 42210000, text)
    market.replace("a", qty="6", client_order_id="b")
    assert market.bar(100.0) == ["b fill 2 at 100"]
    assert market.ticket("b").filled == 6
    assert market.engine.positions()["AAPL"].qty == 6


def test_what_cannot_be_replaced_says_why(exchange):
    market = exchange()
    market.submit("filled")
    market.bar(100.0)
    closed = (422, 42210000, "unable to replace order, order is not open")
    assert refusal(market.replace, "filled", qty="5") == closed
    market.submit("notional", qty=None, notional="10")
    assert refusal(market.replace, "notional", qty="5") == (422, 42210000, "notional orders cannot be replaced")
    market.submit("market")
    priced = (422, 40010001, "market orders require no stop or limit price")
    assert refusal(market.replace, "market", limit_price="5") == priced
    market.submit("dear", type="limit", limit_price="10")
    assert refusal(market.replace, "dear", qty="100000")[2] == "insufficient buying power"
    market.close()
    market.submit("queued")
    sent = (422, 40010001, "unable to replace order, order isn't sent to exchange yet")
    assert refusal(market.replace, "queued", qty="5") == sent


def test_a_leg_is_replaced_within_its_family(exchange):
    market = exchange()
    market.submit("a", **BRACKET)
    market.bar(100.0)
    loss = market.leg("a", 1)
    text = "take_profit.limit_price must be > stop_loss.stop_price"
    assert refusal(market.replace, loss, stop_price="106") == (422, 42210000, text)
    assert market.replace(loss, stop_price="97", client_order_id="b") == ["stop_loss replaced", "b new"]
    assert market.leg("a", 1) == "b"
    assert market.bar(98.0, 98, 96, 97) == ["b fill 10 at 97", "take_profit canceled"]


# refusals


@pytest.mark.parametrize(
    ("held", "terms", "status", "code", "text"),
    [
        ("0", {"qty": "0"}, 422, 40010001, "qty must be > 0"),
        ("0", {"qty": "-1"}, 422, 40010001, "qty must be > 0"),
        ("0", {"qty": "NaN"}, 422, 40010001, "qty must be > 0"),
        ("0", {"qty": None}, 422, 40010001, "qty or notional is required"),
        ("0", {"notional": "10"}, 422, 40010001, "only one of qty or notional is accepted"),
        ("0", {"qty": None, "notional": "0.99"}, 422, 40010001, "notional must be >= 1.00"),
        ("0", {"qty": "0.1234567891"}, 422, 40010001, "qty must be limited to 9 decimal places"),
        ("0", {"qty": "1E+30"}, 422, 40010001, "qty must be <= 1000000000000"),
        ("0", {"qty": "2001"}, 403, 40310000, "insufficient buying power"),
        ("0", {"side": "sell", "qty": "1942"}, 403, 40310000, "insufficient buying power"),
        ("0", {"side": "sell", "qty": "0.5"}, 422, 42210000, "fractional orders cannot be sold short"),
        ("-10", {"side": "sell", "qty": "0.5"}, 422, 42210000, "fractional orders cannot be sold short"),
        ("-10", {"qty": "0.5"}, 422, 42210000, "fractional orders cannot be sold short"),
        ("10", {"side": "sell", "qty": "11"}, 403, 40310000,
         "insufficient qty available for order (requested: 11, available: 10)"),
        ("-10", {"qty": "11"}, 403, 40310000, "insufficient qty available for order (requested: 11, available: 10)"),
        ("0", {"type": "limit"}, 422, 40010001, "limit orders require a limit price"),
        ("0", {"limit_price": "1"}, 422, 40010001, "market orders require no stop or limit price"),
        ("0", {"type": "stop"}, 422, 40010001, "stop orders require a stop price"),
        ("0", {"type": "stop_limit", "stop_price": "1"}, 422, 40010001,
         "stop limit orders require both stop and limit price"),
        ("0", {"type": "trailing_stop"}, 422, 40010001,
         "trailing stop orders must specify one of trail_price or trail_percent"),
        ("0", {"type": "trailing_stop", "trail_percent": "0.05"}, 422, 40010001,
         "trail_percent must be >= 0.1 and < 100"),
        ("0", {"type": "limit", "limit_price": "290.123"}, 422, 42210000,
         "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria"),
        ("0", {"type": "limit", "limit_price": "0.12345"}, 422, 42210000,
         "invalid limit_price 0.12345. sub-penny increment does not fulfill minimum pricing criteria"),
        ("0", {"qty": "0.5", "tif": "gtc"}, 422, 42210000, "fractional orders must be DAY orders"),
        ("0", {"extended_hours": True}, 422, 42210000, "extended hours order must be DAY or GTC limit orders"),
        ("0", {"order_class": "bracket", "take_profit": "105"}, 422, 40010001,
         "bracket orders require stop_loss.stop_price"),
        ("0", {"order_class": "bracket", "stop_loss": "95"}, 422, 40010001,
         "bracket orders require take_profit.limit_price"),
        ("0", {"order_class": "bracket", "take_profit": "95", "stop_loss": "105"}, 422, 42210000,
         "take_profit.limit_price must be > stop_loss.stop_price"),
        ("0", {"order_class": "bracket", "take_profit": "105", "stop_loss": "100"}, 422, 42210000,
         "stop_loss.stop_price must be <= base_price - 0.01"),
        ("0", {"order_class": "bracket", "take_profit": "100", "stop_loss": "95"}, 422, 42210000,
         "take_profit.limit_price must be >= base_price + 0.01"),
        ("0", {"side": "sell", "order_class": "bracket", "take_profit": "95", "stop_loss": "100"}, 422, 42210000,
         "stop_loss.stop_price must be >= base_price + 0.01"),
        ("10", {"side": "sell", "order_class": "bracket", "take_profit": "95", "stop_loss": "105"}, 422, 42210000,
         "bracket orders must be entry orders"),
        ("0", {"order_class": "oto"}, 422, 40010001, "oto orders require exactly one of take_profit or stop_loss"),
        ("0", {"order_class": "oco", "take_profit": "95", "stop_loss": "105"}, 422, 40010001,
         "oco orders must be limit orders"),
    ],
)  # fmt: skip
def test_an_order_against_the_rules_is_refused_in_alpacas_words(exchange, held, terms, status, code, text):
    market = exchange()
    if Decimal(held):
        market.submit("held", "buy" if Decimal(held) > 0 else "sell", str(abs(Decimal(held))))
        market.bar(100.0)
    assert refusal(market.submit, "a", **terms) == (status, code, text)
    assert market.engine.find("a") is None


def test_ids_are_unique_short_and_printable(exchange):
    market = exchange()
    market.submit("a")
    assert refusal(market.submit, "a") == (422, 40010001, "client_order_id must be unique")
    long = (422, 40010001, "client_order_id must be no more than 128 characters")
    assert refusal(market.submit, "x" * 129) == long
    assert refusal(market.submit, "a\0")[2] == "client_order_id must be printable"


def test_shares_in_an_open_sell_are_not_available_twice(exchange):
    market = long_of(exchange)
    market.submit("a", "sell", "8")
    with pytest.raises(Rejected, match=r"requested: 3, available: 2") as refused:
        market.submit("b", "sell", "3")
    details = {"available": "2", "existing_qty": "10", "held_for_orders": "8", "symbol": "AAPL"}
    assert refused.value.details == details


MARKET, STOP = {}, {"type": "stop", "stop_price": "100"}


def limit(price):
    return {"type": "limit", "limit_price": price}


@pytest.mark.parametrize(
    ("resting", "arriving", "kind"),
    [
        (MARKET, limit("120"), "market/stop"),
        (limit("90"), MARKET, "limit"),
        (limit("90"), STOP, "limit"),
        (STOP, limit("120"), "market/stop"),
        (limit("100"), limit("100"), "limit"),
        (limit("100"), limit("100.01"), None),
        (limit("100"), {"type": "trailing_stop", "trail_price": "1"}, None),
    ],
)
def test_wash_trades_are_refused_by_what_both_orders_may_pay(exchange, resting, arriving, kind):
    market = long_of(exchange)
    market.submit("a", **resting)
    if kind is None:
        assert market.submit("b", "sell", "5", **arriving) == ["b new"]
        return
    with pytest.raises(Rejected, match=r"potential wash trade detected\. use complex orders") as refused:
        market.submit("b", "sell", "5", **arriving)
    existing = str(market.engine.order_id("a"))
    reason = f"opposite side {kind} order exists"
    assert refused.value.details == {"existing_order_id": existing, "reject_reason": reason}


def test_a_flat_account_opens_in_one_direction_at_a_time(exchange):
    market = exchange()
    market.submit("a", **limit("90"))
    text = "cannot open a short sell while a long buy order is open"
    assert refusal(market.submit, "b", "sell", **limit("110")) == (403, 40310000, text)
    market.cancel("a")
    market.submit("b", "sell", **limit("110"))
    text = "cannot open a long buy while a short sell order is open"
    assert refusal(market.submit, "c", **limit("90")) == (403, 40310000, text)


def test_an_account_below_two_thousand_dollars_may_not_short(exchange):
    market = exchange("1999.99")
    assert not market.engine.account().shorting_enabled
    assert refusal(market.submit, "a", "sell", "1") == (403, 40310000, "account is not allowed to short")


def test_open_orders_bind_buying_power_until_they_end(exchange):
    market = long_of(exchange, qty="100")
    assert market.engine.account().buying_power == 190_000
    market.submit("a", qty="50", **limit("90"))
    assert market.engine.account().buying_power == 185_500
    market.submit("b", "sell", "50", type="stop", stop_price="80", symbol="MSFT")
    assert market.engine.account().buying_power == 180_350
    market.submit("c", "sell", "100", type="trailing_stop", trail_price="5")
    assert market.engine.account().buying_power == 180_350
    market.cancel("a")
    market.cancel("b")
    assert market.engine.account().buying_power == 190_000


def test_equity_is_marked_at_the_last_close(exchange):
    market = short_of(exchange, qty="100")
    market.bar(100.0, 100, 97, 97.5)
    account = market.engine.account()
    assert (account.cash, account.equity) == (Decimal(110_000), Decimal(100_250))
    assert market.engine.positions()["AAPL"].average_price == 100


# as Alpaca's paper account; memory


def test_alpacas_paper_account_fills_any_quantity_at_the_quote_and_one_order_in_ten_in_parts(exchange):
    market = exchange("100000000", fills="alpaca", impact=0.5, spread_bps=20, max_volume_share=0.01)
    orders = [f"{n}" for n in range(200)]
    for id in orders:
        market.submit(id, qty="100")
    told = market.bar(100.0, volume=10)
    assert all(line.endswith("at 100.1") for line in told)
    assert 8 < sum("partial" in line for line in told) < 40
    again = exchange("100000000", fills="alpaca", spread_bps=20, seed=7)
    other = exchange("100000000", fills="alpaca", spread_bps=20, seed=8)
    for id in orders:
        again.submit(id, qty="100")
        other.submit(id, qty="100")
    assert again.bar(100.0) == told != other.bar(100.0)
    for _ in range(20):
        market.bar(100.0)
    assert {market.ticket(id).status.value for id in orders} == {"filled"}


def test_what_an_engine_remembers_survives_json_and_is_given_once(exchange):
    market = long_of(exchange)
    market.submit("a", "sell", **{**BRACKET, "order_class": "oco", "type": "limit"})
    market.submit("b", qty=None, notional="1.5", symbol="MSFT")
    assert market.engine.has_changes
    changed = market.engine.changes()
    assert msgspec.json.decode(msgspec.json.encode(changed), type=Changed) == changed
    assert not market.engine.has_changes
    assert market.engine.changes().tickets == ()
    market.bar(100.0, 106, 99, 100)
    assert [ticket.client_order_id.rpartition(".")[2] for ticket in market.engine.changes().tickets] == [
        "a",
        "stop_loss",
    ]


def test_tickets_are_found_by_either_id(exchange):
    market = exchange()
    market.submit("a")
    assert market.engine.ticket_by_id(market.engine.order_id("a")) == market.ticket("a")
    assert market.engine.ticket_by_id(market.engine.order_id("b")) is None
    assert [ticket.client_order_id for ticket in market.engine.open_tickets()] == ["a"]
