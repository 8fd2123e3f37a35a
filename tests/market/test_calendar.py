"""The exchange's trading days."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.market import NEW_YORK, Calendar, DataError, Session, Timeframe

CALENDAR = Calendar()


def session(day: date) -> Session:
    found = CALENDAR.session(day)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "day",
    [
        date(2023, 1, 7),
        date(2023, 1, 16),
        date(2023, 4, 7),
        date(2023, 6, 19),
        date(2023, 7, 4),
        date(2023, 11, 23),
        date(2023, 12, 25),
        date(2012, 10, 29),
        date(2018, 12, 5),
        date(2025, 1, 9),
    ],
)
def test_weekends_holidays_and_days_of_mourning_or_storm_have_no_session(day: date) -> None:
    assert CALENDAR.session(day) is None


@pytest.mark.parametrize(
    "day", [date(2010, 1, 1), date(2023, 1, 1), date(2023, 1, 2), date(2022, 12, 31), date(2023, 12, 31)]
)
def test_the_first_and_last_days_of_a_year_have_no_session(day: date) -> None:
    assert CALENDAR.session(day) is None


def test_sessions_run_over_the_end_of_a_year() -> None:
    days = [session.day for session in CALENDAR.sessions(date(2022, 12, 29), date(2023, 1, 4))]
    assert days == [date(2022, 12, 29), date(2022, 12, 30), date(2023, 1, 3), date(2023, 1, 4)]
    assert [session.day for session in CALENDAR.before(date(2023, 1, 4), 2)] == [date(2022, 12, 30), date(2023, 1, 3)]
    assert CALENDAR.after(date(2022, 12, 30)).day == date(2023, 1, 3)


def test_hours_are_those_of_new_york_in_winter_and_in_summer() -> None:
    winter, summer = session(date(2023, 3, 10)), session(date(2023, 3, 13))
    assert (winter.open, winter.close) == (
        datetime(2023, 3, 10, 14, 30, tzinfo=UTC),
        datetime(2023, 3, 10, 21, 0, tzinfo=UTC),
    )
    assert (summer.open, summer.close) == (
        datetime(2023, 3, 13, 13, 30, tzinfo=UTC),
        datetime(2023, 3, 13, 20, 0, tzinfo=UTC),
    )
    assert {day.morning.astimezone(NEW_YORK).hour for day in (winter, summer)} == {6}
    assert winter.open.tzinfo is UTC


@pytest.mark.parametrize("day", [date(2023, 7, 3), date(2023, 11, 24), date(2024, 12, 24)])
def test_a_half_day_closes_at_one(day: date) -> None:
    half = session(day)
    assert half.close.astimezone(NEW_YORK).hour == 13
    assert (len(half.minutes), len(half.decisions)) == (210, 41)


def test_a_bar_may_be_known_from_a_minute_after_the_open_to_the_close() -> None:
    day = session(date(2023, 1, 4))
    assert (day.minutes[0], day.minutes[-1], len(day.minutes)) == (day.open + timedelta(minutes=1), day.close, 390)


def test_decisions_come_every_five_minutes_while_an_order_can_still_be_filled() -> None:
    day = session(date(2023, 1, 4))
    assert (day.decisions[0], day.decisions[-1]) == (day.open + timedelta(minutes=5), day.close - timedelta(minutes=5))
    assert {later - earlier for earlier, later in zip(day.decisions, day.decisions[1:], strict=False)} == {
        timedelta(minutes=5)
    }


def test_a_session_holds_its_open_and_not_its_close() -> None:
    day = session(date(2023, 1, 4))
    assert day.contains(day.open)
    assert not day.contains(day.close)
    assert not day.contains(day.open - timedelta(microseconds=1))


def test_before_and_after_step_over_holidays() -> None:
    assert [found.day for found in CALENDAR.before(date(2023, 11, 24), 2)] == [date(2023, 11, 21), date(2023, 11, 22)]
    assert CALENDAR.after(date(2023, 11, 22)).day == date(2023, 11, 24)
    assert CALENDAR.before(date(2023, 11, 24), 0) == []


def test_a_year_without_a_calendar_is_one_line() -> None:
    with pytest.raises(DataError, match="no exchange calendar for the year 1815"):
        CALENDAR.session(date(1815, 6, 18))


@settings(deadline=None, max_examples=40)
@given(st.dates(date(2023, 1, 4), date(2023, 11, 1)), st.integers(0, 40))
def test_sessions_are_in_order_on_weekdays_and_agree_with_before(first: date, length: int) -> None:
    last = first + timedelta(days=length)
    found = CALENDAR.sessions(first, last)
    assert found == sorted(found)
    assert all(day.day.weekday() < 5 and first <= day.day <= last for day in found)
    assert CALENDAR.before(last + timedelta(days=1), len(found)) == found


@pytest.mark.parametrize(("timeframe", "count"), [("5Min", 78), ("30Min", 13), ("1Hour", 7), ("1Day", 1)])
def test_bars_of_a_session_are_complete_at_their_ends_and_the_last_at_the_close(timeframe: str, count: int) -> None:
    day = session(date(2023, 1, 4))
    ends = day.bar_ends(Timeframe(timeframe))
    assert (len(ends), ends[-1]) == (count, day.close)
    if timeframe == "1Hour":
        assert ends[0] == day.open + timedelta(minutes=30)


def test_bars_between_two_moments_skip_nights_and_weekends() -> None:
    friday, monday = session(date(2023, 1, 6)), session(date(2023, 1, 9))
    assert CALENDAR.bars_between(Timeframe.HOUR_1, friday.close, monday.open) == 0
    assert CALENDAR.bars_between(Timeframe.HOUR_1, friday.open, monday.close) == 14
    assert (
        CALENDAR.bars_between(Timeframe.MIN_5, friday.close - timedelta(minutes=5), monday.open + timedelta(minutes=5))
        == 2
    )
