from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.market import DataError, Timeframe, World, WorldKind
from tandem.store import Loaded, Store

FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
OPEN = datetime(2023, 1, 3, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def bars(symbol: str = "AAPL", start: datetime = OPEN, count: int = 3, price: float = 100.0) -> pd.DataFrame:
    starts = pd.date_range(start, periods=count, freq="min", unit="us")
    closes = price + np.arange(count)
    return pd.DataFrame(
        {
            "symbol": symbol,
            "start": starts,
            "open": closes,
            "high": closes + 1,
            "low": closes - 1,
            "close": closes + 0.5,
            "volume": 1000 + np.arange(count),
        }
    )


def load(store: Store, frame: pd.DataFrame, **options: Any) -> Loaded:
    return store.bars.load(frame, **{"timeframe": Timeframe.MIN_1, "source": "sample", **options})


def read(store: Store, *symbols: str, **options: Any) -> pd.DataFrame:
    return store.bars.read(symbols or ("AAPL",), Timeframe.MIN_1, **{"first": FIRST, "last": LAST, **options})


def test_bars_come_back_as_a_bars_frame_sorted_by_symbol_and_start(store: Store) -> None:
    given_bars = pd.concat([bars("MSFT"), bars("A"), bars("GOOGL")])
    assert load(store, given_bars.sample(frac=1, random_state=7)) == Loaded(9, 0, 0)
    found = read(store, "MSFT", "GOOGL", "A", "NONE")
    pd.testing.assert_frame_equal(found, given_bars.sort_values(["symbol", "start"]).reset_index(drop=True))
    assert str(found["start"].dtype) == "datetime64[us, UTC]"
    assert found["volume"].dtype == np.int64


def test_unknown_trade_counts_and_vwaps_come_back_as_nan(store: Store) -> None:
    frame = pd.concat([bars("A"), bars("MSFT")]).assign(
        trade_count=[1, np.nan, 3, np.nan, 5, 6], vwap=[np.nan, np.nan, 100.5, np.nan, 101.0, 102.0]
    )
    load(store, frame)
    pd.testing.assert_frame_equal(read(store, "A", "MSFT"), frame.reset_index(drop=True))


def test_a_trade_count_or_vwap_that_makes_no_sense_is_unknown(store: Store) -> None:
    load(store, bars().assign(trade_count=[np.inf, -1, 5], vwap=[100.0, 1e300, np.nan]))
    found = read(store)
    assert found["trade_count"].isna().tolist() == [True, True, False]
    assert found["vwap"].isna().tolist() == [False, True, True]


def test_nothing_that_ends_after_the_last_moment_is_read(store: Store) -> None:
    load(store, bars(count=10))
    known = read(store, last=OPEN + 5 * MINUTE)
    assert list(known["start"])[-1] == pd.Timestamp(OPEN + 4 * MINUTE)
    assert len(read(store, last=OPEN + 5 * MINUTE - timedelta(microseconds=1))) == 4
    assert len(read(store, first=OPEN + MINUTE, last=OPEN + 5 * MINUTE)) == 4


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    last=st.integers(-30 * 60, 90 * 60).map(lambda seconds: OPEN + timedelta(seconds=seconds)),
    timeframe=st.sampled_from([Timeframe.MIN_1, Timeframe.MIN_5, Timeframe.HOUR_1]),
)
def test_no_moment_reads_the_future(module_store: Store, last: datetime, timeframe: Timeframe) -> None:
    frame = bars(count=30)
    load(module_store, frame, timeframe=timeframe)
    found = module_store.bars.read(["AAPL"], timeframe, first=FIRST, last=last)
    ends = frame["start"] + timeframe.length
    assert list(found["start"]) == list(frame["start"][ends <= pd.Timestamp(last)])


def test_times_without_a_zone_are_refused(store: Store) -> None:
    with pytest.raises(DataError, match="no zone"):
        read(store, last=datetime(2023, 1, 3))  # noqa: DTZ001


def test_loading_again_adds_nothing(store: Store) -> None:
    assert load(store, bars(count=5)) == Loaded(5, 0, 0)
    assert load(store, bars(count=5)) == Loaded(0, 5, 0)
    assert load(store, bars(count=8)) == Loaded(3, 5, 0)
    assert len(read(store)) == 8


