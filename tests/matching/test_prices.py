from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from tandem.matching import Columns, MinuteBars, Prices

OPEN = datetime(2023, 1, 3, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def columns_of(*rows: tuple[str, int, float], symbols: tuple[str, ...] = ("A", "B", "C")) -> Columns:
    frame = pd.DataFrame(
        [(symbol, OPEN + minute * MINUTE, close) for symbol, minute, close in rows],
        columns=["symbol", "start", "close"],
    )
    return Columns.of_frame(frame.assign(open=1.0, high=9e5, low=0.01, volume=1), symbols)


def whole(columns: Columns) -> MinuteBars:
    return MinuteBars(columns, 0, len(columns))


def test_the_last_close_and_the_start_of_the_newest_bar_are_kept() -> None:
    prices = Prices(["B", "A", "C"])
    assert (prices.close("A"), prices.last_bars()) == (None, {})
    prices.update(whole(columns_of(("A", 0, 10.5), ("B", 0, 20.0))))
    prices.update(whole(columns_of(("A", 1, 10.00005))))
    assert [prices.close(symbol) for symbol in ("A", "B", "C", "Z")] == [Decimal("10.0000"), Decimal(20), None, None]
    assert prices.last_bars() == {"A": OPEN + MINUTE, "B": OPEN}


def test_bars_that_nobody_is_shown_move_prices_alone() -> None:
    prices = Prices(["A", "B", "C"])
    prices.skip(whole(columns_of(("A", 0, 10.0), ("A", 1, 11.0))))
    assert (prices.close("A"), prices.last_bars()) == (Decimal(11), {})
    prices.restore({"B": Decimal("3.25"), "Z": Decimal(1)})
    assert prices.close("B") == Decimal("3.25")
    prices.forget()
    assert prices.close("A") is None


def test_columns_that_know_fewer_symbols_are_understood() -> None:
    prices = Prices(["A", "B", "C"])
    prices.update(whole(columns_of(("C", 0, 7.0), symbols=("B", "C"))))
    prices.update(whole(columns_of(("B", 1, 5.0))))
    assert [prices.close(symbol) for symbol in "ABC"] == [None, Decimal(5), Decimal(7)]


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.floats(0.01, 900_000)), max_size=30))
def test_it_is_a_dictionary_of_the_last_closes(told: list[tuple[str, float]]) -> None:
    prices, known = Prices("ABC"), {}
    for minute, (symbol, close) in enumerate(told):
        prices.update(whole(columns_of((symbol, minute, close))))
        known[symbol] = close
    for symbol in "ABC":
        found = prices.close(symbol)
        assert (found is None) == (symbol not in known)
        assert found is None or abs(float(found) - known[symbol]) <= 0.00005
