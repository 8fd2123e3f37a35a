from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tandem.market import NEW_YORK, Calendar, Span, Timeframe, resample
from tandem.matching import Timeline
from tandem.recycler.history.line import Line
from tandem.recycler.history.past import Page, Past, Wanted
from tandem.store import Strip

DAYS = Calendar().sessions(date(2024, 6, 27), date(2024, 7, 10))  # a half day on July 3, a holiday on July 4
TIMEFRAMES = ("1Min", "7Min", "30Min", "1Hour", "4Hour", "1Day", "1Week", "1Month", "3Month")
FIELDS = ("open", "high", "low", "close", "volume", "trade_count", "vwap")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SHIFT = timedelta(days=700, hours=2, minutes=17)

Frames = Mapping[Timeframe, pd.DataFrame]


def walk(symbol: str, starts: pd.DatetimeIndex, seed: int) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    closes = 100 * np.exp(np.cumsum(chance.normal(0, 1e-3, len(starts)))).round(4)
    opens = (closes + chance.normal(0, 0.05, len(starts))).round(4)
    return pd.DataFrame(
        {
            "symbol": symbol,
            "start": starts,
            "open": opens,
            "high": np.maximum(opens, closes) + 0.02,
            "low": np.minimum(opens, closes) - 0.02,
            "close": closes,
            "volume": chance.integers(1, 100_000, len(starts)),
            "trade_count": chance.integers(1, 1000, len(starts)).astype(float),
            "vwap": closes + 0.001,
        }
    )


def thinned(symbol: str, seed: int, days: Sequence[int], extended: bool = False) -> pd.DataFrame:
    before = timedelta(hours=2) if extended else timedelta()
    starts = [
        pd.date_range(DAYS[n].open - before, DAYS[n].close + before, freq="min", inclusive="left", unit="us")
        for n in days
    ]
    bars = walk(symbol, pd.DatetimeIndex(np.concatenate(starts)), seed)
    return bars.sample(frac=0.7, random_state=seed).sort_values("start")


def frames() -> Frames:
    everywhere = range(len(DAYS))
    minutes = pd.concat([thinned("A", 1, everywhere, extended=True), thinned("B", 2, [0, 1, 5])]).reset_index(drop=True)
    longer = pd.concat([thinned("B", 3, everywhere), thinned("C", 4, everywhere)]).reset_index(drop=True)
    return {
        Timeframe.MIN_1: minutes,
        Timeframe.HOUR_1: resample(longer, Timeframe.HOUR_1),
        Timeframe.DAY_1: resample(longer, Timeframe.DAY_1),
    }


class Frameshelf:
    """Bars of frames, as the store gives them."""

    def __init__(self, frames: Frames) -> None:
        self.parts = {
            (timeframe, symbol): part
            for timeframe, bars in frames.items()
            for symbol, part in bars.sort_values("start").groupby("symbol")
        }

    def strip(self, symbols: Sequence[str], timeframe: Timeframe, first: datetime, last: datetime) -> Strip:
        parts = [self.parts.get((timeframe, symbol), NONE) for symbol in sorted(symbols)]
        between = [np.searchsorted(part["start"], [first, last - timeframe.length + MICROSECOND]) for part in parts]
        bars = pd.concat([part.iloc[a:b] for part, (a, b) in zip(parts, between, strict=True)])
        names = tuple(sorted(symbols))
        return Strip(
            names,
            pd.Index(names).get_indexer(pd.Index(bars["symbol"])).astype(np.int32),
            bars["start"].dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64),
            {name: bars[name].to_numpy(np.float64) for name in ("open", "high", "low", "close")},
            bars["volume"].to_numpy(np.int64),
            {name: bars[name].to_numpy(np.float64) for name in ("trade_count", "vwap")},
        )


def timeline(shift: timedelta = timedelta()) -> Timeline:
    made = Timeline()
    if shift:
        session = DAYS[0]
        moved = type(session)((session.open + shift).astimezone(NEW_YORK).date(), session.open + shift, session.close)
        moved = type(session)(moved.day, moved.open, session.close + shift)
        made.note(moved, session.open + shift, datetime(2100, 1, 1, tzinfo=UTC), shift, shift)
    return made


ALL = frames()
NONE = ALL[Timeframe.MIN_1].head(0)


def past(frames: Frames = ALL, proxies: Mapping[str, str] | None = None, shift: timedelta = timedelta()) -> Past:
    return Past(Frameshelf(frames), timeline(shift), proxies or {})  # type: ignore[arg-type]


