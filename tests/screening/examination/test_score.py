"""The composite score: what each component answers, and what it must not see."""

from dataclasses import replace
from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tandem.config import CostSettings, RuleSettings, Settings
from tandem.rules import inside_band, replay
from tandem.screening.examination import score as scoring
from tandem.screening.examination.models import fit_models, fit_walks
from tandem.screening.examination.score import (
    diagnostics_component,
    fit_component,
    returns_of,
    score_legs,
    trading_component,
    volatility_component,
)
from tandem.screening.examination.spreads import Legs
from tandem.screening.examination.trial import try_out
from tandem.screening.market import Market
from tandem.statistics import fit_hedge, half_life, probabilistic_sharpe, reversion_probability

RULE = RuleSettings()
MARKET = Market.of(None, Settings())
FREE = Market.of(None, Settings.model_validate({"costs": {"spread_bps": 0}}))


@pytest.fixture(scope="module")
def pair(legs):
    logs = legs(4)
    return legs_of((logs["SIMA"], logs["SIMB"]))


@pytest.fixture(scope="module")
def busy():
    """A pair that swings so often that the rule closes many trades in the last fifth."""
    generator = np.random.default_rng(8)
    walk, spread = np.cumsum(generator.standard_normal(1500) * 0.002), np.zeros(1500)
    for bar in range(1, 1500):
        spread[bar] = 0.6 * spread[bar - 1] + 0.004 * generator.standard_normal()
    return legs_of((walk + spread, walk))


def legs_of(*pairs):
    longest = max(a.size for a, _ in pairs)
    padded = [[np.pad(leg, (0, longest - leg.size), constant_values=np.nan) for leg in legs] for legs in pairs]
    return Legs(*np.array(padded).transpose(1, 0, 2), np.array([a.size for a, _ in pairs]))


def spreads_of(legs):
    hedges = [fit_hedge(a[:n], b[:n]) for a, b, n in zip(legs.log_a, legs.log_b, legs.bars, strict=True)]
    return np.array([hedge.spread(a, b) for hedge, a, b in zip(hedges, legs.log_a, legs.log_b, strict=True)])


def test_the_total_weighs_the_components_as_defined(pair):
    score = score_legs(pair, MARKET)
    expected = 0.4 * score.fit + 0.3 * score.volatility + 0.2 * score.trading + 0.1 * score.diagnostics
    assert score.total == pytest.approx(expected)
    assert all(0 <= part[0] <= 1 for part in (score.fit, score.volatility, score.trading, score.diagnostics))


def test_a_pair_has_the_same_score_alone_and_among_others(pair, busy):
    short = legs_of((pair.log_a[0, :400], pair.log_b[0, :400]))
    alone = [score_legs(legs, MARKET) for legs in (pair, busy, short)]
    rows = [(legs.log_a[0], legs.log_b[0]) for legs in (pair, busy, short)]
    together = score_legs(legs_of(*rows), MARKET)
    for row, one in enumerate(alone):
        assert together.total[row] == one.total[0]
        assert together.round_trips[row] == one.round_trips[0]


@given(unit=st.floats(0.05, 20), shift=st.floats(-3, 3))
@hypothesis_settings(max_examples=8, deadline=None)
def test_the_unit_of_the_spread_does_not_change_the_score(pair, unit, shift):
    here = score_legs(pair, FREE)
    there = score_legs(Legs(unit * pair.log_a + shift, unit * pair.log_b, pair.bars), FREE)
    assert there.total == pytest.approx(here.total, abs=2e-3)
    assert there.fit == pytest.approx(here.fit, abs=2e-3)


def test_fit_is_the_mean_of_the_akaike_and_the_schwarz_weight(pair):
    spreads = spreads_of(pair)
    reverting, walking = fit_models(spreads, MARKET.garch), fit_walks(spreads, MARKET.garch)
    apart = [replace(models, garch=without(models.garch)) for models in (reverting, walking)]
    akaike, schwarz = (getattr(walking.constant, name) - getattr(reverting.constant, name) for name in ("aic", "bic"))
    expected = (1 / (1 + exp(-akaike[0] / 2)) + 1 / (1 + exp(-schwarz[0] / 2))) / 2
    assert fit_component(*apart) == pytest.approx(expected)


def without(fits):
    """The same fits, none of them converged."""
    return replace(fits, converged=np.zeros_like(fits.converged))


def fit_of(spreads):
    return fit_component(fit_models(spreads, MARKET.garch), fit_walks(spreads, MARKET.garch))


def test_fit_tells_a_reverting_spread_from_a_walk(pair):
    assert fit_of(spreads_of(pair))[0] > 0.8
    walks = np.cumsum(np.random.default_rng(1).standard_normal((20, 2, 546)) * 0.002, axis=2)
    assert np.median(fit_of(spreads_of(legs_of(*walks)))) < 0.5


def test_arch_effects_alone_are_no_evidence_for_reversion():
    generator = np.random.default_rng(4)
    noise, variance, steps = 0.0, 1.0, np.zeros(1000)
    for bar in range(1000):
        variance = 0.1 + 0.2 * noise**2 + 0.7 * variance
        noise = np.sqrt(variance) * generator.standard_normal()
        steps[bar] = noise
    assert fit_of(np.cumsum(steps)[None])[0] < 0.5


def test_an_overwhelming_difference_does_not_overflow(pair):
    models = fit_models(spreads_of(pair), MARKET.garch)
    far = replace(models.constant, aic=np.array([1e6]), bic=np.array([1e6]))
    assert fit_component(models, replace(models, constant=far, garch=without(far))) == 1.0


