"""AR(1)-GARCH(1,1) against arch, and what its forecasts promise."""

import msgspec
import numpy as np
import pytest

from tandem.config import GarchSettings
from tandem.statistics import GarchFit, fit_constant, fit_spread

NORMAL, STUDENT = GarchSettings(), GarchSettings(distribution="studentst")


def oracle_of(spread, fit, distribution="normal", mean="AR"):
    """arch's own result at the fitted parameters."""
    from arch import arch_model

    values = spread / fit.scale
    series, lags = (values, 1) if mean == "AR" else (np.diff(values), 0)
    model = arch_model(series, mean=mean, lags=lags, vol="GARCH", p=1, q=1, dist=distribution, rescale=False)
    first = [fit.mu, fit.phi] if mean == "AR" else []
    last = [fit.nu] if fit.nu is not None else []
    return model, np.array([*first, fit.omega, fit.alpha, fit.beta, *last])


def test_a_fit_is_archs_own(garch_spread):
    fit = fit_spread(garch_spread, NORMAL)
    model, parameters = oracle_of(garch_spread, fit)
    oracle = model.fit(disp="off")
    assert fit.loglikelihood == pytest.approx(oracle.loglikelihood, abs=1e-5)
    assert (fit.aic, fit.bic) == pytest.approx((oracle.aic, oracle.bic), abs=1e-4)
    assert parameters == pytest.approx(oracle.params.to_numpy(), abs=2e-3)
    assert fit.converged


@pytest.mark.parametrize(("settings", "distribution"), [(NORMAL, "normal"), (STUDENT, "t")])
def test_archs_likelihood_at_the_parameters_is_that_of_the_fit(garch_spread, settings, distribution):
    fit = fit_spread(garch_spread, settings)
    model, parameters = oracle_of(garch_spread, fit, distribution)
    fixed = model.fix(parameters)
    assert fit.loglikelihood == pytest.approx(fixed.loglikelihood, abs=1e-6)
    assert fit.loglikelihood > model.fit(disp="off").loglikelihood - 1e-4


@pytest.mark.parametrize("settings", [NORMAL, GarchSettings(backcast="sample")])
def test_filtering_the_fitted_data_gives_archs_conditional_volatility(garch_spread, settings):
    fit = fit_spread(garch_spread, settings)
    model, parameters = oracle_of(garch_spread, fit)
    oracle = model.fit(disp="off", backcast=fit.backcast, starting_values=parameters)
    path = fit.filter(garch_spread)
    ours = np.sqrt(path.variances[1:]) / fit.scale
    assert ours == pytest.approx(oracle.conditional_volatility[1:], abs=1e-4)
    assert path.residuals[1:] / fit.scale == pytest.approx(oracle.resid[1:], abs=1e-4)
    assert np.isnan([path.residuals[0], path.variances[0]]).all()


def test_the_parameters_of_a_simulated_spread_are_found_again(garch_spread):
    fit = fit_spread(garch_spread, NORMAL)
    assert fit.phi == pytest.approx(0.9, abs=0.03)
    assert fit.alpha == pytest.approx(0.1, abs=0.04)
    assert fit.beta == pytest.approx(0.8, abs=0.1)
    assert fit.is_stationary


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e4])
def test_the_unit_of_the_spread_changes_nothing_but_the_scale(garch_spread, unit):
    there, here = fit_spread(garch_spread * unit, NORMAL), fit_spread(garch_spread, NORMAL)
    assert there.scale == pytest.approx(here.scale * unit)
    assert there.loglikelihood == pytest.approx(here.loglikelihood, abs=1e-3)
    assert (there.alpha, there.beta, there.phi) == pytest.approx((here.alpha, here.beta, here.phi), abs=2e-3)


def test_filtering_looks_at_no_later_bar(garch_spread):
    fit = fit_spread(garch_spread, NORMAL)
    whole, part = fit.filter(garch_spread), fit.filter(garch_spread[:500])
    assert np.array_equal(whole.variances[1:500], part.variances[1:])
    changed = garch_spread.copy()
    changed[500:] += 1
    assert np.array_equal(fit.filter(changed).variances[1:501], whole.variances[1:501])


def test_variance_forecasts_are_archs(garch_spread):
    fit = fit_spread(garch_spread, NORMAL)
    model, parameters = oracle_of(garch_spread, fit)
    oracle = model.fix(parameters).forecast(horizon=12, reindex=False)
    path = fit.filter(garch_spread)
    newest = path.residuals[-1], path.variances[-1]
    ours = fit.forecast(*newest, 12) / fit.scale**2
    assert ours == pytest.approx(oracle.residual_variance.to_numpy()[0], rel=1e-6)
    levels = [fit.change_deviation(*newest, bars) / fit.scale for bars in range(1, 13)]
    assert levels == pytest.approx(np.sqrt(oracle.variance.to_numpy()[0]), rel=1e-6)