def start(day: int) -> datetime:
    return datetime.combine(DAYS[day].day, time(), NEW_YORK).astimezone(UTC)


def frame_of(line: Line) -> pd.DataFrame:
    starts = pd.to_datetime(line.start, unit="us", utc=True)
    return pd.DataFrame({"start": starts, **{name: getattr(line, name) for name in FIELDS}})


def wanted(timeframe: str, now: datetime, *symbols: str, **more: Any) -> Wanted:
    usual: dict[str, Any] = {"first": start(0), "last": now, "limit": 10_000}
    return Wanted(symbols or ("A", "B", "C"), Span.parse(timeframe), now=now, **{**usual, **more})


def rows_of(page: Page) -> list[tuple[Any, ...]]:
    rows = [(symbol, *row) for symbol, line in page.lines for row in zip(*map(list, line.columns), strict=True)]
    return [tuple("none" if value != value else value for value in row) for row in rows]


def poisoned(now: datetime) -> Frames:
    """The same bars up to `now`, and nonsense later."""
    spoilt = {}
    for timeframe, bars in ALL.items():
        ends = bars["start"] + timeframe.length
        if timeframe is Timeframe.DAY_1:
            closes = {session.day: session.close for session in DAYS}
            ends = bars["start"].dt.tz_convert(NEW_YORK).dt.date.map(closes)
        future = ends > now
        spoilt[timeframe] = bars.copy()
        spoilt[timeframe].loc[future, ["open", "high", "low", "close", "vwap"]] *= 1000
        spoilt[timeframe].loc[future, ["volume", "trade_count"]] += 1_000_000
        spoilt[timeframe] = spoilt[timeframe][~future | (np.arange(len(bars)) % 3 > 0)]
    return spoilt


moments = some.integers(0, 14 * 24 * 60).map(lambda minutes: start(0) + timedelta(minutes=minutes))
fractions = some.integers(0, 60_000_000).map(lambda ticks: ticks * MICROSECOND)


@settings(max_examples=60, deadline=None)
@given(
    now=moments,
    fraction=fractions,
    first=moments,
    last=moments,
    timeframe=some.sampled_from(TIMEFRAMES),
    limit=some.integers(1, 500),
    descending=some.booleans(),
    shifted=some.booleans(),
)
def test_whatever_happens_later_changes_no_answer(
    now: datetime,
    fraction: timedelta,
    first: datetime,
    last: datetime,
    timeframe: str,
    limit: int,
    descending: bool,
    shifted: bool,
) -> None:
    shift = SHIFT if shifted else timedelta()
    stands, future = now + fraction, poisoned(now + fraction)
    asked = wanted(
        timeframe, stands + shift, first=first + shift, last=last + shift, limit=limit, descending=descending
    )
    known, spoilt = past(shift=shift), past(future, shift=shift)
    assert rows_of(known.page(asked)) == rows_of(spoilt.page(asked))
    newest, other = (one.latest(("A", "B", "C"), asked.span, asked.now, 2) for one in (known, spoilt))
    assert newest.keys() == other.keys()
    assert all(frame_of(newest[symbol]).equals(frame_of(other[symbol])) for symbol in newest)


@settings(max_examples=20, deadline=None)
@given(
    now=moments,
    timeframe=some.sampled_from(TIMEFRAMES),
    limit=some.sampled_from((23, 100, 390, 1000)),
    descending=some.booleans(),
)
def test_pages_of_any_size_hold_every_bar_once(now: datetime, timeframe: str, limit: int, descending: bool) -> None:
    whole = rows_of(past().page(wanted(timeframe, now, descending=descending)))
    asked, pages = wanted(timeframe, now, limit=limit, descending=descending), []
    while True:
        page = past().page(asked)
        pages.append(rows_of(page))
        assert len(pages[-1]) <= limit
        if page.after is None:
            break
        assert len(pages[-1]) == limit
        asked = wanted(timeframe, now, limit=limit, descending=descending, after=page.after)
    assert [row for page in pages for row in page] == whole
    assert whole == sorted(whole, key=lambda row: (row[0], -row[1] if descending else row[1]))


