"""Each gate lets through what it should, and says with figures why it does not."""

from types import SimpleNamespace

import numpy as np
import pytest

from tandem.config import ScreenSettings
from tandem.screening import gates
from tandem.screening.examination.examined import Examined

SETTINGS = ScreenSettings()
GOOD = {
    "bars": 546,
    "hedge_ratio": 1.0,
    "phi": 0.94,
    "half_life": 11.2,
    "garch_converged": 1,
    "persistence": 0.96,
    "ljung_box_pvalue": 0.3,
    "arch_lm_pvalue": 0.3,
    "score": 0.8,
    "fit": 0.9,
    "volatility": 0.4,
    "trading": 0.5,
    "diagnostics": 1.0,
}


def spreads(**changes):
    """Two spreads: one that passes every gate, and one with these changes."""
    examined = Examined.unmeasured(np.arange(2))
    examined.write(np.array([0]), {name: np.array(value) for name, value in GOOD.items()})
    examined.write(np.array([1]), {name: np.array(value) for name, value in {**GOOD, **changes}.items()})
    return examined


def family_of(**changes):
    """Two pairs of a family: one that passes every gate of the family, and one with these changes."""
    good = {"correlation_prices": 0.9, "correlation_returns": 0.9, "pvalue": 0.01, "q_bh": 0.05}
    return SimpleNamespace(**{name: np.array([value, changes.get(name, value)]) for name, value in good.items()})


def outcome(gate, figures, settings=SETTINGS):
    """Why the second row is refused, None where it passes; the first always passes."""
    first, second = gate.passes(figures, settings)
    assert first
    return None if second else gate.refusal(figures, 1, settings).why


def test_correlation_is_of_prices_or_of_returns():
    on_returns = ScreenSettings(correlation_on="returns")
    low_returns = family_of(correlation_prices=0.8, correlation_returns=0.1)
    assert outcome(gates.CORRELATION, low_returns) is None
    assert "correlation of returns 0.100 is below 0.8" in outcome(gates.CORRELATION, low_returns, on_returns)
    low_prices = family_of(correlation_prices=0.79)
    assert "correlation of prices 0.790 is below 0.8" in outcome(gates.CORRELATION, low_prices)
    assert outcome(gates.CORRELATION, low_prices, on_returns) is None


@pytest.mark.parametrize(("pvalue", "passes"), [(0.0499, True), (0.05, False), (np.nan, False)])
def test_cointegration_needs_a_p_value_below_the_level(pvalue, passes):
    assert (outcome(gates.COINTEGRATION, family_of(pvalue=pvalue)) is None) is passes


def test_the_false_discovery_gate_is_off_by_default():
    strict = ScreenSettings(max_fdr=0.1)
    assert outcome(gates.FALSE_DISCOVERY, family_of(q_bh=1.0)) is None
    assert outcome(gates.FALSE_DISCOVERY, family_of(q_bh=0.2), strict) == "q-value 0.2000 is above 0.1"
    assert outcome(gates.FALSE_DISCOVERY, family_of(q_bh=0.1), strict) is None


@pytest.mark.parametrize(
    ("phi", "half_life", "why"),
    [
        (0.98, 54.6, None),
        (0.4, 0.76, "half-life 0.76 bars is not between 1 and 54.6"),
        (0.999, 55.0, "half-life 55.00 bars is not between 1 and 54.6"),
        (1.01, np.inf, "phi 1.0100 is not between 0 and 1: the spread does not come back"),
    ],
)
def test_the_half_life_is_between_one_bar_and_a_share_of_the_window(phi, half_life, why):
    assert outcome(gates.HALF_LIFE, spreads(phi=phi, half_life=half_life)) == why


@pytest.mark.parametrize(
    ("ratio", "passes"), [(1.0, True), (0.1, True), (0.09, False), (-1.0, False), (10.1, False), (np.nan, False)]
)
def test_the_hedge_ratio_is_positive_and_within_bounds(ratio, passes):
    assert (outcome(gates.HEDGE_RATIO, spreads(hedge_ratio=ratio)) is None) is passes


def test_a_hedge_ratio_must_be_positive_whatever_the_bounds():
    loose = ScreenSettings(min_hedge_ratio=-1)
    assert "-0.500 is not between" in outcome(gates.HEDGE_RATIO, spreads(hedge_ratio=-0.5), loose)


def test_garch_must_converge_and_die_out():
    assert outcome(gates.GARCH, spreads(persistence=0.9999)) is None
    assert outcome(gates.GARCH, spreads(garch_converged=0)) == "the GARCH fit did not converge"
    assert outcome(gates.GARCH, spreads(persistence=1.0)) == "GARCH persistence 1.000000 is not below 1"


def test_residuals_must_be_clean():
    assert outcome(gates.DIAGNOSTICS, spreads(ljung_box_pvalue=0.01, arch_lm_pvalue=0.01)) is None
    assert "Ljung-Box p 0.0090" in outcome(gates.DIAGNOSTICS, spreads(ljung_box_pvalue=0.009))
    assert "ARCH-LM p 0.0001" in outcome(gates.DIAGNOSTICS, spreads(arch_lm_pvalue=0.0001))


def test_the_score_must_be_above_the_minimum():
    assert outcome(gates.SCORE, spreads(score=0.701)) is None
    assert "score 0.700 is not above 0.7 (fit 0.900, volatility 0.400" in outcome(gates.SCORE, spreads(score=0.7))


def test_the_gates_stand_in_the_order_of_the_steps():
    by_name = [gate.name for gate in (*gates.FAMILY_GATES, *gates.SPREAD_GATES)]
    assert ("data quality", "same source", "liquidity", *by_name) == gates.STEPS
    assert gates.SCORE.refusal(spreads(score=0.1), 1, SETTINGS).by == "screening"
