"""What a trade's P&L is made of, beside the cash that really flowed."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.book import Held, Parts, Quote, attribute, shared
from tandem.market import Fill, Pair, Side, cents

PAIR = Pair("AAA", "BBB")
NOON = datetime(2026, 4, 14, 16, 0, tzinfo=UTC)
ZERO = Decimal(0)


def quote(minute, a, b):
    return Quote(NOON + timedelta(minutes=minute), Decimal(a), Decimal(b))


def fill(minute, symbol, side, qty, reference, cost="0", fees="0", second=0):
    reference = Decimal(reference)
    at = NOON + timedelta(minutes=minute, seconds=second)
    paid = reference + side.sign * Decimal(cost)
    return Fill(f"{minute}.{symbol}", "order", symbol, side, Decimal(qty), paid, at, reference, Decimal(fees))


def bought(qty_a, qty_b, minute=1, a="100", b="50"):
    return [fill(minute, "AAA", Side.BUY, qty_a, a), fill(minute, "BBB", Side.SELL, qty_b, b, second=7)]


def held(hedge="1"):
    return Held(PAIR, Decimal(hedge))


def test_a_perfect_hedge_earns_the_move_of_the_spread_and_nothing_else():
    found = attribute(held(), [quote(0, "100", "50"), *bought("10", "20"), quote(5, "103", "51")])
    assert found.parts == Parts(spread_move=Decimal(10), hedge_drift=ZERO)


def test_what_rounding_to_whole_shares_leaves_unhedged_is_drift():
    found = attribute(held(), [quote(0, "100", "50"), *bought("10", "19"), quote(5, "100", "52")])
    assert found.parts == Parts(spread_move=Decimal(-40), hedge_drift=Decimal(2))


def test_the_hedge_is_for_the_prices_as_they_are_so_that_a_fixed_count_of_shares_drifts():
    found = attribute(
        held(), [quote(0, "100", "50"), *bought("10", "20"), quote(5, "110", "50"), quote(10, "110", "51")]
    )
    assert found.parts == Parts(spread_move=Decimal(100 - 22), hedge_drift=Decimal(2))


def test_a_leg_that_stands_alone_is_drift_and_the_other_leg_in_the_same_minute_is_not():
    alone = [quote(0, "100", "50"), fill(1, "AAA", Side.BUY, "10", "100"), quote(5, "100", "53")]
    assert attribute(held(), alone).parts == Parts(spread_move=Decimal(-60), hedge_drift=Decimal(60))
    together = [quote(0, "100", "50"), *bought("10", "20", a="101", b="52")]
    assert attribute(held(), together).parts == Parts()


def test_what_was_paid_beyond_the_open_is_slippage_and_what_was_charged_beside_it_fees():
    costly = [fill(1, "AAA", Side.BUY, "10", "100", "0.05", "1"), fill(1, "BBB", Side.SELL, "20", "50", "0.02", "2")]
    found = attribute(held(), [quote(0, "100", "50"), *costly]).charged(Decimal("0.30")).parts
    assert found == Parts(slippage=Decimal("0.90"), fees=Decimal(3), borrow=Decimal("0.30"))
    assert (found.gross, found.costs, found.net) == (ZERO, Decimal("3.90"), Decimal("-4.20"))


@pytest.mark.parametrize(
    ("exact", "shown"),
    [
        # A day of the shipped month: each alone is 274.72, 17.81 and 256.90, which do not add up.
        (Parts("275.859293", "-1.142107", "17.812737"), Parts("275.86", "-1.14", "17.82")),
        (Parts("1.0049", borrow="0.0151"), Parts("1.00", borrow="0.01")),
        (Parts("1.0049", fees="0.0151"), Parts("1.00", fees="0.01")),
    ],
)
def test_gross_and_net_are_the_nearest_cents_and_what_was_paid_lies_between(exact, shown):
    exact, shown = (Parts(*(Decimal(getattr(each, f.name)) for f in fields(Parts))) for each in (exact, shown))
    assert exact.in_cents == shown
    assert (shown.gross, shown.net) == (cents(exact.gross), cents(exact.net))


money = st.decimals("1", "900", places=4)
shares = st.decimals("0.001", "500", places=9)
minutes = st.integers(0, 30)
fills = st.builds(
    fill, minutes, st.sampled_from(PAIR.symbols), st.sampled_from(Side), shares, money,
    st.decimals("-0.9", "0.9", places=4), st.decimals("0", "3", places=2), st.integers(0, 59),
)  # fmt: skip
quotes = st.builds(quote, minutes, money, money)


@settings(max_examples=300, deadline=None)
@given(st.decimals("0.1", "10", places=17), st.lists(fills, min_size=1), st.lists(quotes), quotes, st.integers(0, 31))
def test_the_parts_sum_to_the_cash_that_flowed_and_the_shares_that_are_held(hedge, filled, seen, last, cut):
    last = Quote(NOON + timedelta(hours=1), last.price_a, last.price_b)
    start = Held(PAIR, hedge, price_a=Decimal(100), price_b=Decimal(100))
    events = [*filled, *seen, last]
    found = attribute(start, events)
    flowed = -sum((each.side.sign * each.qty * each.price + each.fees for each in filled), ZERO)
    value = found.qty_a * last.price_a + found.qty_b * last.price_b
    assert abs(found.parts.net - flowed - value) < Decimal("1e-9")
    rounded = found.parts.in_cents
    assert (rounded.gross, rounded.net) == (cents(found.parts.gross), cents(found.parts.net))
    assert rounded.spread_move + rounded.hedge_drift - rounded.costs - rounded.borrow == rounded.net

    until = NOON + timedelta(minutes=cut)
    first = attribute(start, [each for each in events if each.at < until])
    again = attribute(first, [each for each in events if each.at >= until])
    assert again == found  # two sessions come to what one comes to


@given(st.decimals("0.01", "500", places=2), st.lists(shares, min_size=1, max_size=9))
def test_what_is_charged_for_a_symbol_is_shared_among_those_short_of_it_to_the_last_cent(dollars, short):
    found = shared(dollars, dict(enumerate(short)))
    assert sum(found.values(), ZERO) == dollars
    assert len(found) == len(short)