@pytest.mark.parametrize("timeframe", [Timeframe.MIN_1, Timeframe.MIN_5, Timeframe.MIN_30, Timeframe.HOUR_1])
def test_longer_bars_are_those_that_pandas_makes_of_the_minutes_so_far(timeframe: Timeframe) -> None:
    now = DAYS[3].open + timedelta(minutes=100, seconds=30)
    minutes = ALL[Timeframe.MIN_1]
    known = minutes[(minutes["symbol"] == "A") & (minutes["start"] + timedelta(minutes=1) <= now)]
    expected = resample(known, timeframe)[["start", *FIELDS]]
    answer = past().page(wanted(timeframe.value, now, "A"))
    pd.testing.assert_frame_equal(frame_of(answer.lines[0][1]), expected, check_dtype=False, check_exact=False)


@pytest.mark.parametrize(("timeframe", "rule"), [("1Day", "D"), ("1Week", "W-SUN"), ("1Month", "MS"), ("3Month", "QS")])
def test_days_weeks_and_months_hold_sessions_alone(timeframe: str, rule: str) -> None:
    now = DAYS[8].open + timedelta(hours=1)
    minutes = ALL[Timeframe.MIN_1]
    inside = pd.concat(
        minutes[(minutes["symbol"] == "A") & (minutes["start"] >= s.open) & (minutes["start"] < s.close)] for s in DAYS
    )
    known = inside[inside["start"] + timedelta(minutes=1) <= now].set_index("start").tz_convert(NEW_YORK)
    whole = known.resample(rule).agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"})
    whole = whole[whole["volume"] > 0]
    months = {"first": datetime(2024, 4, 1, 4, tzinfo=UTC)}
    line = past().page(wanted(timeframe, now, "A", **months)).lines[0][1]
    np.testing.assert_allclose(np.stack([line.open, line.high, line.low, line.close, line.volume]), whole.to_numpy().T)
    begins = [(EPOCH + tick * MICROSECOND).astimezone(NEW_YORK) for tick in line.start.tolist()]
    assert {(moment.hour, moment.minute) for moment in begins} == {(0, 0)}
    if timeframe == "1Week":
        assert {moment.weekday() for moment in begins} == {0}


def test_stored_longer_bars_stand_in_on_days_without_minutes() -> None:
    now = DAYS[7].close
    days = dict(past().page(wanted("1Day", now)).lines)
    assert [len(days[symbol]) for symbol in "ABC"] == [8, 8, 8]
    stored = ALL[Timeframe.DAY_1].query("symbol == 'B'")["close"].to_numpy()
    made = days["B"].close
    assert (made == stored[:8]).tolist() == [False, False, True, True, True, False, True, True]
    hours = frame_of(dict(past().page(wanted("1Hour", now)).lines)["C"])
    expected = ALL[Timeframe.HOUR_1].query("symbol == 'C' and start < @now")[["start", *FIELDS]].reset_index(drop=True)
    pd.testing.assert_frame_equal(hours, expected, check_dtype=False)


def test_a_stored_day_is_known_at_its_close_and_not_a_minute_earlier() -> None:
    close = DAYS[4].close
    assert len(dict(past().page(wanted("1Day", close - timedelta(minutes=1), "C")).lines)["C"]) == 5
    assert (
        frame_of(dict(past().page(wanted("1Day", close, "C")).lines)["C"])["volume"].tolist()
        == (ALL[Timeframe.DAY_1].query("symbol == 'C'")["volume"].tolist()[:5])
    )


def test_a_proxied_symbol_has_the_bars_of_its_proxy() -> None:
    now = DAYS[1].close
    answer = dict(past(proxies={"P": "A"}).page(wanted("1Hour", now, "A", "P")).lines)
    assert frame_of(answer["P"]).equals(frame_of(answer["A"]))


def test_history_moves_with_the_replay() -> None:
    now = DAYS[4].open + timedelta(minutes=95)
    for timeframe in ("1Min", "1Hour"):
        stored = frame_of(past().page(wanted(timeframe, now, "A")).lines[0][1])
        asked = wanted(timeframe, now + SHIFT, "A", first=start(0) + SHIFT)
        replayed = frame_of(past(shift=SHIFT).page(asked).lines[0][1])
        assert replayed.assign(start=replayed["start"] - SHIFT).equals(stored)
    days = past().page(wanted("1Day", now, "A")).lines[0][1]
    moved = past(shift=SHIFT).page(wanted("1Day", now + SHIFT, "A", first=start(0) + SHIFT - timedelta(days=1)))
    assert moved.lines[0][1].close.tolist() == days.close.tolist()
