"""The one place where float64 becomes Decimal."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.market import cents, costs_in_cents, price, shares, whole_shares


@pytest.mark.parametrize(
    ("given_", "held"),
    [(129.76819, "129.7682"), (0.1 + 0.2, "0.3000"), (10, "10.0000"), (0.00005, "0.0000"), (0.00015, "0.0002")],
)
def test_a_price_has_four_decimals_and_rounds_half_to_even(given_: float, held: str) -> None:
    assert str(price(given_)) == held


@pytest.mark.parametrize(
    ("given_", "held"), [(1.9999999999, "1.999999999"), (-1.9999999999, "-1.999999999"), (3, "3.000000000")]
)
def test_shares_have_nine_decimals_and_round_toward_zero(given_: float, held: str) -> None:
    assert str(shares(given_)) == held


@pytest.mark.parametrize(("given_", "held"), [(2.5, "2"), (3.5, "4"), (-2.5, "-2"), (0.4, "0"), (1e6 + 0.6, "1000001")])
def test_whole_shares_are_the_nearest(given_: float, held: str) -> None:
    assert whole_shares(given_) == Decimal(held)


def test_an_amount_is_read_in_cents() -> None:
    assert [str(cents(Decimal(amount))) for amount in ("1.005", "1.015", "-0.004")] == ["1.00", "1.02", "-0.00"]


@given(st.floats(-1e6, 1e6))
def test_no_conversion_is_further_off_than_its_step(value: float) -> None:
    exact = Decimal(repr(value))
    assert abs(price(value) - exact) <= Decimal("0.00005")
    assert abs(whole_shares(value) - exact) <= Decimal("0.5")
    assert abs(shares(value)) <= abs(exact)
    assert abs(shares(value) - exact) < Decimal("0.000000001")


@given(st.integers(-(10**10), 10**10))
def test_a_price_in_whole_steps_survives_the_way_through_float(steps: int) -> None:
    exact = Decimal(steps) / 10_000
    assert price(float(exact)) == exact


def test_gross_costs_and_net_add_up_where_each_alone_would_not() -> None:
    gross, net = Decimal("274.717186"), Decimal("256.904449")
    assert cents(gross) - cents(gross - net) != cents(net)
    assert costs_in_cents(gross, net) == Decimal("17.82")
