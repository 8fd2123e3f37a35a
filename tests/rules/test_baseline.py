"""The baseline rule, one decision at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.config import RuleSettings
from tandem.rules import FLAT, Action, Observation, Stance, advance, decide, inside_band
from tandem.statistics import Band

RULE = RuleSettings()
HALF_LIFE = 10.0
LONG = Stance(direction=1, bars_held=3, entry_z=-2.5)
SHORT = Stance(direction=-1, bars_held=3, entry_z=2.5)

Z = st.floats(-6, 6)
PROBABILITY = st.floats(0, 1)
STANCES = st.one_of(
    st.builds(Stance, direction=st.sampled_from([-1, 1]), bars_held=st.integers(0, 50)),
    st.builds(Stance, resting=st.integers(0, 20)),
)


def decided(stance, z, probability=0.8, inside=True):
    return decide(stance, Observation(z, probability, inside), HALF_LIFE, RULE)


@pytest.mark.parametrize(
    ("stance", "z", "probability", "inside", "action", "reason"),
    [
        (FLAT, 2.0, 0.55, True, Action.ENTER_SHORT, "entry"),
        (FLAT, -2.0, 0.55, True, Action.ENTER_LONG, "entry"),
        (FLAT, 1.99, 0.9, True, Action.HOLD, "no signal"),
        (FLAT, 2.5, 0.54, True, Action.HOLD, "probability"),
        (FLAT, 4.0, 0.9, True, Action.HOLD, "beyond stop"),
        (FLAT, -5.0, 0.9, True, Action.HOLD, "beyond stop"),
        (Stance(resting=1), 2.5, 0.9, True, Action.HOLD, "resting"),
        (SHORT, 1.5, 0.0, True, Action.HOLD, "holding"),
        (SHORT, 0.5, 0.0, True, Action.EXIT, "target"),
        (SHORT, -0.6, 0.0, True, Action.EXIT, "crossed"),
        (SHORT, -5.0, 0.0, True, Action.EXIT, "crossed"),
        (SHORT, 4.0, 0.0, True, Action.STOP, "stop"),
        (LONG, -4.0, 0.0, True, Action.STOP, "stop"),
        (SHORT, 3.0, 0.0, False, Action.STOP, "band"),
        (Stance(direction=-1, bars_held=30), 1.5, 0.0, True, Action.STOP, "time"),
        (Stance(direction=-1, bars_held=29), 1.5, 0.0, True, Action.HOLD, "holding"),
        (Stance(direction=-1, bars_held=30), 0.4, 0.0, True, Action.EXIT, "target"),
    ],
)
def test_the_rule_of_statistics_7(stance, z, probability, inside, action, reason):
    found = decided(stance, z, probability, inside)
    assert (found.action, found.reason) == (action, reason)
    assert found.why


@given(stance=STANCES, z=Z, probability=PROBABILITY, inside=st.booleans())
def test_long_and_short_mirror_each_other(stance, z, probability, inside):
    mirror = Stance(-stance.direction, stance.bars_held, stance.resting)
    there, back = decided(stance, z, probability, inside), decided(mirror, -z, probability, inside)
    assert there.action.direction == -back.action.direction
    assert there.reason == back.reason


@given(stance=STANCES, z=Z, probability=PROBABILITY, inside=st.booleans())
def test_entries_happen_without_a_position_and_closes_with_one(stance, z, probability, inside):
    action = decided(stance, z, probability, inside).action
    assert not (action.is_entry and stance.direction)
    assert not (action.is_close and not stance.direction)


@given(stance=STANCES, z=Z)
def test_a_position_that_was_stopped_could_not_be_entered_again_at_once(stance, z):
    observation = Observation(z, 1.0)
    decision = decide(stance, observation, HALF_LIFE, RULE)
    after = advance(stance, decision, observation, HALF_LIFE, RULE)
    if decision.action is Action.STOP:
        assert after.resting == 10
        assert decided(after, 2.5, 1.0).reason == "resting"
        assert decided(after.after(10), 2.5, 1.0).action is Action.ENTER_SHORT


def test_an_entry_remembers_its_side_and_its_z():
    observation = Observation(-2.4, 0.9)
    after = advance(FLAT, decide(FLAT, observation, HALF_LIFE, RULE), observation, HALF_LIFE, RULE)
    assert after == Stance(direction=1, bars_held=0, resting=0, entry_z=-2.4)


def test_an_exit_does_not_rest():
    observation = Observation(0.1, 0.9)
    assert advance(SHORT, decide(SHORT, observation, HALF_LIFE, RULE), observation, HALF_LIFE, RULE) == FLAT


def test_decisions_between_bars_do_not_age_a_position():
    assert LONG.after(0) == LONG
    assert LONG.after(2).bars_held == 5
    assert Stance(resting=2).after(3).resting == 0
    assert FLAT.after(5) == FLAT


@pytest.mark.parametrize(
    ("direction", "spread", "inside"),
    [(1, -3.1, False), (1, -2.9, True), (1, 9.0, True), (-1, 3.1, False), (-1, -9.0, True)],
)
def test_only_moving_away_from_the_equilibrium_leaves_the_band(direction, spread, inside):
    assert inside_band(direction, spread, Band(0.0, 1.0), RULE) is inside


def test_a_probability_that_is_not_a_number_enters_nothing():
    assert decided(FLAT, 2.5, float("nan")).action is Action.HOLD
    assert decided(FLAT, float("nan")).action is Action.HOLD
