"""A bar obeys the laws of prices or is none."""

from datetime import UTC, datetime
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.market import NEW_YORK, Bar, InvalidBar, Timeframe, flaw_of

START = datetime(2023, 1, 3, 14, 30, tzinfo=UTC)
PRICES = st.floats(0.0001, 1e6)


def bar(**changed: Any) -> Bar:
    figures: dict[str, Any] = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 100}
    return Bar("AAPL", **({"start": START} | figures | changed))


def test_a_bar_may_be_known_when_it_has_ended() -> None:
    assert bar().end == datetime(2023, 1, 3, 14, 31, tzinfo=UTC)
    assert bar(timeframe=Timeframe.HOUR_1).end == datetime(2023, 1, 3, 15, 30, tzinfo=UTC)


def test_a_start_in_another_zone_becomes_utc() -> None:
    local = bar(start=datetime(2023, 1, 3, 9, 30, tzinfo=NEW_YORK))
    assert (local.start, local.start.tzinfo) == (START, UTC)
    assert local == bar()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"open": nan}, "not a finite number"),
        ({"high": inf}, "not a finite number"),
        ({"low": 0.0}, "not positive"),
        ({"close": -1.0}, "not positive"),
        ({"high": 8.0}, "high 8.0 is below low 9.0"),
        ({"open": 8.0}, "outside low and high"),
        ({"close": 12.5}, "outside low and high"),
        ({"volume": -1}, "volume -1"),
        ({"volume": nan}, "volume nan"),
        ({"start": datetime(2023, 1, 3, 14, 30)}, "without a zone"),  # noqa: DTZ001
    ],
)
def test_a_bar_that_breaks_a_law_is_refused_with_its_symbol_and_reason(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidBar, match=reason) as caught:
        bar(**changed)
    assert "AAPL" in str(caught.value)


@given(st.tuples(PRICES, PRICES, PRICES, PRICES), st.integers(0, 2**40))
def test_any_four_positive_prices_in_order_are_a_bar(prices: tuple[float, ...], volume: int) -> None:
    low, one, other, high = sorted(prices)
    assert flaw_of(one, high, low, other, volume) == ""
    if low < high:
        assert flaw_of(one, low, high, other, volume) != ""
