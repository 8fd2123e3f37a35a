"""Symbols that are refused take their pairs with them; what a symbol is called or quoted in changes nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tandem.config import Settings
from tandem.market import Pair, Timeframe
from tandem.screening import identify
from tandem.store import Panel

FIGURES = ("correlation_prices", "correlation_returns", "statistic", "pvalue", "q_bh", "q_by")
FREE = {"model": {"timeframe": "5Min"}, "screen": {"min_dollar_volume": 0}}


@pytest.fixture(scope="module")
def logs(legs):
    return legs(5)


@pytest.fixture(scope="module")
def plain(window, logs, day):
    return screened(window, logs, day)


def screened(window, logs, day, sector="technology", **changes):
    bars = window(logs)
    settings = Settings.model_validate({**FREE, **changes})
    return identify(Panel.of(bars, Timeframe.MIN_5), day, settings, dict.fromkeys(logs, sector))


def test_a_refused_symbol_takes_its_pairs_with_it(market, panel, day, settings, sectors):
    ended = market[(market["symbol"] != "WALKA") | (market["start"] < market["start"].max().normalize())]
    screen = identify(panel(ended), day, settings, sectors)
    (refused,) = screen.symbols_refused
    assert (refused.symbol, refused.refusal.why) == ("WALKA", "no bar since 2024-03-08")
    whys = {str(one.pair): one.refusal.why for one in screen.refusals if "WALKA" in one.pair.symbols}
    assert len(whys) == 3
    assert whys["SIMA/WALKA"] == "WALKA: no bar since 2024-03-08"
    assert [step.left for step in screen.funnel.steps][:2] == [6, 3]
    assert (screen.funnel.tested, screen.funnel.symbols, screen.funnel.symbols_refused) == (3, 4, 1)


def test_an_illiquid_symbol_is_refused_after_its_origin(market, panel, day, settings, sectors):
    thin = market.assign(volume=np.where(market["symbol"] == "SIMB", 10, market["volume"]))
    screen = identify(panel(thin), day, settings, sectors)
    by_name = {str(one.pair): one.refusal for one in screen.refusals}
    assert by_name["SIMA/SIMB"].reason == "liquidity"
    assert by_name["SIMA/SIMB"].why.startswith("SIMB: $")


@pytest.mark.parametrize(("a", "b"), [("GOOG", "GOOGL"), ("FOX", "FOXA"), ("BRK.A", "BRK.B"), ("HEI", "HEI-A")])
def test_share_classes_of_one_company_are_refused(window, logs, day, a, b):
    screen = screened(window, {a: logs["SIMA"], b: logs["SIMB"], "WALKA": logs["WALKA"]}, day)
    refused = {one.pair: one.refusal for one in screen.refusals}[Pair(a, b)]
    assert (refused.reason, refused.why) == ("same source", f"{a} and {b} are shares of one company")
    assert screen.funnel.tested == 2


@pytest.mark.parametrize("sources", [{"SIMA": "SIMB"}, {"SIMA": "OTHER", "SIMB": "OTHER"}])
def test_a_symbol_and_its_proxy_are_refused(market, panel, day, settings, sectors, sources):
    screen = identify(panel(market), day, settings, sectors, same_source=sources)
    assert "both legs are" in {str(one.pair): one.refusal.why for one in screen.refusals}["SIMA/SIMB"]


def test_two_proxies_of_different_symbols_are_two_things(market, panel, day, settings, sectors):
    screen = identify(panel(market), day, settings, sectors, same_source={"SIMA": "OTHER"})
    assert screen.funnel.tested == 6


@pytest.mark.parametrize("multiple", [lambda log: log + 0.7, lambda log: 2 * log - 1])
def test_a_multiple_or_power_of_a_price_is_refused(window, logs, day, multiple):
    screen = screened(window, {"SIMB": logs["SIMB"], "TWICE": multiple(logs["SIMB"])}, day)
    assert "move as one" in screen.refusals[0].refusal.why
    assert screen.refusals[0].refusal.reason == "same source"


def test_pairs_of_different_sectors_are_met_across_them(market, panel, day, sectors):
    mixed = {**sectors, "SIMB": "Healthcare"}
    asked = {"model": {"timeframe": "5Min"}, "sectors": {"active": ["technology", "healthcare"]}}
    across = Settings.model_validate({**asked, "screen": {"across_sectors": True}})
    within = identify(panel(market), day, Settings.model_validate(asked), mixed)
    screen = identify(panel(market), day, across, mixed)
    assert (within.funnel.tested, screen.funnel.tested) == (3, 6)
    assert [(one.pair, one.sector) for one in screen.passports] == [(Pair("SIMA", "SIMB"), "cross_sector")]


@pytest.mark.parametrize("hedge", ["ols", "tls", "johansen", "kalman"])
def test_a_passport_is_hedged_by_the_method_asked_for(window, logs, day, hedge):
    screen = screened(window, logs, day, screen={"min_dollar_volume": 0, "hedge": hedge, "min_score": 0})
    passport = next(one for one in screen.passports if one.pair == Pair("SIMA", "SIMB"))
    assert passport.hedge_by == hedge
    assert passport.hedge_ratio == pytest.approx(1.0, abs=0.1)
    if hedge != "kalman":
        assert passport.hedge_ratio == pytest.approx(getattr(passport, f"hedge_ratio_{hedge}"))


@given(units=st.lists(st.floats(-4, 4), min_size=4, max_size=4))
@hypothesis_settings(max_examples=4, deadline=None)
def test_a_price_in_another_unit_changes_nothing_but_the_intercept(window, logs, day, plain, units):
    scaled = {symbol: log + unit for (symbol, log), unit in zip(logs.items(), units, strict=True)}
    one, other = plain, screened(window, scaled, day)
    for name in FIGURES:
        assert getattr(other.table, name) == pytest.approx(getattr(one.table, name), rel=1e-6, abs=1e-9)
    for here, there in zip(one.passports, other.passports, strict=True):
        assert there.pair == here.pair
        assert there.hedge_ratio == pytest.approx(here.hedge_ratio, rel=1e-7)
        shift = scaled["SIMA"][0] - logs["SIMA"][0] - here.hedge_ratio * (scaled["SIMB"][0] - logs["SIMB"][0])
        assert there.intercept == pytest.approx(here.intercept + shift, abs=1e-6)
        assert there.score.total == pytest.approx(here.score.total, abs=1e-3)


def test_names_in_the_same_order_change_nothing(window, logs, day, plain):
    names = {"SIMA": "AA", "SIMB": "BB", "WALKA": "CC", "WALKB": "DD"}
    one, other = plain, screened(window, {names[s]: log for s, log in logs.items()}, day)
    assert [replace(passport, pair=None, data_version="") for passport in one.passports] == [
        replace(passport, pair=None, data_version="") for passport in other.passports
    ]
    assert np.array_equal(one.table.pvalue, other.table.pvalue)


@given(names=st.permutations(["AA", "BB", "CC", "DD"]))
@hypothesis_settings(max_examples=4, deadline=None)
def test_names_in_any_order_leave_every_test_as_it_is(window, logs, day, plain, names):
    renamed = dict(zip(logs, names, strict=True))
    one, other = plain, screened(window, {renamed[s]: log for s, log in logs.items()}, day)
    rows = {other.table.pair(row): row for row in range(len(other.table))}
    for row in range(len(one.table)):
        same = rows[Pair(*sorted(renamed[symbol] for symbol in one.table.pair(row).symbols))]
        for name in FIGURES:
            assert getattr(other.table, name)[same] == pytest.approx(getattr(one.table, name)[row], rel=1e-9)
    assert other.funnel.tested == one.funnel.tested
    assert other.funnel.passing == one.funnel.passing


def test_symbols_of_no_known_sector_are_no_sector(window, logs, day):
    settings = {**FREE, "sectors": {"active": ["technology", "unknown"]}}
    bars, one = window(logs), dict.fromkeys(logs, "unknown") | {"SIMA": "technology", "SIMB": "technology"}
    screen = identify(Panel.of(bars, Timeframe.MIN_5), day, Settings.model_validate(settings), one)
    assert screen.table.first.size == 1
    nobody = screened(window, logs, day, sector="unknown", sectors={"active": ["unknown"]})
    assert nobody.table.first.size == 0