def test_the_first_bar_of_a_place_stays(store: Store) -> None:
    load(store, bars(price=100))
    assert load(store, bars(price=200)) == Loaded(0, 3, 0, other=3)
    assert read(store)["open"].tolist() == [100, 101, 102]


def test_a_revision_is_kept_beside_the_first_bar(store: Store) -> None:
    load(store, bars(price=100))
    revised = bars(price=100, count=4).assign(volume=[1000, 7, 1002, 1003])
    assert load(store, revised, revise=True) == Loaded(1, 2, 0, revised=1)
    assert load(store, revised, revise=True) == Loaded(0, 4, 0, revised=0)
    assert read(store)["volume"].tolist() == [1000, 1001, 1002, 1003]
    assert read(store, revised=True)["volume"].tolist() == [1000, 7, 1002, 1003]
    again = bars(price=100).assign(volume=[1000, 8, 1002])
    assert load(store, again, revise=True) == Loaded(0, 2, 0, revised=1)
    assert read(store, revised=True)["volume"].tolist() == [1000, 8, 1002, 1003]


def test_worlds_sources_and_timeframes_never_mix(store: Store) -> None:
    world = World(WorldKind.RECYCLER, 1)
    load(store, bars(price=100))
    load(store, bars(price=200), world=world)
    load(store, bars(price=300), timeframe=Timeframe.MIN_5)
    assert read(store)["open"].tolist() == [100, 101, 102]
    assert read(store, world=world)["open"].tolist() == [200, 201, 202]
    assert read(store, world=World(WorldKind.RECYCLER, 2)).empty


def test_two_sources_of_one_bar_must_be_named(store: Store) -> None:
    load(store, bars(price=100))
    load(store, bars(price=200), source="alpaca", feed="iex")
    load(store, bars(price=300), source="alpaca", feed="sip", adjustment="split")
    with pytest.raises(DataError, match="AAPL has bars of several sources"):
        read(store)
    assert read(store, source="sample")["open"].tolist() == [100, 101, 102]
    assert read(store, source="alpaca", feed="iex")["open"].tolist() == [200, 201, 202]
    assert read(store, adjustment="split")["open"].tolist() == [300, 301, 302]


def test_bars_of_many_months_go_into_their_partitions_and_come_back_in_order(store: Store) -> None:
    midnights = ["2023-01-31 23:59", "2023-02-01 00:00", "2023-12-31 23:59", "2024-01-01 00:00"]
    frame = bars(count=4).assign(start=pd.to_datetime(midnights, utc=True).as_unit("us"))
    assert load(store, frame).added == 4
    assert list(read(store)["start"]) == list(frame["start"])


def test_no_symbols_and_no_bars_give_an_empty_frame_of_the_right_kind(store: Store) -> None:
    assert load(store, bars(count=3).head(0)) == Loaded(0, 0, 0)
    for empty in (store.bars.read([], Timeframe.MIN_1, first=FIRST, last=LAST), read(store, "AAPL")):
        assert empty.empty
        assert str(empty["start"].dtype) == "datetime64[us, UTC]"
        assert list(empty.columns[:7]) == ["symbol", "start", "open", "high", "low", "close", "volume"]


BREAKS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "close nan is not a finite number": lambda frame: frame.assign(close=[100.5, np.nan, 102.5]),
    "low -1 is not positive": lambda frame: frame.assign(low=[99.0, -1.0, 101.0]),
    "high 90.0 is below low 100.0": lambda frame: frame.assign(high=[101.0, 90.0, 103.0]),
    "open or close is outside low and high": lambda frame: frame.assign(open=[100.0, 500.0, 102.0]),
    "volume -1.0 is negative or not a number": lambda frame: frame.assign(volume=[1, -1, 1]),
    "volume nan is negative or not a number": lambda frame: frame.assign(volume=["1", "many", "1"]),
    "volume 1.5 is not a count of shares": lambda frame: frame.assign(volume=[1, 1.5, 1]),
    "volume 1e+16 is not a count of shares": lambda frame: frame.assign(volume=[1, 10**16, 1]),
    "no symbol": lambda frame: frame.assign(symbol=["AAPL", None, "AAPL"]),
    "no start": lambda frame: frame.assign(start=[frame["start"][0], pd.NaT, frame["start"][2]]),
    "a start without a zone": lambda frame: frame.assign(
        start=pd.Series([frame["start"][0], datetime(2023, 1, 3, 14, 31), frame["start"][2]], dtype="object")  # noqa: DTZ001
    ),
    "a start outside the years 1900 to 2099": lambda frame: frame.assign(
        start=pd.to_datetime(["2023-01-03T14:30Z", "1770-01-01T00:00Z", "2023-01-03T14:32Z"]).as_unit("us")
    ),
    "given twice in one load; the first was taken": lambda frame: frame.assign(
        start=list(frame["start"].iloc[[0, 0, 2]])
    ),
}