def test_the_first_four_fifths_know_nothing_of_the_last(pair):
    before = try_out(pair, MARKET)
    later = pair.log_a + np.where(before.tried, 1.0, 0.0)
    after = try_out(Legs(later, pair.log_b, pair.bars), MARKET)
    assert before.tried.sum() == 546 - 436
    assert (after.fits, after.hedge_ratio, after.half_life) == (before.fits, before.hedge_ratio, before.half_life)
    assert np.array_equal(after.variances[:, 1:437], before.variances[:, 1:437])


def test_the_path_is_that_of_the_fit(pair):
    trial = try_out(pair, MARKET)
    path = trial.fits[0].filter(trial.spreads[0])
    assert trial.residuals[0] == pytest.approx(path.residuals, rel=1e-9, abs=1e-15, nan_ok=True)
    assert trial.variances[0] == pytest.approx(path.variances, rel=1e-9, nan_ok=True)


def test_volatility_sees_whether_garch_forecasts_better_out_of_sample():
    generator = np.random.default_rng(2)
    deviation = np.tile(np.repeat([1.0, 4.0], 150), 7)[:2000]
    spread = np.zeros(2000)
    for bar in range(1, 2000):
        spread[bar] = 0.9 * spread[bar - 1] + deviation[bar] * 0.001 * generator.standard_normal()
    walk = np.cumsum(generator.standard_normal(2000) * 0.002)
    assert volatility_component(try_out(legs_of((walk + spread, walk)), MARKET))[0] > 0.95


def test_volatility_compares_one_step_forecasts_of_the_last_fifth(pair, monkeypatch):
    trial, seen = try_out(pair, MARKET), []
    real = scoring.qlike
    monkeypatch.setattr(
        scoring, "qlike", lambda proxy, forecast: seen.append((proxy[0], forecast[0])) or real(proxy, forecast)
    )
    volatility_component(trial)
    (proxy, constant), (_, forecast) = seen
    squares, tried = trial.residuals[0] ** 2, trial.tried[0]
    assert np.isnan(proxy[~tried]).all()
    assert proxy[tried] == pytest.approx(squares[tried])
    assert forecast[tried] == pytest.approx(trial.variances[0, tried])
    assert constant[tried] == pytest.approx([squares[1:bar].mean() for bar in np.flatnonzero(tried)])


def test_under_five_round_trips_trading_is_undecided_and_says_so(pair):
    score = score_legs(pair, MARKET)
    assert score.trading[0] == 0.5
    assert score.round_trips[0] < 5
    assert any("round trips" in note for note in scoring.notes_of(int(score.round_trips[0]), trial_converged=True))


def test_trading_is_the_probabilistic_sharpe_ratio_of_the_rule(busy):
    trial = try_out(busy, FREE)
    trading, round_trips = trading_component(trial, busy, FREE)
    assert round_trips[0] >= 5
    assert trading[0] > 0.9
    trades = trades_of(trial, 0)
    assert trades.round_trips == trial.trades(0, RULE).round_trips
    spread = trial.spreads[0, trial.tried[0]]
    steps = trades.positions[:-1] * np.diff(spread) / (1 + trial.hedge_ratio[0])
    assert trading[0] == pytest.approx(probabilistic_sharpe(steps))


def trades_of(trial, row):
    """The rule over a last fifth with the band drawn bar by bar."""
    fit, tried = trial.fits[row], trial.tried[row]
    spread, mean = trial.spreads[row, tried], trial.mean[row]
    path = fit.filter(trial.spreads[row])
    residuals, variances = path.residuals[tried], path.variances[tried]
    fitted = trial.spreads[row, : trial.spreads.shape[1] - tried.sum()]
    half = half_life(fitted)
    z = (spread - mean) / fitted.std(ddof=1)

    def inside(direction, entry, now):
        band = fit.band(spread[entry], mean, residuals[entry], variances[entry], now - entry)
        return inside_band(direction, spread[now], band, RULE)

    probability = reversion_probability(z, half.phi ** max(1, round(half.bars)))
    return replay(z, probability, inside, half.bars, RULE)


def test_costs_lower_the_trading_component(busy):
    trial = try_out(busy, MARKET)
    markets = [replace(MARKET, costs=CostSettings(spread_bps=bps)) for bps in (0, 20, 200)]
    found = [trading_component(trial, busy, market)[0][0] for market in markets]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.05


def test_every_change_of_position_pays_half_the_spread_on_both_legs(busy):
    trial = try_out(busy, MARKET)
    positions, _ = trial.replay(RULE)
    free = returns_of(positions, trial, busy, CostSettings(spread_bps=0))
    charged = returns_of(positions, trial, busy, CostSettings(spread_bps=3))
    turnover = 2 * len(trial.trades(0, RULE).trades)
    assert np.nansum(free - charged) == pytest.approx(turnover * 1.5e-4)


def test_a_position_that_is_held_at_the_end_is_closed_at_the_last_bar(busy):
    trial = try_out(busy, MARKET)
    held = np.where(trial.tried, 1.0, np.nan)
    free = returns_of(held, trial, busy, CostSettings(spread_bps=0))
    charged = returns_of(held, trial, busy, CostSettings(spread_bps=3))
    assert np.nansum(free - charged) == pytest.approx(2 * 1.5e-4)


def test_diagnostics_are_full_marks_from_five_percent_on(pair):
    models = fit_models(spreads_of(pair), MARKET.garch)

    def marks(ljung_box, arch_lm):
        fits = replace(models.constant, ljung_box_pvalue=np.array([ljung_box]), arch_lm_pvalue=np.array([arch_lm]))
        return diagnostics_component(replace(models, constant=fits, garch=without(models.garch)))[0]

    assert marks(0.5, 0.05) == 1
    assert marks(0.025, 0.0) == pytest.approx(0.25)
