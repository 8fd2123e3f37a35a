from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tandem.market import NEW_YORK, Bar, Calendar, DataError, Order, OrderEvent, RecyclerError, Session, Side, Timeframe
from tandem.matching import Minute, Place, Rejected, Replay
from tandem.recycler.options import Options
from tandem.recycler.reel.billing import ReelStarted, record_start
from tandem.recycler.reel.programme import replay_of
from tandem.recycler.reel.shelf import File, Shelf
from tandem.store import MemoryFacts, Store

DAYS = [date(2023, 1, 3), date(2023, 1, 4), date(2023, 1, 6)]
NOW = datetime(2026, 5, 3, 17, 12, 40, tzinfo=UTC)


class Wall:
    """A wall clock that the test moves."""

    def __init__(self, now: datetime = NOW) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment


def session_of(day: date) -> Session:
    session = Calendar().session(day)
    assert session is not None
    return session


def bars_of(symbol: str, days: list[date], at: tuple[int, ...] = (0, 1, 389), base: float = 10.0) -> pd.DataFrame:
    """A few bars a day, each at a price of its own."""
    starts = [session_of(day).open + timedelta(minutes=n) for day in days for n in at]
    prices = [base + n / 100 for n in range(len(starts))]
    frame = pd.DataFrame({"symbol": symbol, "start": pd.to_datetime(starts).astype("datetime64[us, UTC]")})
    return frame.assign(open=prices, high=prices, low=prices, close=prices, volume=1000)


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    """A on three days, B on the second alone; the 5th has no bars."""
    return Shelf(File(pd.concat([bars_of("A", DAYS), bars_of("B", DAYS[1:2], base=50.0)])), allow_simulated=True)


def play(shelf: Shelf, *symbols: str, wall: Wall | None = None, place: Place | None = None, **said: Any) -> Replay:
    return replay_of(Options(symbols or ("A",), **said), shelf, wall or Wall(), place)


def minutes_of(replay: Replay, most: int = 5_000) -> Iterator[Minute]:
    for _ in range(most):
        if replay.next_mark is None:
            return
        yield replay.step()


def heard(replay: Replay, most: int = 5_000) -> list[tuple[datetime, Bar]]:
    return [(minute.mark, bar) for minute in minutes_of(replay, most) for bar in minute.bars]


def opens(played: list[tuple[datetime, Bar]]) -> list[float]:
    return [bar.open for _, bar in played]


def test_a_single_pass_plays_every_session_at_its_own_time_empty_ones_too(shelf: Shelf) -> None:
    replay = play(shelf)
    played = heard(replay)
    assert [bar.start for _, bar in played] == bars_of("A", DAYS)["start"].to_list()
    assert all(mark == bar.end for mark, bar in played)
    assert replay.next_mark is None
    assert replay.time == session_of(DAYS[-1]).close


def test_a_date_range_has_both_its_ends(shelf: Shelf) -> None:
    played = heard(play(shelf, mode="date_range", start=DAYS[1], end=DAYS[2]))
    assert {bar.start.date() for _, bar in played} == set(DAYS[1:])
    assert len(heard(play(shelf, mode="date_range", end=DAYS[0]))) == 3


def test_a_loop_at_original_times_starts_over_with_a_new_account_in_the_next_loop_of_its_world(shelf: Shelf) -> None:
    replay = play(shelf, mode="loop", loop_count=2)
    replay.submit(Order("a", "A", Side.BUY, Decimal(5)))
    worlds, starts = [], []
    for minute in minutes_of(replay):
        worlds.append(str(replay.engine.world))
        starts += [bar.start for bar in minute.bars]
    assert starts == bars_of("A", DAYS)["start"].to_list() * 2
    assert list(dict.fromkeys(worlds)) == ["recycler-1", "recycler-1-1"]
    assert replay.engine.account().cash == 100_000
    assert replay.engine.tickets() == []


