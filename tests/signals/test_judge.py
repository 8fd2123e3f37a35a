from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import exp

import numpy as np
import pytest

from tandem.config import RuleSettings
from tandem.forecast import PairModel
from tandem.market import Bar, Calendar, Refusal, Session
from tandem.rules import Action, Stance
from tandem.signals import Case, Entered, PairWatch, Signal, judge, judge_all

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
    assert judged(silent) == Refusal("model", "too far", "signals")


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


def test_a_halted_leg_is_refused_even_with_a_fresh_bar_and_an_open_trade(watch: PairWatch, bar: Make) -> None:
    at_z(watch, bar, 2.2)
    for stance, entered in ((Stance(), None), (SHORT, ENTERED)):
        refused = judge(watch, NOW, SESSION, stance, entered, RULE, {"B", "ELSEWHERE"})
        assert refused == Refusal("halted leg", "trading in B is halted", "signals")
    assert isinstance(judge(watch, NOW, SESSION, Stance(), None, RULE, {"ELSEWHERE"}), Signal)


def test_the_forecast_of_the_next_bars_volatility_is_on_the_signal(watch: PairWatch, bar: Make) -> None:
    at_z(watch, bar, 2.2)
    found = signal(watch)
    assert found.one_step == pytest.approx(1e-5**0.5)
    assert found.instead == ""


def aged(watch: PairWatch, sessions: int, **changes: object) -> PairWatch:
    """The same pair whose model was made so many sessions before; the passport's day as it is unless it is changed."""
    made = Calendar().before(SESSION.day, sessions)[0].day
    passport = replace(watch.passport, session=made) if changes.pop("passport", False) else watch.passport
    return PairWatch(passport, replace(watch.model, session=made, **changes))


def test_a_model_is_asked_until_it_is_past_its_time_then_the_passports_baseline_answers(
    watch: PairWatch, bar: Make
) -> None:
    good, old = aged(watch, 5, phi=0.5), aged(watch, 6, phi=0.5)
    for each in (good, old, watch):
        at_z(each, bar, 2.2)
    assert signal(good).instead == ""
    found, fresh = signal(old), signal(watch)
    assert found.instead == "the model of 2023-01-17 is 6 sessions old, model.expires_sessions is 5"
    assert (found.model, found.probability) == ("baseline", fresh.probability)
    assert found.probability != signal(good).probability
    assert (found.confidence, found.calibrated) == (0.5, 0.5)
    assert found.action == Action.ENTER_SHORT


def test_where_the_passport_is_past_its_time_as_well_nothing_is_entered_but_a_trade_is_left(
    watch: PairWatch, bar: Make
) -> None:
    old = aged(watch, 6, passport=True)
    at_z(old, bar, 0.1)
    refused = judged(old)
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.by) == ("model expired", "signals")
    assert signal(old, SHORT, ENTERED).action == Action.EXIT


@pytest.fixture
def remembering(watch: PairWatch) -> Callable[..., PairWatch]:
    """A watch whose GARCH remembers shocks, over a formation window with steps of a size."""

    def make(step: float) -> PairWatch:
        garch = replace(watch.passport.garch, omega=1e-6, alpha=0.9, beta=0.05, persistence=0.95, backcast=4 * step**2)
        swings = tuple(100 * exp(step * (-1) ** bar) for bar in range(watch.passport.bars))
        return PairWatch(replace(watch.passport, garch=garch, closes_a=swings), watch.model)

    return make


@pytest.mark.parametrize(("step", "refused"), [(0.0005, True), (0.005, False), (0.1, True)])
def test_a_volatility_beyond_what_the_formation_window_saw_refuses_entries_and_no_exits(
    remembering: Callable[..., PairWatch], bar: Make, step: float, refused: bool
) -> None:
    pair = remembering(step)
    at_z(pair, bar, 2.5)
    found = judged(pair)
    assert isinstance(found, Refusal if refused else Signal)
    if isinstance(found, Refusal):
        assert (found.reason, found.by) == ("volatility", "signals")
        assert "rule.max_volatility_ratio is 2" in found.why
    assert signal(pair, replace(SHORT, bars_held=0), ENTERED).action == Action.HOLD
    wide = RULE.model_copy(update={"max_volatility_ratio": 100.0})
    assert isinstance(judge(pair, NOW, SESSION, Stance(), None, wide), Signal)


def test_pairs_judged_at_once_are_judged_as_if_alone(watch: PairWatch, silent: PairWatch, bar: Make) -> None:
    watches = [watch, silent, aged(watch, 9), aged(watch, 9, passport=True), PairWatch(watch.passport, watch.model)]
    for each in watches[:-1]:
        at_z(each, bar, 2.5)
    cases = [
        Case(each, stance, entered) for each in watches for stance, entered in ((Stance(), None), (SHORT, ENTERED))
    ]
    verdicts = judge_all(cases, NOW, SESSION, RULE)
    assert verdicts == [judge(each.watch, NOW, SESSION, each.stance, each.entered, RULE) for each in cases]
    reasons = [each.reason if isinstance(each, Refusal) else each.action.value for each in verdicts]
    assert reasons[::2] == ["enter_short", "model", "enter_short", "model expired", "stale leg"]
    assert reasons[1::2] == ["hold", "hold", "hold", "hold", "stale leg"]
