"""Each gate lets through what it should, and says with figures why it does not."""

from dataclasses import replace

import numpy as np
import pytest

from tandem.config import GarchSettings, ScreenSettings
from tandem.market import Pair
from tandem.screening import gates
from tandem.screening.score import Score
from tandem.statistics import HalfLife, fit_spread

SETTINGS = ScreenSettings()
PAIR = Pair("AAA", "BBB")
WALK = np.cumsum(np.random.default_rng(1).standard_normal(300)) * 0.01
OTHER = np.cumsum(np.random.default_rng(2).standard_normal(300)) * 0.01


@pytest.fixture(scope="module")
def garch():
    spread = np.convolve(np.random.default_rng(3).standard_normal(700), 0.9 ** np.arange(200), mode="valid")
    return fit_spread(spread, GarchSettings())


def test_too_few_common_bars_are_refused():
    refusal = gates.enough_bars(WALK[:199], OTHER[:199], SETTINGS)
    assert (refusal.reason, refusal.why) == ("bars", "199 common bars, 200 are needed")
    assert gates.enough_bars(WALK[:200], OTHER[:200], SETTINGS) is None


def test_a_price_that_never_moved_is_refused():
    assert "leg b never moved" in gates.enough_bars(WALK, np.ones(300), SETTINGS).why


@pytest.mark.parametrize("pair", [Pair("GOOG", "GOOGL"), Pair("FOXA", "FOX")])
def test_share_classes_of_one_company_are_refused(pair):
    assert gates.own_sources(pair, WALK, OTHER, {}).reason == "same source"


@pytest.mark.parametrize("sources", [{"AAA": "BBB"}, {"AAA": "CCC", "BBB": "CCC"}])
def test_a_symbol_and_its_proxy_are_refused(sources):
    assert "both legs are" in gates.own_sources(PAIR, WALK, OTHER, sources).why


def test_two_proxies_of_different_symbols_are_two_things():
    assert gates.own_sources(PAIR, WALK, OTHER, {"AAA": "CCC"}) is None


@pytest.mark.parametrize("multiple", [WALK + 0.7, 2 * WALK - 1, WALK + 1e-9 * OTHER])
def test_a_constant_multiple_is_refused(multiple):
    assert "move as one" in gates.own_sources(PAIR, multiple, WALK, {}).why


def test_correlation_is_of_prices_or_of_returns():
    on_returns = ScreenSettings(correlation_on="returns")
    assert gates.correlated(0.8, 0.1, SETTINGS) is None
    assert gates.correlated(0.79, 0.9, SETTINGS).reason == "correlation"
    assert gates.correlated(0.1, 0.8, on_returns) is None
    assert "returns 0.790" in gates.correlated(0.9, 0.79, on_returns).why


def test_cointegration_needs_a_p_value_below_the_level():
    assert gates.cointegrated(0.0499, SETTINGS) is None
    assert gates.cointegrated(0.05, SETTINGS).reason == "cointegration"


def test_the_false_discovery_gate_is_off_by_default():
    assert gates.discovered(1.0, SETTINGS) is None
    assert gates.discovered(0.2, ScreenSettings(max_fdr=0.1)).reason == "false discovery"
    assert gates.discovered(0.1, ScreenSettings(max_fdr=0.1)) is None


@pytest.mark.parametrize(
    ("phi", "bars", "passes"), [(0.94, 11.2, True), (0.4, 0.76, False), (0.999, 55.0, False), (1.01, None, False)]
)
def test_the_half_life_is_between_one_bar_and_a_share_of_the_window(phi, bars, passes):
    assert (gates.comes_back(HalfLife(phi, bars), 546, SETTINGS) is None) is passes


@pytest.mark.parametrize(("ratio", "passes"), [(1.0, True), (0.1, True), (0.09, False), (-1.0, False), (10.1, False)])
def test_the_hedge_ratio_is_positive_and_within_bounds(ratio, passes):
    assert (gates.hedgeable(ratio, SETTINGS) is None) is passes


def test_a_hedge_ratio_must_be_positive_whatever_the_bounds():
    assert gates.hedgeable(-0.5, ScreenSettings(min_hedge_ratio=-1)).reason == "hedge ratio"


def test_garch_must_converge_and_die_out(garch):
    assert gates.garch_fits(garch) is None
    assert "did not converge" in gates.garch_fits(replace(garch, converged=False)).why
    assert "persistence" in gates.garch_fits(replace(garch, persistence=1.0)).why


def test_residuals_must_be_clean(garch):
    assert gates.clean_residuals(replace(garch, ljung_box_pvalue=0.01, arch_lm_pvalue=0.01), SETTINGS) is None
    assert gates.clean_residuals(replace(garch, ljung_box_pvalue=0.009), SETTINGS).reason == "diagnostics"
    assert "ARCH-LM p 0.0001" in gates.clean_residuals(replace(garch, arch_lm_pvalue=0.0001), SETTINGS).why


def test_the_score_must_be_above_the_minimum():
    assert gates.scored(Score(0.701, 1, 1, 1, 1, 9), SETTINGS) is None
    refusal = gates.scored(Score(0.7, 0.9, 0.4, 0.5, 1, 0), SETTINGS)
    assert refusal.reason == "score"
    assert "fit 0.900, volatility 0.400" in refusal.why


def test_every_refusal_names_a_step(garch):
    refusals = [
        gates.enough_bars(WALK[:10], OTHER[:10], SETTINGS),
        gates.own_sources(Pair("GOOG", "GOOGL"), WALK, OTHER, {}),
        gates.correlated(0, 0, SETTINGS),
        gates.cointegrated(1, SETTINGS),
        gates.discovered(1, ScreenSettings(max_fdr=0.1)),
        gates.comes_back(HalfLife(1.1, None), 500, SETTINGS),
        gates.hedgeable(0, SETTINGS),
        gates.garch_fits(replace(garch, converged=False)),
        gates.clean_residuals(replace(garch, arch_lm_pvalue=0.0), SETTINGS),
        gates.scored(Score(0, 0, 0, 0, 0, 0), SETTINGS),
    ]
    assert tuple(refusal.reason for refusal in refusals) == gates.STEPS
    assert {refusal.by for refusal in refusals} == {"screening"}