def test_current_timestamps_make_the_first_bar_start_now_and_move_everything_by_one_offset(shelf: Shelf) -> None:
    replay = play(shelf, timestamps="current")
    assert replay.time == replay.began == NOW.replace(second=0)
    assert replay.session is not None
    assert (replay.session.day, replay.session.open) == (date(2026, 5, 3), replay.time)
    played = heard(replay)
    shift = played[0][1].start - session_of(DAYS[0]).open
    assert played[0][1].start == NOW.replace(second=0)
    assert [bar.start - shift for _, bar in played] == bars_of("A", DAYS)["start"].to_list()
    sessions = replay.timeline.sessions(date(2026, 5, 3), date(2026, 5, 6))
    assert [(one.day, one.open - shift) for one in sessions] == [
        (date(2026, 5, 3) + timedelta(days=n), session_of(day).open)
        for n, day in enumerate([DAYS[0], DAYS[1], date(2023, 1, 5), DAYS[2]])
    ]


def test_the_next_loop_starts_now_but_never_before_the_end_of_the_last_and_on_a_day_of_its_own(shelf: Shelf) -> None:
    wall = Wall()
    replay = play(shelf, timestamps="current", mode="loop", end=DAYS[0], wall=wall)
    first = list(islice(minutes_of(replay), 390))
    assert replay.session is None
    second = replay.step()
    assert second.mark.astimezone(NEW_YORK).date() == date(2026, 5, 4)
    for _ in range(390):
        replay.step()
    wall.moment = NOW + timedelta(days=40)
    assert replay.next_mark == wall.moment.replace(second=0)
    marks = [minute.mark for minute in first] + [second.mark, replay.step().mark]
    assert marks == sorted(set(marks))


def test_a_shuffle_plays_whole_sessions_drawn_by_its_seed_and_draws_again_each_loop(shelf: Shelf) -> None:
    said = {"mode": "shuffle_days", "loop_count": 4}
    played = heard(play(shelf, **said), 20_000)
    assert opens(played) == opens(heard(play(shelf, **said), 20_000))
    assert opens(played) != opens(heard(play(shelf, **said, shuffle_seed=8), 20_000))
    days = [tuple(opens(played)[n : n + 3]) for n in range(0, 36, 3)]
    known = bars_of("A", DAYS)["open"].to_list()
    assert set(days) <= {tuple(known[n : n + 3]) for n in range(0, 9, 3)}
    assert len({tuple(days[n : n + 3]) for n in range(0, 12, 3)}) > 1


def test_spliced_days_lie_on_successive_sessions_from_the_first_one_on(shelf: Shelf) -> None:
    played = heard(play(shelf, mode="splice", splice=(DAYS[2], DAYS[0], DAYS[2]), loop_count=1))
    known = bars_of("A", DAYS)["open"].to_list()
    assert opens(played) == known[6:] + known[:3] + known[6:]
    laid = list(dict.fromkeys(bar.start.astimezone(NEW_YORK).date() for _, bar in played))
    assert laid == [date(2023, 1, 6), date(2023, 1, 9), date(2023, 1, 10)]


def test_half_days_close_early_and_summer_time_is_kept_wherever_a_day_is_laid() -> None:
    summer, half = date(2023, 7, 5), date(2023, 7, 3)
    winter = date(2023, 11, 24)
    shelf = Shelf(File(bars_of("A", [half, summer, winter], at=(0, 209))), allow_simulated=True)
    replay = play(shelf, mode="splice", splice=(winter, summer, half), loop_count=1)
    heard(replay)
    sessions = replay.timeline.sessions(date(2023, 11, 24), date(2023, 11, 28))
    hours = [(one.open.astimezone(NEW_YORK).hour, one.close.astimezone(NEW_YORK).hour) for one in sessions]
    assert hours == [(9, 13), (9, 16), (9, 13)]
    assert replay.time == sessions[-1].close


