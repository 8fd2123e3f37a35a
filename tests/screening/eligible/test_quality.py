"""A symbol whose bars cannot be trusted or traded is refused, and a real one is not."""

from dataclasses import replace

import numpy as np
import pytest

from tandem.config import ScreenSettings
from tandem.market import Timeframe
from tandem.screening.eligible.quality import refused_symbols
from tandem.store import Panel

SETTINGS = ScreenSettings()


@pytest.fixture
def one(window):
    """A function from closes and volumes of one symbol to why it is refused; a second symbol has every bar."""

    def outcome(log, volume=1000, gone=(), settings=SETTINGS):
        bars = window({"ODD": log, "WHOLE": np.cumsum(np.random.default_rng(3).standard_normal(len(log))) * 0.002})
        odd = bars["symbol"] == "ODD"
        bars.loc[odd, "volume"] = volume
        bars = bars.drop(bars[odd].index[list(gone)])
        refused = {one.symbol: one.refusal for one in refused_symbols(Panel.of(bars, Timeframe.MIN_5), settings)}
        assert set(refused) <= {"ODD"}
        return refused.get("ODD")

    return outcome


@pytest.fixture
def walk():
    return np.cumsum(np.random.default_rng(1).standard_normal(546)) * 0.002


def test_a_whole_and_liquid_symbol_passes(one, walk):
    assert one(walk) is None


def test_a_few_missing_bars_pass_and_many_do_not(one, walk):
    assert one(walk, gone=range(10, 60)) is None
    refusal = one(walk, gone=range(10, 70))
    assert (refusal.reason, refusal.why) == ("data quality", "11.0% of 546 bars are missing, 10.0% may be")


def test_bars_before_a_symbol_was_listed_are_no_gap(one, walk):
    assert one(walk, gone=range(300)) is None


def test_a_symbol_that_ended_is_refused(one, walk):
    assert one(walk, gone=range(540, 546)) is None
    assert one(walk, gone=range(468, 546)).why == "no bar since 2024-03-08"


def test_closes_that_repeat_too_often_are_refused(one, walk):
    stale = walk.copy()
    stale[1:160:2] = stale[0:159:2]
    assert one(stale) is None
    stale[1:260:2] = stale[0:259:2]
    assert one(stale).why == "23.9% of the closes repeat the one before, 20.0% may"


def test_a_price_that_never_moved_is_refused(one, walk):
    assert one(np.full_like(walk, 0.5)).why == "the price never moved"


def test_too_little_trading_is_refused(one, walk):
    refusal = one(walk, volume=100)
    assert refusal.reason == "liquidity"
    assert "trade in a median session, below $1,000,000" in refusal.why
    assert one(walk, volume=100, settings=ScreenSettings(min_dollar_volume=0)) is None


@pytest.mark.parametrize("ratio", [2, 3, 1.5, 0.5, 0.1, 1 / 12, 1 / 35])
@pytest.mark.parametrize("symbol", ["AAPL", "KO", "NVDA"])
def test_an_unadjusted_split_of_a_real_symbol_is_refused(daily, symbol, ratio):
    panel = one_symbol(daily(504), symbol)
    assert refused_symbols(panel, SETTINGS) == ()
    factor = np.where(np.arange(504) < 300, 1.0, 1 / ratio)
    split = replace(panel, opens=panel.opens * factor, closes=panel.closes * factor)
    (refused,) = refused_symbols(split, SETTINGS)
    day = str(panel.starts[300])[:10]
    assert refused.refusal.why.startswith(f"an unadjusted split on {day}: the price opened at")


def test_a_crash_is_no_split(daily):
    panel = one_symbol(daily(504), "KO")
    factor = np.where(np.arange(504) < 300, 1.0, 0.44)
    assert refused_symbols(replace(panel, opens=panel.opens * factor, closes=panel.closes * factor), SETTINGS) == ()


def test_news_that_halves_a_price_brings_trading_that_a_split_does_not(daily):
    panel = one_symbol(daily(504), "KO")
    factor = np.where(np.arange(504) < 300, 1.0, 0.5)
    volumes = panel.volumes.copy()
    volumes[:, 300] *= 40
    news = replace(panel, opens=panel.opens * factor, closes=panel.closes * factor, volumes=volumes)
    assert refused_symbols(news, SETTINGS) == ()


def test_of_five_hundred_real_symbols_only_the_broken_ones_are_refused(daily):
    refused = {one.symbol: one.refusal.why for one in refused_symbols(daily(1259), SETTINGS)}
    # Discovery's dividend of a class C share halved both classes; one close of Alliant and of Newell is a bad print.
    assert set(refused) == {"DISCA", "DISCK", "LNT", "NWL"}
    assert refused["LNT"] == "a price 0.502 times its neighbours on 2016-05-19"
    assert refused["NWL"] == "a price 0.705 times its neighbours on 2017-09-14"
    assert all("split" in refused[symbol] for symbol in ("DISCA", "DISCK"))


def one_symbol(panel, symbol):
    only = [panel.symbols.index(symbol)]
    return replace(
        panel,
        symbols=(symbol,),
        opens=panel.opens[only],
        closes=panel.closes[only],
        volumes=panel.volumes[only],
    )


def test_one_bar_a_session_is_no_hourly_history(daily):
    """Daily bars that somebody stored as hours: the panel has no more of them, the calendar has."""
    panel = replace(daily(60), timeframe=Timeframe.HOUR_1)
    refused = {one.symbol: one.refusal.why for one in refused_symbols(panel, SETTINGS)}
    assert len(refused) == len(panel)
    assert "of 405 bars are missing, 10.0% may be" in refused["AAPL"]


@pytest.mark.parametrize("times", [10.0, 0.1, 2.0, 0.5, 7.3])
@pytest.mark.parametrize("whole", [True, False])
def test_a_price_of_one_bar_is_named_with_its_day(daily, times, whole):
    panel = one_symbol(daily(504), "KO")
    factor = np.where(np.arange(504) == 300, times, 1.0)
    odd = replace(panel, opens=panel.opens * factor if whole else panel.opens, closes=panel.closes * factor)
    (refused,) = refused_symbols(odd, SETTINGS)
    said, _, day = refused.refusal.why.removeprefix("a price ").partition(" times its neighbours on ")
    assert float(said) == pytest.approx(times, rel=0.03)
    assert day == str(panel.starts[300])[:10]
