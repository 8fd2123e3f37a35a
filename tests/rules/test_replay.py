"""The baseline rule over a series."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tandem.config import RuleSettings
from tandem.rules import FLAT, Observation, Trade, advance, decide, replay

RULE = RuleSettings()
SERIES = st.lists(st.floats(-5, 5), min_size=1, max_size=80)


def always(_direction, _entry, _now):
    return True


def play(z, inside=always, half_life=3.0):
    return replay(z, np.ones(len(z)), inside, half_life, RULE)


def test_a_round_trip_is_entered_and_left_where_the_rule_says():
    found = play([0.0, 2.1, 1.5, 0.4, 0.0, -2.5, 0.1])
    assert found.trades == (Trade(-1, 1, 3, "target"), Trade(1, 5, 6, "target"))
    assert found.positions.tolist() == [0, -1, -1, 0, 0, 1, 0]


def test_a_position_open_at_the_end_is_no_round_trip():
    found = play([2.5, 2.0])
    assert found.trades == (Trade(-1, 0),)
    assert found.round_trips == ()
    assert found.positions.tolist() == [-1, -1]


def test_a_stop_rests_for_a_half_life():
    found = play([2.5, 4.1, 2.5, 2.5, 2.5, 2.5])
    assert found.trades[0] == Trade(-1, 0, 1, "stop")
    assert found.positions.tolist() == [-1, 0, 0, 0, -1, -1]


def test_three_half_lives_are_the_longest():
    found = play([2.5] * 12)
    assert found.trades[0] == Trade(-1, 0, 9, "time")


def test_the_band_is_asked_about_the_entry_and_the_bar_in_question():
    asked = []

    def inside(direction, entry, now):
        asked.append((direction, entry, now))
        return now < 3

    found = play([0.0, 2.5, 2.6, 2.7], inside)
    assert asked == [(-1, 1, 2), (-1, 1, 3)]
    assert found.trades == (Trade(-1, 1, 3, "band"),)


@given(z=SERIES)
def test_replay_is_the_rule_bar_by_bar(z):
    stance, positions = FLAT, []
    for bar, distance in enumerate(z):
        stance = stance.after(1 if bar else 0)
        seen = Observation(distance, 1.0)
        stance = advance(stance, decide(stance, seen, 3.0, RULE), seen, 3.0, RULE)
        positions.append(stance.direction)
    assert play(z).positions.tolist() == positions


@given(z=SERIES)
def test_trades_and_positions_tell_one_story(z):
    found = play(z)
    told = np.zeros(len(z), dtype=np.int8)
    for trade in found.trades:
        told[trade.entry : trade.exit] = trade.direction
    assert told.tolist() == found.positions.tolist()
    edges = [edge for trade in found.trades for edge in (trade.entry, trade.exit) if edge is not None]
    assert edges == sorted(edges)


@given(z=SERIES, cut=st.integers(1, 80))
def test_what_comes_later_changes_no_earlier_position(z, cut):
    assert play(z).positions[:cut].tolist() == play(z[:cut]).positions.tolist()
