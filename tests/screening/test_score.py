"""The composite score: what each component answers, and what it must not see."""

from dataclasses import replace
from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tandem.config import CostSettings, GarchSettings, RuleSettings, Settings
from tandem.screening import score as scoring
from tandem.screening.score import (
    diagnostics_component,
    fit_component,
    fit_models,
    score_pair,
    trading_component,
    try_out,
    volatility_component,
)
from tandem.statistics import fit_hedge, probabilistic_sharpe

GARCH, RULE = GarchSettings(), RuleSettings()
FREE = Settings.model_validate({"costs": {"spread_bps": 0}})


@pytest.fixture(scope="module")
def pair(legs):
    logs = legs(4)
    return logs["SIMA"], logs["SIMB"]


@pytest.fixture(scope="module")
def busy():
    """A pair that swings so often that the rule closes many trades in the last fifth."""
    generator = np.random.default_rng(8)
    walk, spread = np.cumsum(generator.standard_normal(1500) * 0.002), np.zeros(1500)
    for bar in range(1, 1500):
        spread[bar] = 0.6 * spread[bar - 1] + 0.004 * generator.standard_normal()
    return walk + spread, walk


def models_of(log_a, log_b):
    return fit_models(fit_hedge(log_a, log_b).spread(log_a, log_b), GARCH)


def test_the_total_weighs_the_components_as_defined(pair):
    score = score_pair(*pair, models_of(*pair), Settings())
    expected = 0.4 * score.fit + 0.3 * score.volatility + 0.2 * score.trading + 0.1 * score.diagnostics
    assert score.total == pytest.approx(expected)
    assert all(0 <= part <= 1 for part in (score.fit, score.volatility, score.trading, score.diagnostics))


@given(unit=st.floats(0.05, 20), shift=st.floats(-3, 3))
@hypothesis_settings(max_examples=8, deadline=None)
def test_the_unit_of_the_spread_does_not_change_the_score(pair, unit, shift):
    log_a, log_b = pair
    here = score_pair(log_a, log_b, models_of(log_a, log_b), FREE)
    scaled_a, scaled_b = unit * log_a + shift, unit * log_b
    there = score_pair(scaled_a, scaled_b, models_of(scaled_a, scaled_b), FREE)
    assert there.total == pytest.approx(here.total, abs=2e-3)
    assert there.fit == pytest.approx(here.fit, abs=2e-3)


def test_fit_is_the_mean_of_the_akaike_and_the_schwarz_weight(pair):
    models = models_of(*pair)
    walk = models.walk_constant
    only = replace(
        models, walk_garch=replace(models.walk_garch, converged=False), garch=replace(models.garch, converged=False)
    )
    akaike, schwarz = walk.aic - models.constant.aic, walk.bic - models.constant.bic
    expected = (1 / (1 + exp(-akaike / 2)) + 1 / (1 + exp(-schwarz / 2))) / 2
    assert fit_component(only) == pytest.approx(expected)


def test_fit_tells_a_reverting_spread_from_a_walk(pair):
    assert fit_component(models_of(*pair)) > 0.8
    walks = np.cumsum(np.random.default_rng(1).standard_normal((10, 2, 546)) * 0.002, axis=2)
    assert np.median([fit_component(models_of(*walk)) for walk in walks]) < 0.5


def test_arch_effects_alone_are_no_evidence_for_reversion():
    generator = np.random.default_rng(4)
    noise, variance, steps = 0.0, 1.0, np.zeros(1000)
    for bar in range(1000):
        variance = 0.1 + 0.2 * noise**2 + 0.7 * variance
        noise = np.sqrt(variance) * generator.standard_normal()
        steps[bar] = noise
    assert fit_component(fit_models(np.cumsum(steps), GARCH)) < 0.5


def test_an_overwhelming_difference_does_not_overflow(pair):
    models = models_of(*pair)
    assert (
        fit_component(
            replace(
                models,
                walk_constant=replace(models.walk_constant, aic=1e6, bic=1e6),
                walk_garch=replace(models.walk_garch, aic=1e6, bic=1e6),
            )
        )
        == 1.0
    )


