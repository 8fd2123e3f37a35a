from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.market import Bar, Refusal
from tandem.signals import PairWatch

OPEN = datetime(2023, 1, 25, 14, 30, tzinfo=UTC)
CLOSE = datetime(2023, 1, 25, 21, 0, tzinfo=UTC)
FORMATION = 40
MINUTES = st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 29), st.floats(50, 150)), max_size=40)
RELAXED = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

Make = Callable[..., Bar]


def after(minutes: int) -> datetime:
    return OPEN + timedelta(minutes=minutes)


def today(watch: PairWatch, minute: int) -> list[list[float]]:
    """Closes of both legs that this session has completed by a minute after the open."""
    return [closes[FORMATION:].tolist() for closes in watch.closes(after(minute), CLOSE)]


def test_prices_are_those_of_the_minute_that_has_just_ended(watch: PairWatch, bar: Make) -> None:
    watch.learn([bar("A", 0, 101.0), bar("B", 0, 99.0), bar("A", 1, 102.0), bar("B", 1, 98.0)])
    assert watch.prices(after(2)) == (102.0, 98.0)


@pytest.mark.parametrize(("missing", "named"), [("A", "A without"), ("B", "B without"), ("AB", "A and B without")])
def test_a_leg_without_a_bar_for_the_last_minute_is_refused(
    watch: PairWatch, bar: Make, missing: str, named: str
) -> None:
    watch.learn([bar("A", 0), bar("B", 0)])
    watch.learn(bar(symbol, 1) for symbol in "AB" if symbol not in missing)
    refused = watch.prices(after(2))
    assert isinstance(refused, Refusal)
    assert refused.reason == "stale leg"
    assert refused.why.startswith(named)


def test_a_leg_that_has_never_been_seen_is_refused(watch: PairWatch) -> None:
    assert isinstance(watch.prices(after(1)), Refusal)


def test_a_model_bar_counts_when_its_time_is_over_and_not_before(watch: PairWatch, bar: Make) -> None:
    for minute in range(7):
        watch.learn([bar("A", minute, 100.0 + minute), bar("B", minute, 200.0 + minute)])
    assert today(watch, 4) == [[], []]
    assert today(watch, 5) == [[104.0], [204.0]]
    assert today(watch, 9) == [[104.0], [204.0]]


def test_a_model_bar_that_one_leg_lacks_counts_for_neither(watch: PairWatch, bar: Make) -> None:
    watch.learn(bar("A", minute) for minute in range(10))
    watch.learn(bar("B", minute, 90.0) for minute in range(5, 10))
    assert today(watch, 10) == [[100.0], [90.0]]


def test_at_the_close_every_bar_counts(watch: PairWatch, bar: Make) -> None:
    watch.learn(bar(symbol, minute) for minute in range(8) for symbol in "AB")
    early = after(8)
    assert len(watch.closes(early, early)[0]) == FORMATION + 2
    assert len(watch.closes(early, CLOSE)[0]) == FORMATION + 1


def test_bars_of_the_formation_window_are_not_counted_twice(watch: PairWatch, bar: Make) -> None:
    window_last = watch.passport.window_last
    for minute in range(5):
        for symbol in "AB":
            watch.learn([Bar(symbol, window_last + timedelta(minutes=minute), 1.0, 1.0, 1.0, 1.0, 1)])
    assert today(watch, 0) == [[], []]


def test_other_symbols_are_passed_over(watch: PairWatch, bar: Make) -> None:
    watch.learn([bar("C", 0)])
    assert isinstance(watch.prices(after(1)), Refusal)


def test_formation_closes_come_first(watch: PairWatch) -> None:
    a, b = watch.closes(after(0), CLOSE)
    np.testing.assert_array_equal(a, watch.passport.closes_a)
    np.testing.assert_array_equal(b, watch.passport.closes_b)


@RELAXED
@given(minutes=MINUTES, cut=st.integers(0, 30))
def test_later_bars_change_nothing_of_what_was_complete(
    watch: PairWatch, bar: Make, minutes: list[tuple[str, int, float]], cut: int
) -> None:
    known = [bar(*minute) for minute in minutes if minute[1] < cut]
    short, long = (PairWatch(watch.passport, watch.model, bars) for bars in (known, [bar(*m) for m in minutes]))
    complete = cut - cut % 5
    for ours, theirs in zip(short.closes(after(cut), CLOSE), long.closes(after(complete), CLOSE), strict=True):
        assert ours.tolist() == theirs.tolist()


@RELAXED
@given(data=st.data(), minutes=MINUTES)
def test_the_order_in_which_bars_arrive_and_repetitions_do_not_matter(
    watch: PairWatch, bar: Make, data: st.DataObject, minutes: list[tuple[str, int, float]]
) -> None:
    bars = [bar(*minute) for minute in {minute[:2]: minute for minute in minutes}.values()]
    ordered = PairWatch(watch.passport, watch.model, sorted(bars, key=lambda bar: bar.start))
    again = data.draw(st.lists(st.sampled_from(bars), max_size=5)) if bars else []
    shuffled = PairWatch(watch.passport, watch.model, data.draw(st.permutations(bars + again)))
    for minute in (11, 30):
        assert today(ordered, minute) == today(shuffled, minute)
        assert ordered.prices(after(minute)) == shuffled.prices(after(minute))


@pytest.mark.parametrize("after_split", [50.0, 200.0])
def test_a_leg_whose_price_has_halved_or_doubled_since_the_formation_is_refused(
    watch: PairWatch, bar: Make, after_split: float
) -> None:
    watch.learn([bar("A", 0, after_split), bar("B", 0)])
    refusal = watch.prices(after(1))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "split"
    assert "A" in refusal.why
