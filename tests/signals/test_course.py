"""What a watch has reckoned bar by bar is what one pass over all bars gives, whatever order they came in."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.forecast import PairModel
from tandem.market import Bar
from tandem.screening import Passport
from tandem.signals import PairWatch

OPEN = datetime(2023, 1, 25, 14, 30, tzinfo=UTC)
CLOSE = datetime(2023, 1, 25, 21, 0, tzinfo=UTC)
MINUTES = st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 59), st.floats(50, 150)), max_size=80)
RELAXED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

Make = Callable[..., Bar]


@pytest.fixture
def lively(passport: Passport) -> Passport:
    """A formation window that moves, and a GARCH that remembers."""
    closes = 100 + np.random.default_rng(1).normal(size=passport.bars)
    garch = replace(passport.garch, mu=1e-4, omega=0.1, alpha=0.2, beta=0.7, persistence=0.9, scale=0.01, backcast=1.0)
    return replace(passport, garch=garch, closes_a=tuple(closes.tolist()))


def assert_whole(watch: PairWatch, moment: datetime) -> None:
    """The path is that of a pass over all closes."""
    course = watch.course(moment, CLOSE)
    spread = watch.passport.spread(*course.closes)
    values, path = course.newest(len(spread))
    whole = watch.passport.garch.filter(spread)
    np.testing.assert_array_equal(values, spread)
    np.testing.assert_array_equal(path.residuals, whole.residuals)
    np.testing.assert_array_equal(path.variances, whole.variances)


@RELAXED
@given(data=st.data(), minutes=MINUTES)
def test_any_order_of_bars_and_decisions_gives_the_path_of_one_pass(
    lively: Passport, model: PairModel, bar: Make, data: st.DataObject, minutes: list[tuple[str, int, float]]
) -> None:
    bars = [bar(*minute) for minute in {minute[:2]: minute for minute in minutes}.values()]
    watch, left = PairWatch(lively, model), data.draw(st.permutations(bars))
    while left:
        run = data.draw(st.integers(1, len(left)))
        watch.learn(left[:run])
        left = left[run:]
        assert_whole(watch, OPEN + timedelta(minutes=data.draw(st.integers(0, 60))))
    begun_again = PairWatch(lively, model, sorted(bars, key=lambda bar: bar.start))
    for minute in (17, 60, 40):
        moment = OPEN + timedelta(minutes=minute)
        assert_whole(watch, moment)
        ours, theirs = watch.course(moment, CLOSE), begun_again.course(moment, CLOSE)
        assert ours.starts == theirs.starts
        np.testing.assert_array_equal(ours.newest(99)[0], theirs.newest(99)[0])


def test_a_bar_that_comes_late_moves_what_was_reckoned_after_it(lively: Passport, model: PairModel, bar: Make) -> None:
    watch = PairWatch(lively, model)
    for minute in range(30):
        watch.learn([bar("A", minute, 101.0)] if minute == 7 else [bar("A", minute, 101.0), bar("B", minute)])
    late, moment = bar("B", 9, 99.0), OPEN + timedelta(minutes=30)
    before = watch.course(moment, CLOSE).newest(6)[0]
    watch.learn([replace(late, close=99.0)])
    after = watch.course(moment, CLOSE).newest(6)[0]
    assert (before != after).tolist() == [False, True, False, False, False, False]
    assert_whole(watch, moment)


def test_the_volatility_of_the_formation_window_is_kept(lively: Passport, model: PairModel) -> None:
    course = PairWatch(lively, model).course(OPEN, CLOSE)
    deviations = np.sqrt(lively.garch.filter(lively.formation_spread).variances[1:])
    assert (course.calmest, course.wildest) == (deviations.min(), deviations.max())
