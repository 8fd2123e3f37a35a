from datetime import UTC, date, datetime, timedelta

import pandas as pd

from tandem.market import Bar, Timeframe
from tandem.matching import Act, MinuteBars, Reel

OPEN = datetime(2023, 1, 3, 14, 30, tzinfo=UTC)


def frame(*rows: tuple[str, datetime]) -> pd.DataFrame:
    bars = pd.DataFrame(rows, columns=["symbol", "start"]).assign(
        open=10.0, high=11.0, low=9.0, close=10.5, volume=1000
    )
    return bars.assign(start=bars["start"].astype("datetime64[us, UTC]"))


def minutes(n: int) -> timedelta:
    return timedelta(minutes=n)


def played(act: Act) -> dict[datetime, list[Bar]]:
    """What each mark of an act brings, marks without bars left out."""
    rows = [0, *act.ended(act.columns)]
    brought = {mark: list(MinuteBars(act.columns, a, b)) for mark, a, b in zip(act.marks, rows, rows[1:], strict=False)}
    return {mark: bars for mark, bars in brought.items() if bars}


def test_a_reel_has_every_minute_of_every_session_between_its_first_and_last_bar() -> None:
    reel = Reel.from_frame(frame(("B", OPEN), ("A", OPEN + timedelta(days=2))))
    acts = list(reel.acts())
    assert reel.symbols == ("A", "B")
    assert [act.session.day for act in acts] == [date(2023, 1, 3), date(2023, 1, 4), date(2023, 1, 5)]
    assert [len(act.marks) for act in acts] == [392] * 3
    assert acts[0].marks[0] == acts[0].session.morning
    assert acts[-1].marks[-1] == acts[-1].session.close


def test_a_bar_is_given_at_its_end_and_sorted_by_symbol() -> None:
    (act,) = Reel.from_frame(frame(("B", OPEN), ("A", OPEN), ("A", OPEN + minutes(1)))).acts()
    found = played(act)
    assert list(found) == [OPEN + minutes(1), OPEN + minutes(2)]
    assert [bar.symbol for bar in found[OPEN + minutes(1)]] == ["A", "B"]
    (bar,) = found[OPEN + minutes(2)]
    assert (bar.start, bar.open, bar.volume, bar.trade_count, bar.vwap) == (OPEN + minutes(1), 10.0, 1000, None, None)


def test_unknown_counts_are_none_and_known_ones_are_kept() -> None:
    bars = frame(("A", OPEN), ("B", OPEN)).assign(trade_count=[float("nan"), 7.0], vwap=[10.25, float("nan")])
    (act,) = Reel.from_frame(bars).acts()
    first, second = played(act)[OPEN + minutes(1)]
    assert (first.trade_count, first.vwap) == (None, 10.25)
    assert (second.trade_count, second.vwap) == (7, None)


def test_bars_of_a_weekend_are_given_after_the_session_before_them() -> None:
    saturday = OPEN + timedelta(days=4)
    friday, monday = list(Reel.from_frame(frame(("A", OPEN), ("A", saturday), ("A", OPEN + timedelta(days=6)))).acts())[
        -2:
    ]
    assert list(played(friday)) == [saturday + minutes(1)]
    assert list(played(monday)) == [OPEN + timedelta(days=6) + minutes(1)]


def test_the_clock_of_a_reel_that_begins_before_the_morning_stands_at_its_first_bar() -> None:
    night = datetime(2023, 1, 3, 9, 0, tzinfo=UTC)
    (act,) = Reel.from_frame(frame(("A", night), ("A", OPEN))).acts()
    assert act.marks[:3] == (night, night + minutes(1), act.session.morning)
    assert list(played(act)) == [night + minutes(1), OPEN + minutes(1)]


def test_longer_bars_are_given_at_their_ends_and_a_daily_bar_at_the_close() -> None:
    (act,) = Reel.from_frame(frame(("A", OPEN), ("A", OPEN + minutes(15))), timeframe=Timeframe.MIN_15).acts()
    assert list(played(act)) == [OPEN + minutes(15), OPEN + minutes(30)]
    assert len(act.marks) == 2 + 26
    (day,) = Reel.from_frame(frame(("A", datetime(2023, 1, 3, 5, tzinfo=UTC))), timeframe=Timeframe.DAY_1).acts()
    assert list(played(day)) == [day.session.close]
    assert day.marks == (day.session.morning, day.session.open, day.session.close)
