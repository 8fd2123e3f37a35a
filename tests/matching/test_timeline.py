from datetime import UTC, date, datetime, timedelta

from tandem.market import Calendar, Session
from tandem.matching import Piece, Timeline, midnight, moved

TUESDAY, WEDNESDAY, FRIDAY = date(2023, 1, 3), date(2023, 1, 4), date(2023, 1, 6)
NONE = timedelta(0)
DAY = timedelta(days=1)


def session_of(day: date) -> Session:
    session = Calendar().session(day)
    assert session is not None
    return session


def at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def test_before_anything_is_played_replay_time_is_stored_time() -> None:
    timeline = Timeline()
    assert timeline.pieces(at(TUESDAY, 1), at(WEDNESDAY, 1)) == [Piece(at(TUESDAY, 1), at(WEDNESDAY, 1), NONE)]
    assert timeline.pieces(at(WEDNESDAY, 1), at(TUESDAY, 1)) == []
    assert timeline.session_at(session_of(TUESDAY).open) == session_of(TUESDAY)
    assert timeline.session_at(session_of(TUESDAY).close) is None
    assert timeline.session_after(session_of(TUESDAY).open) == session_of(WEDNESDAY)


def test_a_reel_at_its_own_times_is_one_piece_however_often_it_starts_over() -> None:
    timeline = Timeline()
    for day in (TUESDAY, WEDNESDAY, TUESDAY):
        timeline.note(session_of(day), midnight(day), midnight(day + DAY), NONE)
    found = timeline.pieces(at(TUESDAY, 6), at(WEDNESDAY, 4))
    assert found == [Piece(at(TUESDAY, 6), at(WEDNESDAY, 4), NONE)]
    assert timeline.pieces(at(WEDNESDAY, 6), at(FRIDAY, 1)) == []


def test_two_loops_with_an_offset_each_are_two_pieces_and_two_calendars() -> None:
    timeline = Timeline()
    for offset in (10 * DAY, 12 * DAY):
        for day in (TUESDAY, WEDNESDAY):
            shown = moved(session_of(day), offset, offset)
            timeline.note(shown, midnight(day) + offset, midnight(day + DAY) + offset, offset, offset)
    first, second = timeline.pieces(at(TUESDAY + 10 * DAY, 0), at(TUESDAY + 13 * DAY, 12))
    assert (first.shift, second.shift) == (10 * DAY, 12 * DAY)
    assert first.last + first.shift == second.first + second.shift == midnight(TUESDAY + 12 * DAY)
    assert [one.day for one in timeline.sessions(TUESDAY + 10 * DAY, TUESDAY + 13 * DAY)] == [
        TUESDAY + n * DAY for n in (10, 11, 12, 13)
    ]
    shown = timeline.session_at(session_of(WEDNESDAY).open + 10 * DAY)
    assert shown is not None
    assert shown.morning == session_of(WEDNESDAY).morning + 10 * DAY
    assert timeline.session_at(shown.close) is None
    assert timeline.session_after(session_of(WEDNESDAY).open + 12 * DAY).day == WEDNESDAY + 13 * DAY


def test_a_day_laid_elsewhere_is_a_piece_of_its_own_and_nothing_around_it_shows() -> None:
    timeline = Timeline()
    shift = session_of(TUESDAY).open - session_of(FRIDAY).open
    timeline.note(session_of(TUESDAY), midnight(FRIDAY) + shift, midnight(FRIDAY + DAY) + shift, shift)
    assert timeline.pieces(at(TUESDAY - DAY, 12), at(FRIDAY, 12)) == [
        Piece(at(TUESDAY - DAY, 12), midnight(TUESDAY), NONE),
        Piece(midnight(FRIDAY), midnight(FRIDAY + DAY), shift),
    ]


def test_hours_that_are_not_the_calendars_are_kept() -> None:
    timeline = Timeline()
    short = Session(TUESDAY, session_of(TUESDAY).open, session_of(TUESDAY).open + timedelta(hours=3))
    timeline.note(short, midnight(TUESDAY), midnight(WEDNESDAY), NONE)
    assert timeline.sessions(TUESDAY, WEDNESDAY) == [short, session_of(WEDNESDAY)]