def test_a_day_that_cannot_be_spliced_is_named(shelf: Shelf) -> None:
    with pytest.raises(RecyclerError, match=r"2023-01-05 \(no bars\), 2023-01-07 \(no trading\)"):
        play(shelf, mode="splice", splice=(DAYS[0], date(2023, 1, 5), date(2023, 1, 7)))


def test_long_silences_are_passed_over() -> None:
    shelf = Shelf(File(bars_of("A", [DAYS[0], date(2023, 3, 1)])), allow_simulated=True)
    marks = [minute.mark for minute in minutes_of(play(shelf))]
    assert {mark.date() for mark in marks} == {DAYS[0], date(2023, 3, 1)}


def test_a_symbol_without_bars_plays_its_proxys_and_says_so(shelf: Shelf) -> None:
    replay = play(shelf, "A", "Z", "ROG", any_proxy=True, proxies={"ROG": "B"})
    assert replay.reel.proxies == {"Z": "A", "ROG": "B"}
    assert replay.reel.sources == {"A": "file", "Z": "file", "ROG": "file"}
    minute = next(minute for minute in minutes_of(replay) if len(minute.bars) == 3)
    assert [(bar.symbol, bar.open) for bar in minute.bars] == [("A", 10.03), ("ROG", 50.0), ("Z", 10.03)]
    with pytest.raises(RecyclerError, match="no 1-minute bars of Z"):
        play(shelf, "A", "Z")
    with pytest.raises(RecyclerError, match="no 1-minute bars of Y, Z"):
        play(shelf, "Y", "Z", any_proxy=True)


def test_seeking_forward_shows_and_fills_nothing_in_between_but_ends_the_orders_of_the_day(shelf: Shelf) -> None:
    replay = play(shelf)
    replay.submit(Order("a", "A", Side.BUY, Decimal(5)))
    told = replay.seek(session_of(DAYS[1]).morning)
    assert replay.time == session_of(DAYS[1]).morning
    assert [update.event for update in told] == [OrderEvent.NEW, OrderEvent.EXPIRED]
    assert (replay.barrier.bars, replay.barrier.last_bars) == (0, {})
    assert replay.engine.prices.close("A") == Decimal("10.02")
    assert replay.engine.account().cash == 100_000
    with pytest.raises(Rejected, match="cannot go back"):
        replay.seek(session_of(DAYS[0]).open)
    with pytest.raises(DataError, match="the reel ends at"):
        replay.seek(session_of(DAYS[2]).close + timedelta(minutes=1))


@pytest.mark.parametrize("loop_count", [2, -1])
def test_a_seek_beyond_the_last_day_of_a_loop_is_refused_before_anything_moves(shelf: Shelf, loop_count: int) -> None:
    replay = play(shelf, mode="loop", loop_count=loop_count)
    replay.submit(Order("a", "A", Side.BUY, Decimal(5)))
    place, engine = replay.place, replay.engine
    with pytest.raises(DataError, match=r"the reel ends at 2023-01-06 21:00 UTC\. Seek that moment or an earlier one"):
        replay.seek(datetime(2200, 1, 1, tzinfo=UTC))
    assert (replay.place, replay.engine) == (place, engine)
    assert [ticket.is_open for ticket in engine.tickets()] == [True]
    replay.seek(replay.last_mark)
    assert (replay.time, replay.engine) == (session_of(DAYS[-1]).close, engine)


def test_a_loop_that_started_over_is_wound_back_to_its_own_beginning(shelf: Shelf) -> None:
    replay = play(shelf, mode="loop", timestamps="current")
    while replay.place.loop == 0:
        replay.step()
    began = replay.began
    assert replay.time == began
    replay.seek(replay.last_mark)
    replay.seek(began)
    assert (replay.time, replay.place.loop) == (began, 1)
    with pytest.raises(DataError, match="the replay began"):
        replay.seek(began - timedelta(minutes=1))


