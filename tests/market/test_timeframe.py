"""Minutes become longer bars, and sessions are never mixed."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.market import NEW_YORK, Calendar, Timeframe, resample

FULL, HALF = date(2023, 11, 22), date(2023, 11, 24)
DST = (date(2023, 3, 10), date(2023, 3, 13))
FIGURES = ["open", "high", "low", "close", "volume"]
LONGER = [length for length in Timeframe if length is not Timeframe.MIN_1]


def minutes(*days: date, symbols: tuple[str, ...] = ("AAPL",), seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frames = []
    for symbol in symbols:
        for session in Calendar().sessions(min(days), max(days)):
            starts = [mark - timedelta(minutes=1) for mark in session.minutes]
            low, high = np.sort(rng.uniform(10, 20, (2, len(starts))), axis=0)
            inside = low + (high - low) * rng.uniform(size=(2, len(starts)))
            prices = {"open": inside[0], "high": high, "low": low, "close": inside[1]}
            frames.append(
                pd.DataFrame({"symbol": symbol, "start": starts, **prices, "volume": rng.integers(0, 900, len(starts))})
            )
    return pd.concat(frames, ignore_index=True).astype({"start": "datetime64[us, UTC]"})


def labels(bars: pd.DataFrame) -> list[str]:
    return list(bars["start"].dt.tz_convert(NEW_YORK).dt.strftime("%m-%d %H:%M"))


def test_an_hour_of_the_open_starts_at_nine() -> None:
    hours = resample(minutes(FULL), Timeframe.HOUR_1)
    assert labels(hours) == [f"11-22 {hour:02}:00" for hour in range(9, 16)]


def test_a_half_day_ends_at_one() -> None:
    assert labels(resample(minutes(HALF), Timeframe.HOUR_1)) == [f"11-24 {hour:02}:00" for hour in range(9, 13)]
    assert labels(resample(minutes(HALF), Timeframe.MIN_30))[-1] == "11-24 12:30"


def test_a_daily_bar_starts_at_midnight_in_new_york_before_and_after_a_change_of_clocks() -> None:
    days = resample(minutes(*DST), Timeframe.DAY_1)
    assert [start.to_pydatetime() for start in days["start"]] == [
        datetime(2023, 3, 10, 5, tzinfo=UTC),
        datetime(2023, 3, 13, 4, tzinfo=UTC),
    ]


@pytest.mark.parametrize("timeframe", LONGER)
def test_every_bar_holds_minutes_of_one_session_only(timeframe: Timeframe) -> None:
    bars = minutes(FULL, HALF, symbols=("AAPL", "IBM"))
    bars["volume"] = [1 + 1000 * start.day for start in bars["start"]]
    longer = resample(bars, timeframe)
    local = longer["start"].dt.tz_convert(NEW_YORK)
    alone = resample(bars[bars["start"].dt.day == FULL.day], timeframe)
    pd.testing.assert_frame_equal(
        longer[local.dt.day == FULL.day].reset_index(drop=True),
        alone.sort_values(["symbol", "start"], ignore_index=True),
    )


def test_the_first_and_last_prices_are_those_in_time_whatever_the_order_given() -> None:
    bars = minutes(FULL)
    shuffled = bars.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(resample(bars, Timeframe.MIN_15), resample(shuffled, Timeframe.MIN_15))
    first = resample(bars, Timeframe.DAY_1).iloc[0]
    assert (first["open"], first["close"]) == (bars["open"].iloc[0], bars["close"].iloc[-1])


def test_a_stretch_without_minutes_gives_no_bar() -> None:
    bars = minutes(FULL)
    gap = bars["start"].dt.tz_convert(NEW_YORK).dt.hour == 11
    assert "11-22 11:00" not in labels(resample(bars[~gap], Timeframe.HOUR_1))


def test_the_average_price_is_weighted_by_volume_and_unknown_without_any() -> None:
    bars = minutes(FULL).iloc[:10].assign(vwap=10.0, trade_count=2.0)
    bars.loc[0, ["vwap", "volume"]] = [20.0, 3000]
    bars.loc[5:, "volume"] = 0
    longer = resample(bars, Timeframe.MIN_5)
    weights = bars["volume"][:5]
    assert longer["vwap"][0] == pytest.approx((bars["vwap"][:5] * weights).sum() / weights.sum())
    assert np.isnan(longer["vwap"][1])
    assert list(longer["trade_count"]) == [10, 10]


@settings(deadline=None, max_examples=30)
@given(
    kept=st.sets(st.integers(0, 599), min_size=1, max_size=80),
    timeframe=st.sampled_from(LONGER),
    seed=st.integers(0, 5),
)
def test_volume_is_conserved_and_highs_and_lows_reach_as_far(kept: set[int], timeframe: Timeframe, seed: int) -> None:
    bars = minutes(FULL, HALF, seed=seed).iloc[sorted(kept)]
    longer = resample(bars, timeframe)
    assert longer["volume"].sum() == bars["volume"].sum()
    assert (longer["high"].max(), longer["low"].min()) == (bars["high"].max(), bars["low"].min())
    assert (longer["high"] >= longer[["open", "close", "low"]].max(axis=1)).all()
    assert (longer["low"] <= longer[["open", "close", "high"]].min(axis=1)).all()


@settings(deadline=None, max_examples=30)
@given(
    kept=st.sets(st.integers(0, 599), min_size=1, max_size=80),
    target=st.sampled_from(["15Min", "30Min", "1Hour", "1Day"]),
)
def test_two_steps_give_what_one_step_gives(kept: set[int], target: str) -> None:
    bars = minutes(FULL, HALF, symbols=("AAPL",)).iloc[sorted(kept)]
    direct = resample(bars, Timeframe(target))
    pd.testing.assert_frame_equal(resample(resample(bars, Timeframe.MIN_5), Timeframe(target)), direct)


@pytest.mark.parametrize("timeframe", Timeframe)
def test_a_full_session_gives_the_stated_number_of_bars(timeframe: Timeframe) -> None:
    assert len(resample(minutes(FULL), timeframe)) == timeframe.per_session


@pytest.mark.parametrize("timeframe", Timeframe)
def test_the_start_of_a_bar_is_the_label_that_resampling_gives(timeframe: Timeframe) -> None:
    bars = minutes(*DST)
    starts = {timeframe.start_of(moment) for moment in bars["start"]}
    assert sorted(starts) == list(resample(bars, timeframe)["start"])
