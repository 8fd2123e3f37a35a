"""Bars whose truth is known."""

from datetime import date
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from tandem.market import NEW_YORK, Calendar, DataError, Timeframe, flaw_of
from tandem.sources import simulate, simulated
from tandem.store import Store

MONTH = Calendar().sessions(date(2023, 1, 3), date(2023, 1, 30))
WITH_A_HALF_DAY = Calendar().sessions(date(2023, 11, 20), date(2023, 11, 27))


def logs(bars: pd.DataFrame) -> pd.DataFrame:
    return np.log(bars.pivot(index="start", columns="symbol", values="close"))


def test_the_same_seed_gives_the_same_bars_and_another_seed_others() -> None:
    first, again, other = (simulate(MONTH[:2], seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first.bars, again.bars)
    assert first.truth == again.truth
    assert not first.bars["close"].equals(other.bars["close"])


def test_a_pair_keeps_its_prices_when_others_are_added() -> None:
    few, many = simulate(MONTH[:2], pairs=1, walks=0), simulate(MONTH[:2], pairs=3, walks=5)
    own = many.bars[many.bars["symbol"].isin(few.truth[0].pair.symbols)].reset_index(drop=True)
    pd.testing.assert_frame_equal(few.bars, own)


def test_every_bar_obeys_the_laws_of_prices_and_the_frame_is_a_bars_frame() -> None:
    bars = simulate(MONTH[:3]).bars
    assert list(bars.columns) == ["symbol", "start", "open", "high", "low", "close", "volume"]
    assert str(bars["start"].dtype) == "datetime64[us, UTC]"
    assert not any(flaw_of(*row) for row in bars.iloc[:, 2:].itertuples(index=False))
    pd.testing.assert_frame_equal(bars, bars.sort_values(["symbol", "start"], ignore_index=True))


@pytest.mark.parametrize(
    ("timeframe", "count"), [("1Min", 390 * 4 + 210), ("30Min", 13 * 4 + 7), ("1Hour", 7 * 4 + 4), ("1Day", 5)]
)
def test_bars_fill_every_session_half_days_too(timeframe: str, count: int) -> None:
    bars = simulate(WITH_A_HALF_DAY, Timeframe(timeframe), pairs=1, walks=0).bars
    assert bars.groupby("symbol").size().tolist() == [count, count]


def test_a_daily_bar_starts_at_midnight_and_an_hourly_one_at_the_hour() -> None:
    day = simulate(MONTH[:1], Timeframe.DAY_1, pairs=1, walks=0).bars["start"].iloc[0]
    hour = simulate(MONTH[:1], Timeframe.HOUR_1, pairs=1, walks=0).bars["start"].iloc[0]
    assert (day.tz_convert(NEW_YORK).hour, hour.tz_convert(NEW_YORK).hour) == (0, 9)


def test_the_true_spread_reverts_with_the_half_life_that_is_stated() -> None:
    made = simulate(MONTH, half_life=10, pairs=3, walks=0)
    prices = logs(made.bars)
    for true in made.truth:
        spread = prices[true.pair.a] - true.alpha - true.beta * prices[true.pair.b]
        slope = np.polyfit(spread.iloc[:-1], spread.iloc[1:], 1)[0]
        assert -np.log(2) / np.log(slope) == pytest.approx(true.half_life, rel=0.4)
        assert spread.std() == pytest.approx(true.deviation, rel=0.4)
        assert abs(spread.mean()) < true.deviation


def test_the_noise_has_garch_effects() -> None:
    made = simulate(MONTH, pairs=0, walks=6)
    squares = logs(made.bars).diff().iloc[1:] ** 2
    memory = [squares[name].autocorr(1) for name in squares]
    assert np.mean(memory) > 0.05


def test_true_pairs_are_cointegrated_and_most_others_are_not() -> None:
    from statsmodels.tsa.stattools import coint

    made = simulate(MONTH, pairs=2, walks=3, seed=3)
    prices = logs(made.bars)
    true = {true.pair.symbols for true in made.truth}
    found = {names for names in combinations(prices.columns, 2) if coint(prices[names[0]], prices[names[1]])[1] < 0.01}
    assert true <= found
    assert len(found - true) <= 2


def test_simulated_bars_are_marked_as_such_in_the_store(store: Store) -> None:
    made = simulate(MONTH[:1], pairs=1, walks=1)
    assert simulated.load(store, made).added == len(made.bars)
    assert set(store.bars.coverage()["source"]) == {"simulated"}


def test_a_simulation_without_sessions_or_reversion_is_refused() -> None:
    with pytest.raises(DataError):
        simulate([])
    with pytest.raises(DataError):
        simulate(MONTH, half_life=0)
