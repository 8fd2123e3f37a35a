"""The account's worth over time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from tandem.recycler.trading.equity import EquityCurve, Points

NOON = datetime(2023, 1, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def curve_of(*dollars):
    curve = EquityCurve()
    for number, value in enumerate(dollars):
        curve.note(NOON + number * MINUTE, Decimal(value))
    return curve


def test_between_two_notes_the_first_counts():
    curve = curve_of("10", "10", "12.345")
    assert [curve.at(NOON + number * MINUTE / 2) for number in (-9, 0, 3, 4, 99)] == [
        *([Decimal(10)] * 3),
        Decimal("12.34"),
        Decimal("12.34"),
    ]
    assert len(curve.points().seconds) == 2


def test_a_clock_that_goes_back_forgets_what_came_later():
    curve = curve_of("10", "11", "12", "13")
    curve.note(NOON + MINUTE, Decimal(20))
    assert curve.points().cents == (1000, 2000)


def test_old_minutes_are_forgotten_and_old_closes_are_not():
    curve = curve_of("10", "11", "12")
    curve.note(NOON + 3 * MINUTE, Decimal(12), closing=True)
    curve.note(NOON + 4 * MINUTE, Decimal(13))
    curve.thin(NOON + 4 * MINUTE)
    assert curve.points().cents == (1000, 1200, 1300)
    curve.thin(NOON + 4 * MINUTE)
    assert curve.points().cents == (1000, 1200, 1300)


def test_a_curve_is_written_down_and_read_back():
    points = curve_of("10", "11", "-3.5").points()
    assert EquityCurve(msgspec.json.decode(msgspec.json.encode(points), type=Points)).points() == points


def test_nothing_noted_is_nothing_known():
    with pytest.raises(LookupError):
        EquityCurve().at(NOON)