def test_the_forecast_deviation_is_that_of_simulated_paths(garch_spread):
    fit = fit_spread(garch_spread, NORMAL)
    path = fit.filter(garch_spread)
    generator = np.random.default_rng(2)
    residual, variance = np.full(200_000, path.residuals[-1]), np.full(200_000, path.variances[-1])
    change = np.zeros(200_000)
    for _ in range(8):
        variance = fit.omega * fit.scale**2 + fit.alpha * residual**2 + fit.beta * variance
        residual = np.sqrt(variance) * generator.standard_normal(200_000)
        change = fit.phi * change + residual
    assert change.std() == pytest.approx(fit.change_deviation(path.residuals[-1], path.variances[-1], 8), rel=0.01)


def test_a_forecast_needs_a_horizon(garch_spread):
    with pytest.raises(ValueError, match="at least one bar"):
        fit_constant(garch_spread, NORMAL).forecast(0.0, 1.0, 0)


def test_the_band_follows_the_path_to_the_equilibrium_and_widens(garch_spread):
    fit = fit_spread(garch_spread, NORMAL)
    variance = fit.filter(garch_spread).variances[-1]
    bands = [fit.band(0.02, 0.001, 0.0, variance, bars) for bars in (1, 2, 50)]
    assert [band.centre for band in bands] == pytest.approx([0.001 + 0.019 * fit.phi**bars for bars in (1, 2, 50)])
    assert bands[0].deviation < bands[1].deviation < bands[2].deviation
    assert bands[0].deviation == pytest.approx(np.sqrt(fit.forecast(0.0, variance, 1)[0]))


def test_a_constant_variance_is_the_gaussian_autoregression(plain_spread):
    fit = fit_constant(plain_spread, NORMAL)
    values = plain_spread / fit.scale
    phi, mu = np.polyfit(values[:-1], values[1:], 1)
    residuals = values[1:] - mu - phi * values[:-1]
    variance, count = np.mean(residuals**2), residuals.size
    assert (fit.phi, fit.mu, fit.omega) == pytest.approx((phi, mu, variance), abs=1e-8)
    assert fit.loglikelihood == pytest.approx(-count / 2 * (np.log(2 * np.pi * variance) + 1), abs=1e-6)
    assert fit.aic == pytest.approx(2 * 3 - 2 * fit.loglikelihood)
    assert fit.filter(plain_spread).variances[1:] == pytest.approx(variance * fit.scale**2)


def test_a_walk_is_fitted_to_the_same_bars_with_fewer_parameters(plain_spread):
    walk, reverting = fit_constant(plain_spread, NORMAL, reverts=False), fit_constant(plain_spread, NORMAL)
    steps = np.diff(plain_spread) / walk.scale
    expected = -steps.size / 2 * (np.log(2 * np.pi * np.mean(steps**2)) + 1)
    assert (walk.phi, walk.mu) == (1.0, 0.0)
    assert walk.loglikelihood == pytest.approx(expected, abs=1e-6)
    assert walk.aic == pytest.approx(2 * 1 - 2 * expected)
    assert reverting.loglikelihood > walk.loglikelihood


def test_a_walk_with_garch_steps_is_archs_zero_mean_model(garch_spread):
    fit = fit_spread(garch_spread, NORMAL, reverts=False)
    model, _ = oracle_of(garch_spread, fit, mean="Zero")
    assert fit.loglikelihood == pytest.approx(model.fit(disp="off").loglikelihood, abs=1e-5)


def test_diagnostics_are_of_the_standardised_residuals(garch_spread):
    from statsmodels.stats.diagnostic import acorr_ljungbox, het_arch

    fit = fit_spread(garch_spread, NORMAL)
    standardised = fit.filter(garch_spread).standardised
    assert fit.ljung_box_pvalue == pytest.approx(acorr_ljungbox(standardised, lags=[10])["lb_pvalue"].iloc[0])
    assert fit.arch_lm_pvalue == pytest.approx(het_arch(standardised, nlags=5, result_object=False)[1])


def test_garch_explains_the_arch_effects_that_a_constant_variance_leaves(garch_spread):
    assert fit_constant(garch_spread, NORMAL).arch_lm_pvalue < 1e-4
    assert fit_spread(garch_spread, NORMAL).arch_lm_pvalue > 0.05


def test_a_constant_spread_has_no_variance():
    with pytest.raises(ValueError, match="no variance"):
        fit_spread(np.ones(100), NORMAL)


@pytest.mark.parametrize("settings", [NORMAL, STUDENT])
def test_a_fit_survives_json(garch_spread, settings):
    fit = fit_spread(garch_spread, settings)
    assert msgspec.json.decode(msgspec.json.encode(fit), type=GarchFit) == fit


def test_the_same_spread_gives_the_same_fit_to_the_last_digit(garch_spread):
    assert fit_spread(garch_spread, NORMAL) == fit_spread(garch_spread, NORMAL)


def test_bands_are_the_band_of_each_bar(garch_spread):
    fit = fit_spread(garch_spread, NORMAL)
    state = (2e-3, 1e-3, 5e-4, 2e-7)
    bands = fit.bands(*state, 9)
    for bars, one in enumerate(bands, start=1):
        band = fit.band(*state, bars)
        assert (one.centre, one.deviation) == pytest.approx((band.centre, band.deviation), rel=1e-12)
