"""The daily identification, on simulated truth and on the shipped month."""

from datetime import date, timedelta

import msgspec
import numpy as np
import pandas as pd
import pytest

from tandem.config import Settings
from tandem.market import DataError, Pair, Timeframe
from tandem.screening import LocalEngine, Passport, family, identify
from tandem.screening.examination import examine
from tandem.screening.gates import STEPS
from tandem.store import Panel


def reasons(screen):
    return {str(refused.pair): refused.refusal.reason for refused in screen.refusals}


@pytest.fixture(scope="module")
def screen(market, panel, day, settings, sectors):
    return identify(panel(market), day, settings, sectors)


def test_the_true_pair_is_selected_and_walks_are_refused(screen):
    assert [passport.pair for passport in screen.passports] == [Pair("SIMA", "SIMB")]
    assert len(screen.refusals) == 5
    assert set(reasons(screen).values()) <= set(STEPS)


def test_every_pair_ends_once(screen):
    ended = [passport.pair for passport in screen.passports] + [refused.pair for refused in screen.refusals]
    assert len(ended) == len(set(ended)) == screen.funnel.steps[0].left == 6


def test_the_family_is_every_eligible_pair_before_the_correlation_gate(screen):
    assert screen.funnel.tested == 6
    assert screen.funnel.expected_by_chance == pytest.approx(0.3)
    assert screen.funnel.simulated_null.draws == 2000
    assert 0 < screen.funnel.simulated_null.passing < 0.5


def test_the_funnel_narrows_to_the_selected(screen):
    left = [step.left for step in screen.funnel.steps]
    assert [step.gate for step in screen.funnel.steps] == ["pairs", *STEPS]
    assert left == sorted(left, reverse=True)
    assert left[-1] == len(screen.passports)


def test_a_passport_holds_the_window_and_prices_it(screen, market):
    passport = screen.passports[0]
    assert passport.bars == len(passport.starts) == len(passport.closes_a) == 546
    assert (passport.window_first, passport.window_last) == (passport.starts[0], passport.starts[-1])
    spread = passport.formation_spread
    assert spread.mean() == pytest.approx(passport.mean, abs=1e-12)
    assert passport.z(spread).std(ddof=1) == pytest.approx(1)
    price_a, price_b = passport.closes_a[-1], passport.closes_b[-1]
    expected = np.log(price_a) - passport.intercept - passport.hedge_ratio * np.log(price_b)
    assert float(passport.spread(price_a, price_b)) == pytest.approx(expected)
    assert passport.closes_a == tuple(market.loc[market["symbol"] == "SIMA", "close"])


def test_a_passport_survives_json(screen):
    passport = screen.passports[0]
    assert msgspec.json.decode(msgspec.json.encode(passport), type=Passport) == passport
    assert b"null" not in msgspec.json.encode(passport.score)


def test_the_same_bars_in_any_order_give_the_same_screen(market, panel, day, settings, sectors, screen):
    shuffled = market.sample(frac=1, random_state=3)
    assert identify(panel(shuffled), day, settings, sectors) == screen


@pytest.mark.parametrize("threads", [1, 3])
def test_the_same_bars_give_the_same_bits_on_any_number_of_threads(
    market, panel, day, settings, sectors, screen, threads
):
    assert identify(panel(market), day, settings, sectors, engine=LocalEngine(threads)) == screen


def test_blocks_of_any_size_give_the_same_bits(market, panel, day, settings, sectors, screen, monkeypatch):
    monkeypatch.setattr(family, "BLOCK", 1)
    monkeypatch.setattr(examine, "BLOCK", 1)
    assert identify(panel(market), day, settings, sectors) == screen


def test_the_version_names_the_bars_that_were_read(market, day, settings, sectors, screen, panel):
    changed = market.copy()
    changed.loc[changed["symbol"] == "SIMA", "close"] *= 1.0001
    again = identify(panel(changed), day, settings, sectors)
    assert again.passports[0].data_version != screen.passports[0].data_version
    assert len(screen.passports[0].data_version) == 64


def test_a_bar_of_the_day_itself_is_refused(market, day, settings, sectors, panel):
    late = market.iloc[[0]].assign(start=pd.Timestamp(day.open))
    with pytest.raises(DataError, match="ends after the open"):
        identify(panel(pd.concat([market, late])), day, settings, sectors)


def test_a_bar_that_reaches_into_the_day_is_refused(market, day, settings, sectors, panel):
    late = market.iloc[[0]].assign(start=pd.Timestamp(day.open - timedelta(minutes=4)))
    with pytest.raises(DataError, match="ends after the open"):
        identify(panel(pd.concat([market, late])), day, settings, sectors)


def test_bars_of_another_timeframe_are_refused(market, day, sectors):
    with pytest.raises(DataError, match="bars are of 5Min"):
        identify(Panel.of(market, Timeframe.MIN_5), day, Settings(), sectors)


