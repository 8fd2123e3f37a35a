from datetime import UTC, date, datetime

import numpy as np
import pytest

from tandem.market import NEW_YORK, Span, Timeframe, Unit, new_york_midnight, new_york_offsets

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ticks(*moments: datetime) -> "np.typing.NDArray[np.int64]":
    return np.array([int((moment - EPOCH).total_seconds()) * 1_000_000 for moment in moments])


@pytest.mark.parametrize(
    ("text", "span"),
    [
        *(("1Min", Span(1, Unit.MINUTE)), ("59T", Span(59, Unit.MINUTE)), ("23H", Span(23, Unit.HOUR))),
        *(("4Hour", Span(4, Unit.HOUR)), ("1D", Span(1, Unit.DAY)), ("1Week", Span(1, Unit.WEEK))),
        *(("12Month", Span(12, Unit.MONTH)), ("3M", Span(3, Unit.MONTH)), ("1W", Span(1, Unit.WEEK))),
    ],
)
def test_a_timeframe_is_read_in_both_spellings(text: str, span: Span) -> None:
    assert Span.parse(text) == span
    assert Span.parse(str(span)) == span


@pytest.mark.parametrize(
    "text", ["", "Min", "0Min", "60Min", "24Hour", "2Day", "2Week", "5Month", "13M", "1min", "01Min", "1Min ", "-1Min"]
)
def test_what_alpaca_does_not_know_is_no_timeframe(text: str) -> None:
    with pytest.raises(ValueError, match="invalid timeframe"):
        Span.parse(text)


@pytest.mark.parametrize("timeframe", [frame for frame in Timeframe if frame is not Timeframe.DAY_1])
def test_bars_start_where_those_of_stored_timeframes_do(timeframe: Timeframe) -> None:
    moments = [datetime(2024, 1, 3, 14, 29, tzinfo=UTC), datetime(2024, 7, 3, 19, 59, 59, tzinfo=UTC)]
    starts = Span.of(timeframe).starts(ticks(*moments))
    assert starts.tolist() == ticks(*map(timeframe.start_of, moments)).tolist()


def test_several_hours_are_counted_from_midnight_in_new_york() -> None:
    moments = ticks(datetime(2024, 1, 3, 14, 30, tzinfo=UTC), datetime(2024, 7, 3, 14, 30, tzinfo=UTC))
    starts = Span(4, Unit.HOUR).starts(moments)
    assert starts.tolist() == ticks(datetime(2024, 1, 3, 13, tzinfo=UTC), datetime(2024, 7, 3, 12, tzinfo=UTC)).tolist()


def test_weeks_start_on_monday_and_months_are_counted_from_january() -> None:
    assert Span.parse("1Week").day_of(date(2024, 3, 3)) == date(2024, 2, 26)
    assert Span.parse("1Month").day_of(date(2024, 2, 29)) == date(2024, 2, 1)
    assert Span.parse("4Month").day_of(date(2024, 9, 1)) == date(2024, 9, 1)
    assert Span.parse("12Month").day_of(date(2024, 9, 1)) == date(2024, 1, 1)


def test_offsets_and_midnights_follow_new_yorks_clocks() -> None:
    switch = datetime(2024, 3, 10, 2, tzinfo=NEW_YORK).astimezone(UTC)
    around = ticks(switch, switch.replace(minute=59, hour=6), datetime(2024, 3, 10, 7, tzinfo=UTC))
    assert (new_york_offsets(around) // 3_600_000_000).tolist() == [-4, -5, -4]
    assert new_york_midnight(date(2024, 7, 1)) == ticks(datetime(2024, 7, 1, 4, tzinfo=UTC))[0]