@pytest.mark.parametrize("timestamps", ["original", "current"])
def test_a_stored_day_is_sought_by_its_own_date(shelf: Shelf, timestamps: str) -> None:
    replay = play(shelf, mode="splice", splice=(DAYS[2], DAYS[0], DAYS[2]), loop_count=1, timestamps=timestamps)
    found = []
    for day in (DAYS[0], DAYS[2], DAYS[0], DAYS[2]):
        replay.seek(replay.moment_of(day))
        found.append((replay.act.day, replay.act.number))
    assert found == [(DAYS[0], 1), (DAYS[2], 2), (DAYS[0], 1), (DAYS[2], 2)]
    with pytest.raises(DataError, match="2023-01-04 is not played in this loop"):
        replay.moment_of(DAYS[1])
    replay = play(shelf, timestamps=timestamps)
    replay.seek(replay.moment_of(DAYS[1]))
    assert replay.act.day == DAYS[1]
    replay.seek(replay.moment_of(DAYS[0]))
    assert replay.time == replay.began


@pytest.mark.parametrize("timestamps", ["original", "current"])
def test_seeking_back_is_allowed_before_any_order(shelf: Shelf, timestamps: str) -> None:
    replay = play(shelf, timestamps=timestamps)
    first = heard(replay)
    replay.seek(replay.began)
    assert replay.time == replay.began
    assert replay.engine.prices.close("A") is None
    assert heard(replay) == first
    with pytest.raises(DataError, match="the replay began"):
        replay.seek(replay.began - timedelta(minutes=1))


MODES: list[dict[str, Any]] = [
    {"mode": "single_pass"},
    {"mode": "loop", "loop_count": 3, "timestamps": "current"},
    {"mode": "date_range", "start": DAYS[1], "timestamps": "current"},
    {"mode": "shuffle_days", "loop_count": 3},
    {"mode": "shuffle_days", "loop_count": 3, "timestamps": "current"},
    {"mode": "splice", "splice": (DAYS[2], DAYS[0], DAYS[1]), "loop_count": 2, "timestamps": "current"},
]


@settings(deadline=None, max_examples=20)
@given(said=st.sampled_from(MODES), seed=st.integers(0, 50), hours=st.integers(0, 24 * 300), pause=st.integers(0, 50))
@example(said=MODES[4], seed=0, hours=8, pause=10)
def test_time_only_goes_forward_and_no_bar_comes_twice(
    shelf: Shelf, said: dict[str, Any], seed: int, hours: int, pause: int
) -> None:
    wall = Wall(NOW + timedelta(hours=hours))
    replay = play(shelf, "A", "B", wall=wall, shuffle_seed=seed, **said)
    before, starts, days = replay.time, set(), []
    for minute in minutes_of(replay, 8_000):
        assert minute.mark > before
        assert replay.timeline.session_at(minute.mark) == replay.session
        before, wall.moment = minute.mark, wall.moment + timedelta(minutes=pause)
        days.append(replay.act.session.day)
        for bar in minute.bars:
            assert bar.end == minute.mark
            assert (bar.symbol, bar.start) not in starts
            starts.add((bar.symbol, bar.start))
    assert days == sorted(days)


@pytest.mark.parametrize("said", MODES)
def test_where_a_loop_ends_is_known_from_any_of_its_days(shelf: Shelf, said: dict[str, Any]) -> None:
    replay = play(shelf, "A", "B", **said)
    ends, said_before = {}, {}
    for minute in minutes_of(replay, 8_000):
        ends[replay.place.loop] = minute.mark
        if minute.mark == replay.act.session.close:
            said_before.setdefault(replay.place.loop, set()).add(replay.last_mark)
    assert said_before == {loop: {end} for loop, end in ends.items()}


