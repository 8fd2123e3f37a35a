from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import exp

import numpy as np
import pytest

from tandem.config import RuleSettings
from tandem.forecast import PairModel
from tandem.market import Bar, Refusal, Session
from tandem.rules import Action, Stance
from tandem.signals import Entered, PairWatch, Signal, judge

OPEN = datetime(2023, 1, 25, 14, 30, tzinfo=UTC)
SESSION = Session(date(2023, 1, 25), OPEN, OPEN + timedelta(hours=6.5))
NOW = OPEN + timedelta(minutes=10)
RULE = RuleSettings()
SHORT = Stance(direction=-1, bars_held=2, entry_z=2.5)
ENTERED = Entered(spread=0.025, residual=0.003, variance=1e-5)

Make = Callable[..., Bar]


def at_z(watch: PairWatch, bar: Make, z: float) -> None:
    """Ten minutes of the session, the newest at a z-score."""
    for minute in range(10):
        watch.learn([bar("A", minute, 100 * exp(0.01 * z)), bar("B", minute)])


def judged(watch: PairWatch, stance: Stance | None = None, entered: Entered | None = None) -> Signal | Refusal:
    return judge(watch, NOW, SESSION, stance or Stance(), entered, RULE)


def signal(watch: PairWatch, stance: Stance | None = None, entered: Entered | None = None) -> Signal:
    found = judged(watch, stance, entered)
    assert isinstance(found, Signal)
    return found


@pytest.mark.parametrize(
    ("z", "action"),
    [(0.0, "hold"), (1.9, "hold"), (2.1, "enter_short"), (-2.1, "enter_long"), (3.9, "enter_short"), (4.1, "hold")],
)
def test_a_flat_pair_is_entered_between_the_entry_and_the_stop(
    watch: PairWatch, bar: Make, z: float, action: str
) -> None:
    at_z(watch, bar, z)
    found = signal(watch)
    assert found.action == action
    assert found.z == pytest.approx(z)
    assert found.band is None


@pytest.mark.parametrize(("z", "action"), [(2.5, "hold"), (0.4, "exit"), (-0.8, "exit"), (4.2, "stop"), (3.99, "hold")])
def test_a_held_pair_is_left_at_the_target_beyond_the_equilibrium_and_at_the_stop(
    watch: PairWatch, bar: Make, z: float, action: str
) -> None:
    at_z(watch, bar, z)
    assert signal(watch, replace(SHORT, bars_held=0), ENTERED).action == action


def test_figures_of_the_newest_bars_are_on_the_signal(watch: PairWatch, bar: Make) -> None:
    at_z(watch, bar, 2.2)
    found = signal(watch)
    assert (found.price_a, found.price_b) == (pytest.approx(100 * exp(0.022)), 100.0)
    assert found.spread == pytest.approx(0.022)
    assert found.model == "baseline"
    assert 0.9 < found.probability < 1
    assert found.variance == pytest.approx(1e-5)
    assert found.residual == pytest.approx(0.022 * (1 - watch.passport.phi))
    assert found.volatility == pytest.approx(watch.passport.garch.change_deviation(0.0, 0.0, 78))


def test_a_stale_leg_is_refused(watch: PairWatch, bar: Make) -> None:
    at_z(watch, bar, 2.2)
    refused = judge(watch, NOW + timedelta(minutes=1), SESSION, Stance(), None, RULE)
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.by) == ("stale leg", "signals")


def test_a_spread_outside_its_garch_band_is_stopped(watch: PairWatch, bar: Make) -> None:
    band = watch.passport.garch.band(ENTERED.spread, 0.0, ENTERED.residual, ENTERED.variance, SHORT.bars_held)
    edge = (band.centre + 3 * band.deviation) / 0.01
    at_z(watch, bar, edge - 0.01)
    inside = signal(watch, SHORT, ENTERED)
    assert inside.action == Action.HOLD
    assert inside.band == pytest.approx(edge)
    for minute in range(5, 10):
        watch.learn([bar("A", minute, 100 * exp(0.01 * (edge + 0.01)))])
    outside = signal(watch, SHORT, ENTERED)
    assert outside.action == Action.STOP
    assert "GARCH band" in outside.why


def test_the_band_of_a_long_trade_ends_below(watch: PairWatch, bar: Make) -> None:
    long = Stance(direction=1, bars_held=2, entry_z=-2.5)
    at_z(watch, bar, -2.0)
    found = signal(watch, long, Entered(-0.025, -0.003, 1e-5))
    at_z(watch, bar, 2.0)
    mirrored = signal(watch, SHORT, ENTERED)
    assert found.band is not None
    assert mirrored.band is not None
    assert found.band == pytest.approx(-mirrored.band)
    assert found.band < -2.0


def test_a_trade_held_for_three_half_lives_is_stopped(watch: PairWatch, bar: Make) -> None:
    at_z(watch, bar, 2.0)
    old = replace(SHORT, bars_held=41)
    assert signal(watch, old, ENTERED).action == Action.STOP
    assert signal(watch, replace(old, bars_held=40), ENTERED).action == Action.HOLD


def test_a_resting_pair_is_not_entered(watch: PairWatch, bar: Make) -> None:
    at_z(watch, bar, 2.5)
    assert signal(watch, Stance(resting=1)).action == Action.HOLD


@pytest.fixture
def silent(watch: PairWatch, model: PairModel) -> PairWatch:
    """A watch whose GRU says nothing."""
    return PairWatch(watch.passport, replace(model, trades_with="gru", refusal=Refusal("model", "too far", "forecast")))


def test_without_a_forecast_nothing_is_entered(silent: PairWatch, bar: Make) -> None:
    at_z(silent, bar, 2.5)
    assert judged(silent) == Refusal("model", "too far", "forecast")


@pytest.mark.parametrize(("z", "action"), [(4.5, "stop"), (0.1, "exit"), (2.0, "hold")])
def test_leaving_a_trade_takes_no_forecast(silent: PairWatch, bar: Make, z: float, action: str) -> None:
    at_z(silent, bar, z)
    assert signal(silent, SHORT, ENTERED).action == action


def test_bars_that_are_not_over_do_not_move_what_the_model_knows(watch: PairWatch, bar: Make) -> None:
    at_z(watch, bar, 1.0)
    before = signal(watch)
    watch.learn([bar("A", 10, 130.0), bar("B", 10)])
    late = judge(watch, NOW + timedelta(minutes=1), SESSION, Stance(), None, RULE)
    assert isinstance(late, Signal)
    assert late.z > 20
    assert (late.residual, late.variance, late.volatility) == (before.residual, before.variance, before.volatility)


def test_the_same_bars_give_the_same_signal_whatever_came_before_them_in_one_go(watch: PairWatch, bar: Make) -> None:
    rng = np.random.default_rng(3)
    bars = [bar(symbol, minute, float(100 + rng.normal())) for minute in range(10) for symbol in "AB"]
    by_minute = PairWatch(watch.passport, watch.model)
    for each in bars:
        by_minute.learn([each])
    assert judged(PairWatch(watch.passport, watch.model, bars)) == judged(by_minute)