def test_the_first_four_fifths_know_nothing_of_the_last(pair):
    log_a, log_b = (log.copy() for log in pair)
    before = try_out(log_a, log_b, GARCH)
    log_a[before.first :] += 1.0
    after = try_out(log_a, log_b, GARCH)
    assert (after.hedge, after.garch, after.first) == (before.hedge, before.garch, 436)
    assert np.array_equal(after.path.variances[1:437], before.path.variances[1:437])


def test_volatility_sees_whether_garch_forecasts_better_out_of_sample():
    generator = np.random.default_rng(2)
    calm = np.repeat([1.0, 4.0], 150)
    deviation = np.tile(calm, 7)[:2000]
    spread = np.zeros(2000)
    for bar in range(1, 2000):
        spread[bar] = 0.9 * spread[bar - 1] + deviation[bar] * 0.001 * generator.standard_normal()
    walk = np.cumsum(generator.standard_normal(2000) * 0.002)
    assert volatility_component(try_out(walk + spread, walk, GARCH)) > 0.95


def test_volatility_compares_one_step_forecasts_of_the_last_fifth(pair, monkeypatch):
    trial, seen = try_out(*pair, GARCH), []
    real = scoring.qlike
    monkeypatch.setattr(
        scoring, "qlike", lambda proxy, forecast: seen.append((proxy, forecast)) or real(proxy, forecast)
    )
    volatility_component(trial)
    (proxy, constant), (_, forecast) = seen
    squares = trial.path.residuals**2
    assert proxy == pytest.approx(squares[trial.first :])
    assert forecast == pytest.approx(trial.path.variances[trial.first :])
    assert constant == pytest.approx([squares[1:bar].mean() for bar in range(trial.first, squares.size)])


def test_under_five_round_trips_trading_is_undecided_and_says_so(pair):
    score = score_pair(*pair, models_of(*pair), Settings())
    assert score.trading == 0.5
    assert score.trading_round_trips < 5
    assert any("round trips" in note for note in score.notes)


def test_trading_is_the_probabilistic_sharpe_ratio_of_the_rule(busy):
    trial = try_out(*busy, GARCH)
    trading, round_trips = trading_component(trial, *busy, RULE, CostSettings(spread_bps=0))
    assert round_trips >= 5
    assert trading > 0.9
    half = scoring.half_life(trial.spread[: trial.first])
    trades = scoring._replay(trial, half.phi ** max(1, round(half.bars)), half.bars, RULE)
    steps = trades.positions[:-1] * np.diff(trial.spread[trial.first :]) / (1 + trial.hedge.hedge_ratio)
    assert trading == pytest.approx(probabilistic_sharpe(steps))


def test_costs_lower_the_trading_component(busy):
    trial = try_out(*busy, GARCH)
    found = [trading_component(trial, *busy, RULE, CostSettings(spread_bps=bps))[0] for bps in (0, 20, 200)]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.05


def test_every_change_of_position_pays_half_the_spread_on_both_legs(busy):
    trial = try_out(*busy, GARCH)
    half = scoring.half_life(trial.spread[: trial.first])
    trades = scoring._replay(trial, half.phi, half.bars, RULE)
    free = scoring._returns(trial, trades, *busy, CostSettings(spread_bps=0))
    charged = scoring._returns(trial, trades, *busy, CostSettings(spread_bps=3))
    turnover = 2 * len(trades.trades)
    assert (free - charged).sum() == pytest.approx(turnover * 1.5e-4)


def test_diagnostics_are_full_marks_from_five_percent_on(pair):
    fit = models_of(*pair).constant
    assert diagnostics_component(replace(fit, ljung_box_pvalue=0.5, arch_lm_pvalue=0.05)) == 1
    assert diagnostics_component(replace(fit, ljung_box_pvalue=0.025, arch_lm_pvalue=0.0)) == pytest.approx(0.25)