@settings(deadline=None, max_examples=20)
@given(said=st.sampled_from(MODES), seed=st.integers(0, 50), hours=st.integers(0, 24 * 300))
def test_what_was_played_is_what_the_timeline_finds_in_the_store(
    shelf: Shelf, said: dict[str, Any], seed: int, hours: int
) -> None:
    replay = play(shelf, "A", "B", wall=Wall(NOW + timedelta(hours=hours)), shuffle_seed=seed, **said)
    began = replay.began
    played = [bar for _, bar in heard(replay)]
    found = []
    for piece in replay.timeline.pieces(began, replay.time):
        stored = shelf.read(["A", "B"], Timeframe.MIN_1, piece.first, piece.last)
        found += [
            (row.start.to_pydatetime() + piece.shift, row.symbol, row.open) for row in stored.itertuples(index=False)
        ]
    assert sorted(found) == [(bar.start, bar.symbol, bar.open) for bar in played]


@settings(deadline=None, max_examples=20)
@given(said=st.sampled_from(MODES), seed=st.integers(0, 50), steps=st.integers(0, 4_000), later=st.integers(0, 900))
def test_a_replay_goes_on_from_any_place_as_if_nothing_had_happened(
    shelf: Shelf, said: dict[str, Any], seed: int, steps: int, later: int
) -> None:
    wall = Wall()
    replay = play(shelf, "A", "B", wall=wall, shuffle_seed=seed, **said)
    for _ in islice(minutes_of(replay), steps):
        pass
    place = replay.place
    closes = {symbol: replay.engine.prices.close(symbol) for symbol in "AB"}
    again = play(shelf, "A", "B", wall=wall, place=place, shuffle_seed=seed, **said)
    assert (again.time, again.session, again.place) == (replay.time, replay.session, place)
    assert again.began == place.mark
    assert {symbol: again.engine.prices.close(symbol) for symbol in "A"} == {"A": closes["A"]}
    wall.moment += timedelta(hours=later)
    assert heard(again, 1_500) == heard(replay, 1_500)


def test_daily_bars_are_played_at_their_closes() -> None:
    starts = [pd.Timestamp(day, tz=NEW_YORK).tz_convert("UTC") for day in DAYS]
    days = bars_of("A", DAYS, at=(0,)).assign(start=pd.Series(starts).astype("datetime64[us, UTC]"))
    replay = play(Shelf(File(days, Timeframe.DAY_1)), timeframe=Timeframe.DAY_1)
    assert [mark for mark, _ in heard(replay)] == [session_of(day).close for day in DAYS]


def test_revisions_follow_their_bars_one_mark_later(store: Store) -> None:
    bars = bars_of("A", DAYS[:1], at=(0, 1, 2, 389))
    store.bars.load(bars, timeframe=Timeframe.MIN_1, source="alpaca", feed="iex")
    for volume in (1500, 2000):
        late = bars.iloc[[1, 3]].assign(volume=volume)
        store.bars.load(late, timeframe=Timeframe.MIN_1, source="alpaca", feed="iex", revise=True)
    replay = play(Shelf(store.bars, store))
    revised = {minute.mark: list(minute.revised) for minute in minutes_of(replay) if minute.revised}
    opened = session_of(DAYS[0]).open
    assert {mark: [(bar.start, bar.volume) for bar in bars] for mark, bars in revised.items()} == {
        opened + timedelta(minutes=3): [(opened + timedelta(minutes=1), 2000)]
    }


def test_what_is_played_is_put_on_record_once_per_start(shelf: Shelf) -> None:
    options = Options(("A", "Z"), any_proxy=True)
    facts = MemoryFacts(options.world)
    replay = replay_of(options, shelf, Wall())
    for _ in range(2):
        record_start(facts, replay, options)
    (record,) = facts.read(ReelStarted)
    assert (record.session, record.at) == (DAYS[0], replay.began)
    assert (record.body.proxies, record.body.sources["Z"], record.body.mode) == ({"Z": "A"}, "file", "single_pass")