@pytest.mark.parametrize("close", [0.0, -1.0])
def test_a_close_that_is_no_price_is_refused(market, day, settings, sectors, close, panel):
    broken = market.copy()
    broken.loc[5, "close"] = close
    with pytest.raises(DataError, match="positive"):
        identify(panel(broken), day, settings, sectors)


def test_legs_are_joined_on_equal_starts_and_never_filled(market, day, settings, sectors, panel):
    gone = market[(market["symbol"] == "SIMA")].index[[10, 200, 300]]
    passport = identify(panel(market.drop(gone)), day, settings, sectors).passports[0]
    assert passport.bars == 543
    assert set(market.loc[gone, "start"].dt.to_pydatetime()).isdisjoint(passport.starts)


def test_a_proxy_never_meets_what_it_stands_for(market, day, settings, sectors, panel):
    proxy = market[market["symbol"] == "SIMB"].assign(symbol="PROXY")
    screen = identify(panel(pd.concat([market, proxy])), day, settings, sectors)
    assert reasons(screen)["PROXY/SIMB"] == "same source"
    named = identify(panel(pd.concat([market, proxy])), day, settings, sectors, same_source={"PROXY": "SIMB"})
    why = {str(refused.pair): refused.refusal.why for refused in named.refusals}
    assert why["PROXY/SIMB"] == "both legs are SIMB"
    assert named.funnel.tested == 9


def test_pairs_stay_within_active_sectors(market, day, settings, sectors, panel):
    mixed = {**sectors, "SIMB": "Healthcare", "WALKB": "Technology"}
    screen = identify(panel(market), day, settings, mixed)
    assert set(reasons(screen)) == {"SIMA/WALKA", "SIMA/WALKB", "WALKA/WALKB"}
    both = settings.model_copy(
        update={"sectors": settings.sectors.model_copy(update={"active": ["technology", "healthcare"]})}
    )
    assert identify(panel(market), day, both, mixed).funnel.steps[0].left == 3
    assert identify(panel(market), day, settings, {}).funnel.tested == 0


def test_a_short_window_refuses_for_its_bars(window, legs, day, settings, sectors, panel):
    short = window({symbol: log[-150:] for symbol, log in legs(5).items()})
    screen = identify(panel(short), day, settings, sectors)
    assert set(reasons(screen).values()) == {"data quality"}
    assert screen.funnel.tested == 0


def test_the_false_discovery_gate_uses_the_whole_family(market, day, sectors, panel):
    strict = Settings.model_validate({"model": {"timeframe": "5Min"}, "screen": {"max_fdr": 0.0}})
    assert reasons(identify(panel(market), day, strict, sectors))["SIMA/SIMB"] == "false discovery"


@pytest.mark.parametrize("test", ["johansen", "both"])
def test_the_other_tests_find_the_pair_too(market, day, sectors, screen, test, panel):
    chosen = Settings.model_validate({"model": {"timeframe": "5Min"}, "screen": {"cointegration": test}})
    found = identify(panel(market), day, chosen, sectors)
    assert [passport.pair for passport in found.passports] == [Pair("SIMA", "SIMB")]
    if test == "both":
        assert found.passports[0].pvalue >= screen.passports[0].pvalue


def test_progress_is_told(market, day, settings, sectors, panel):
    told = []
    identify(panel(market), day, settings, sectors, progress=lambda *step: told.append(step))
    assert ("cointegration", 6, 6) in told
    assert told[-1][0] == "models"


@pytest.mark.parametrize(
    ("day", "outcome"),
    [
        (date(2023, 1, 23), "cointegration"),
        (date(2023, 1, 24), "cointegration"),
        (date(2023, 1, 25), "selected"),
        (date(2023, 1, 26), "score"),
        (date(2023, 1, 27), "selected"),
        (date(2023, 1, 30), "selected"),
    ],
)
def test_apple_and_nvidia_on_the_shipped_mornings(january, settings, day, outcome, panel):
    bars, session = january(day)
    screen = identify(panel(bars), session, settings, dict.fromkeys(bars["symbol"].unique(), "technology"))
    ends = {**reasons(screen), **{str(passport.pair): "selected" for passport in screen.passports}}
    assert ends["AAPL/NVDA"] == outcome
    assert sum(end == "selected" for end in ends.values()) == (outcome == "selected")


def test_the_shipped_mornings_have_the_half_life_that_is_quoted(january, settings, panel):
    bars, session = january(date(2023, 1, 27))
    passport = identify(panel(bars), session, settings, dict.fromkeys(bars["symbol"].unique(), "technology")).passports[
        0
    ]
    assert passport.timeframe is Timeframe.MIN_5
    assert passport.half_life == pytest.approx(12, abs=0.5)
    assert passport.correlation_prices > 0.9
    assert passport.pvalue < 0.05
    assert passport.garch.converged