@pytest.mark.parametrize("reason", BREAKS)
def test_a_broken_row_goes_to_quarantine_with_its_reason_and_the_others_are_stored(store: Store, reason: str) -> None:
    broken = BREAKS[reason](bars())
    assert load(store, broken) == Loaded(2, 0, 1)
    assert load(store, broken) == Loaded(0, 2, 1)
    (row,) = store.bars.quarantine().to_dict("records")
    assert row["reason"] == reason
    assert row["source"] == "sample"
    assert set(row["given"]) == set(broken.columns)
    assert len(read(store)) == 2


def test_a_frame_whose_times_have_no_zone_is_quarantined_whole(store: Store) -> None:
    naive = bars().assign(start=lambda frame: frame["start"].dt.tz_localize(None))
    assert load(store, naive) == Loaded(0, 0, 3)
    assert set(store.bars.quarantine()["reason"]) == {"a start without a zone"}


def test_a_frame_without_a_column_is_refused_by_name(store: Store) -> None:
    with pytest.raises(DataError, match="close, volume"):
        load(store, bars().drop(columns=["close", "volume"]))


def test_a_load_that_fails_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("pulled the plug")

    monkeypatch.setattr("tandem.store.bars.months.attach", fail)
    with pytest.raises(RuntimeError):
        load(store, BREAKS["no symbol"](bars()))
    monkeypatch.undo()
    assert store.bars.quarantine().empty
    assert load(store, bars()) == Loaded(3, 0, 0)


def test_loads_that_need_the_same_new_months_at_once_all_succeed(store: Store) -> None:
    months = [datetime(2023, month, 3, 15, tzinfo=UTC) for month in range(1, 7)]

    def load_one(n: int) -> Loaded:
        order = months if n % 2 else months[::-1]
        return load(store, pd.concat([bars(f"S{n}", start) for start in order] + [bars("SAME", months[0])]))

    with ThreadPoolExecutor(6) as threads:
        loaded = list(threads.map(load_one, range(6)))
    assert sum(one.added for one in loaded) == 6 * 6 * 3 + 3
    assert sum(one.skipped for one in loaded) == 5 * 3
    assert len(read(store, "SAME", *(f"S{n}" for n in range(6)))) == 6 * 6 * 3 + 3


SHARES = st.integers(0, 2**53 - 1)
PRICE = st.floats(0.01, 1e6)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["A", "BB", "BRK.B", "ÜBER"]), st.integers(0, 5000), PRICE, st.integers(0, 2**53 - 1)
        ),
        unique_by=lambda row: row[:2],
        max_size=20,
    )
)
def test_every_figure_comes_back_bit_for_bit(module_store: Store, rows: list[tuple[str, int, float, int]]) -> None:
    world = module_store.new_world(WorldKind.BACKTEST)
    frame = pd.DataFrame(
        {
            "symbol": pd.Series([row[0] for row in rows], dtype="str"),
            "start": pd.Series([OPEN + row[1] * MINUTE for row in rows], dtype="datetime64[us, UTC]"),
            **{name: np.array([row[2] for row in rows]) for name in ("open", "high", "low", "close")},
            "volume": np.array([row[3] for row in rows], dtype=np.int64),
        }
    )
    assert load(module_store, frame, world=world).added == len(rows)
    found = read(module_store, "A", "BB", "BRK.B", "ÜBER", world=world)
    expected = frame.sort_values(["symbol", "start"]).reset_index(drop=True)
    assert found["close"].tolist() == expected["close"].tolist()
    assert found["start"].tolist() == expected["start"].tolist()
    assert found["volume"].tolist() == expected["volume"].tolist()


