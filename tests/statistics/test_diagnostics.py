"""Residual tests and forecast comparison against statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tandem.statistics import (
    arch_lm,
    arch_lms,
    diebold_mariano,
    diebold_marianos,
    jarque_beras,
    ljung_box,
    ljung_boxes,
    qlike,
)

NOISE = np.random.default_rng(4).standard_normal(400)
SMOOTH = np.convolve(NOISE, np.ones(4) / 4, mode="valid")
ANY_ROWS = arrays(np.float64, (3, 17), elements=st.floats(allow_nan=True, allow_infinity=True, width=64))


def ragged(seed: int, rows: int = 40, bars: int = 300):
    """Heavy-tailed, clustered and smooth series that begin and end at different bars."""
    generator = np.random.default_rng(seed)
    shocks = generator.standard_t(4, (rows, bars)) * np.exp(np.cumsum(generator.normal(0, 0.1, (rows, bars)), axis=1))
    shocks[::3] = np.cumsum(shocks[::3], axis=1)
    shocks *= 10.0 ** generator.integers(-8, 9, (rows, 1))
    first, last = generator.integers(0, 100, rows), generator.integers(200, bars + 1, rows)
    bar = np.arange(bars)
    return np.where((bar >= first[:, None]) & (bar < last[:, None]), shocks, np.nan)


ROWS = ragged(1)
SERIES = [row[~np.isnan(row)] for row in ROWS]


def plain_ljung_box(values, lags=10):
    centred, count = values - values.mean(), values.size
    correlations = np.array([centred[lag:] @ centred[:-lag] for lag in range(1, lags + 1)]) / (centred @ centred)
    return count * (count + 2) * np.sum(correlations**2 / (count - np.arange(1, lags + 1)))


def plain_arch_lm(values, lags=5):
    squares = values**2
    target = squares[lags:]
    design = np.column_stack([np.ones(target.size)] + [squares[lags - lag : -lag] for lag in range(1, lags + 1)])
    left = target - design @ np.linalg.lstsq(design, target, rcond=None)[0]
    deviation = target - target.mean()
    return target.size * (1 - (left @ left) / (deviation @ deviation))


def plain_diebold_mariano(first, second):
    difference = first - second
    centred, lags = difference - difference.mean(), int(np.ceil(np.cbrt(difference.size)))
    variance = centred @ centred + sum(
        2 * (1 - lag / (lags + 1)) * (centred[lag:] @ centred[:-lag]) for lag in range(1, lags + 1)
    )
    return difference.mean() * difference.size / np.sqrt(variance)


def close(oracle):
    return pytest.approx(np.array(oracle), rel=1e-9, abs=1e-9)


def test_rows_get_what_statsmodels_gives_each_series():
    from scipy.stats import kurtosis, skew
    from statsmodels.stats.diagnostic import acorr_ljungbox, het_arch
    from statsmodels.stats.stattools import jarque_bera

    boxes, arches, normals = ljung_boxes(ROWS), arch_lms(ROWS), jarque_beras(ROWS)
    oracle = [acorr_ljungbox(series, lags=[10]).iloc[0] for series in SERIES]
    assert boxes.statistic == close([found["lb_stat"] for found in oracle])
    assert boxes.pvalue == close([found["lb_pvalue"] for found in oracle])
    # The oracle does not standardise, and its least squares lose digits on squares of size 1e-16.
    oracle = [het_arch(series / series.std(), nlags=5, result_object=False) for series in SERIES]
    assert arches.statistic == close([found[0] for found in oracle])
    assert arches.pvalue == close([found[1] for found in oracle])
    oracle = [jarque_bera(series) for series in SERIES]
    assert normals.statistic == close([found[0] for found in oracle])
    assert normals.pvalue == close([found[1] for found in oracle])
    assert normals.skew == close([skew(series) for series in SERIES])
    assert normals.kurtosis == close([kurtosis(series, fisher=False) for series in SERIES])
    assert boxes.tested.all()
    assert arches.tested.all()
    assert normals.tested.all()


def test_rows_get_what_the_plain_formulas_give_each_series():
    assert ljung_boxes(ROWS).statistic == close([plain_ljung_box(series) for series in SERIES])
    assert arch_lms(ROWS).statistic == close([plain_arch_lm(series / series.std()) for series in SERIES])
    other = np.roll(ROWS, 3, axis=0)
    both = ~np.isnan(ROWS) & ~np.isnan(other)
    found = diebold_marianos(ROWS, other)
    oracle = [plain_diebold_mariano(a[where], b[where]) for a, b, where in zip(ROWS, other, both, strict=True)]
    assert found.statistic == close(oracle)


def test_a_row_knows_nothing_of_its_neighbours_nor_of_its_margins():
    for row, series in enumerate(SERIES):
        assert ljung_boxes(ROWS).statistic[row] == ljung_box(series).statistic
        assert arch_lms(ROWS).statistic[row] == arch_lm(series).statistic
        alone, among = jarque_beras([series]), jarque_beras(ROWS)
        assert (alone.statistic[0], alone.kurtosis[0]) == (among.statistic[row], among.kurtosis[row])


@pytest.mark.parametrize(
    "row",
    [np.full(40, 0.1), np.full(40, np.nan), np.where(np.arange(40) == 20, np.nan, 1.0), np.r_[np.inf, np.arange(39)]],
    ids=["alike", "empty", "gap", "infinite"],
)
def test_what_cannot_be_tested_says_nothing(row):
    for table in (ljung_boxes([row]), arch_lms([row]), jarque_beras([row])):
        assert (table.statistic[0], table.pvalue[0], table.tested[0]) == (0, 1, False)
    compared = diebold_marianos([row], np.zeros((1, 40)))
    assert (compared.statistic[0], compared.probability[0], compared.tested[0]) == (0, 0.5, False)


def test_squares_that_are_alike_have_no_arch_effects():
    assert arch_lm(np.tile([1.0, -1.0], 20)).pvalue == 1
    assert not arch_lms([np.tile([1.0, -1.0], 20)]).tested[0]


def test_lags_that_repeat_one_another_explain_what_one_of_them_does():
    """Squares of period two: each second lag is the first one again."""
    found = arch_lm(np.tile([1.0, 2.0], 20))
    assert found.statistic == pytest.approx(35)


def test_too_few_values_are_not_tested():
    few = np.array([[1.0, 2.0, 4.0, 3.0, np.nan]])
    assert not ljung_boxes(few).tested[0]
    assert not arch_lms(few).tested[0]
    assert jarque_beras(few).tested[0]
    with pytest.raises(ValueError, match="at least 12 values"):
        ljung_box(few[0, :4])


@given(rows=ANY_ROWS)
@settings(max_examples=200, deadline=None)
def test_no_row_gives_nan_or_a_warning(rows):
    for table in (ljung_boxes(rows), arch_lms(rows), jarque_beras(rows)):
        assert np.isfinite(table.statistic).all()
        assert ((table.pvalue >= 0) & (table.pvalue <= 1)).all()
    compared = diebold_marianos(rows, np.roll(rows, 1, axis=0))
    assert np.isfinite(compared.statistic).all()
    assert ((compared.probability >= 0) & (compared.probability <= 1)).all()


@given(unit=st.floats(1e-6, 1e6), negative=st.booleans())
@settings(max_examples=20, deadline=None)
def test_the_unit_of_residuals_does_not_matter(unit, negative):
    other = ROWS * (-unit if negative else unit)
    assert ljung_boxes(other).statistic == close(ljung_boxes(ROWS).statistic)
    assert arch_lms(other).statistic == close(arch_lms(ROWS).statistic)
    assert jarque_beras(other).statistic == close(jarque_beras(ROWS).statistic)
    assert diebold_marianos(other, -other).statistic * (-1 if negative else 1) == close(
        diebold_marianos(ROWS, -ROWS).statistic
    )


def test_a_matrix_is_asked_for():
    with pytest.raises(ValueError, match=r"got shape \(400,\)"):
        ljung_boxes(NOISE)
    with pytest.raises(ValueError, match="losses of both"):
        diebold_marianos(np.zeros((2, 9)), np.zeros((2, 8)))
    with pytest.raises(ValueError, match="at least one lag"):
        arch_lms([NOISE], 0)


def test_the_given_rows_are_left_alone():
    before = ROWS.copy()
    arch_lms(ROWS)
    np.testing.assert_array_equal(ROWS, before)


@pytest.mark.parametrize("series", [NOISE, SMOOTH])
def test_ljung_box_is_that_of_statsmodels(series):
    from statsmodels.stats.diagnostic import acorr_ljungbox

    oracle, found = acorr_ljungbox(series, lags=[10]), ljung_box(series)
    assert found.statistic == pytest.approx(oracle["lb_stat"].iloc[0])
    assert found.pvalue == pytest.approx(oracle["lb_pvalue"].iloc[0], abs=1e-12)


@pytest.mark.parametrize("series", [NOISE, SMOOTH])
def test_arch_lm_is_that_of_statsmodels(series):
    from statsmodels.stats.diagnostic import het_arch

    oracle, found = het_arch(series, nlags=5, result_object=False), arch_lm(series)
    assert (found.statistic, found.pvalue) == pytest.approx(tuple(oracle[:2]), abs=1e-10)


def test_diebold_mariano_is_that_of_statsmodels():
    from statsmodels.tsa.stattools import diebold_mariano_test

    proxy = NOISE**2
    first, second = np.full(400, 1.5), 0.5 + 0.5 * np.roll(proxy, 1)
    oracle = diebold_mariano_test(proxy, first, second, criterion=qlike)
    found = diebold_mariano(qlike(proxy, first), qlike(proxy, second))
    assert (found.statistic, found.lags) == (pytest.approx(oracle.statistic), oracle.lags)
    assert found.probability == pytest.approx(1 - oracle.pvalue / 2 if oracle.statistic > 0 else oracle.pvalue / 2)


def test_the_true_variance_loses_least():
    proxy = NOISE**2
    losses = {forecast: qlike(proxy, np.full(400, forecast)).mean() for forecast in (0.5, proxy.mean(), 2.0)}
    assert min(losses, key=losses.__getitem__) == proxy.mean()


def test_the_better_second_forecast_gets_a_probability_near_one():
    generator = np.random.default_rng(9)
    variance = np.exp(np.sin(np.arange(600) / 30))
    proxy = variance * generator.standard_normal(600) ** 2
    better = diebold_mariano(qlike(proxy, np.full(600, proxy.mean())), qlike(proxy, variance))
    worse = diebold_mariano(qlike(proxy, variance), qlike(proxy, np.full(600, proxy.mean())))
    assert better.probability > 0.99
    assert worse.probability == pytest.approx(1 - better.probability)


def test_equal_forecasts_are_a_tie():
    assert diebold_mariano(NOISE, NOISE).probability == 0.5