def test_coverage_counts_missing_days_and_holes_within_days(store: Store) -> None:
    first, third, fourth = (OPEN + timedelta(days=n) for n in (0, 2, 3))
    whole = pd.concat([bars(start=first), bars(start=third, count=5).drop(index=[2]), bars(start=fourth)])
    load(store, whole)
    load(store, bars("MSFT"), world=World(WorldKind.RECYCLER, 1))
    (row,) = store.bars.coverage().to_dict("records")
    assert (row["symbol"], row["timeframe"], row["source"]) == ("AAPL", "1Min", "sample")
    assert (row["rows"], row["sessions"], row["gaps"]) == (10, 3, 2)
    assert row["first"] == pd.Timestamp(first)
    assert row["last"] == pd.Timestamp(fourth + 2 * MINUTE)
    (span,) = store.bars.spans().to_dict("records")
    assert span == {name: row[name] for name in ("symbol", "timeframe", "first", "last")}


def test_coverage_of_daily_bars_knows_holidays_and_daylight_saving(store: Store) -> None:
    days = [date(2023, 3, 9), date(2023, 3, 10), date(2023, 3, 13), date(2023, 3, 15)]
    starts = pd.DatetimeIndex([pd.Timestamp(day, tz="America/New_York") for day in days]).tz_convert("UTC")
    load(store, bars(count=4).assign(start=starts.as_unit("us")), timeframe=Timeframe.DAY_1)
    (row,) = store.bars.coverage().to_dict("records")
    assert (row["sessions"], row["gaps"]) == (4, 1)


def test_an_empty_store_covers_nothing(store: Store) -> None:
    assert store.bars.coverage().empty
    assert store.bars.spans().empty
    assert store.bars.symbols(Timeframe.MIN_1) == []


def test_symbols_are_listed_per_timeframe(store: Store) -> None:
    load(store, pd.concat([bars("MSFT"), bars("AAPL"), bars("MSFT", OPEN + timedelta(days=40))]))
    load(store, bars("IBM"), timeframe=Timeframe.HOUR_1)
    assert store.bars.symbols(Timeframe.MIN_1) == ["AAPL", "MSFT"]
    assert store.bars.symbols(Timeframe.HOUR_1) == ["IBM"]


def live_and_history(store: Store) -> None:
    """Split-adjusted history of two days, and the second day as it was seen live, without its last minute."""
    history = pd.concat([bars(price=50.0), bars(start=OPEN + timedelta(days=1), price=50.0)])
    load(store, history, source="alpaca", feed="iex", adjustment="split")
    load(store, bars(start=OPEN + timedelta(days=1), count=2, price=100.0), source="alpaca", feed="iex")


def test_a_mixture_of_live_bars_and_adjusted_history_is_refused_where_none_is_preferred(store: Store) -> None:
    live_and_history(store)
    with pytest.raises(DataError, match="AAPL has bars of several sources"):
        read(store)


def test_a_window_over_many_days_reads_adjusted_history_alone(store: Store) -> None:
    live_and_history(store)
    assert read(store, prefer="adjusted")["open"].tolist() == [50, 51, 52, 50, 51, 52]


def test_what_a_desk_saw_is_raw_on_the_days_that_have_it(store: Store) -> None:
    live_and_history(store)
    assert read(store, prefer="seen")["open"].tolist() == [50, 51, 52, 100, 101]


def test_real_bars_are_preferred_to_simulated_ones_and_longer_series_to_shorter(store: Store) -> None:
    load(store, bars(count=9, price=10.0), source="simulated")
    load(store, bars(count=2, price=20.0), source="file")
    load(store, bars(count=3, price=30.0), source="sample")
    for prefer in ("adjusted", "seen"):
        assert read(store, prefer=prefer)["open"].tolist() == [30, 31, 32]
        assert read(store, prefer=prefer, source="file")["open"].tolist() == [20, 21]


def test_each_symbol_is_read_from_its_own_preferred_series_in_order(store: Store) -> None:
    load(store, bars("MSFT", price=10.0), adjustment="raw")
    load(store, bars("AAPL", price=20.0), adjustment="split")
    load(store, bars("AAPL", price=40.0), adjustment="raw")
    found = read(store, "AAPL", "MSFT", "NONE", prefer="adjusted")
    assert found["open"].tolist() == [20, 21, 22, 10, 11, 12]
    assert read(store, "NONE", prefer="seen").empty


def test_a_bar_near_midnight_belongs_to_its_day_in_new_york(store: Store) -> None:
    late = datetime(2023, 1, 4, 1, 0, tzinfo=UTC)
    load(store, bars(start=late, price=10.0), adjustment="split")
    load(store, bars(start=OPEN, price=20.0))
    assert read(store, prefer="seen")["open"].tolist() == [20, 21, 22]
