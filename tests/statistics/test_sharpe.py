"""Sharpe ratios with what one may believe of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tandem.statistics import (
    deflated_sharpe,
    deflated_sharpes,
    expected_best_sharpe,
    min_track_record,
    probabilistic_sharpe,
    probabilistic_sharpes,
    sharpe_ratio,
    track_record_length,
)

RETURNS = np.random.default_rng(8).standard_normal(1000) * 0.01 + 0.001


def test_the_sharpe_ratio_is_annualised():
    found = sharpe_ratio(RETURNS, 252)
    assert found.ratio == pytest.approx(RETURNS.mean() / RETURNS.std(ddof=1) * np.sqrt(252))
    assert (found.periods, found.count) == (252, 1000)


def test_the_standard_error_is_what_repeated_samples_show():
    generator = np.random.default_rng(3)
    samples = generator.standard_normal((4000, 250)) * 0.01 + 0.002
    ratios = [sharpe_ratio(sample, 1).ratio for sample in samples]
    assert np.mean([sharpe_ratio(sample, 1).standard_error for sample in samples]) == pytest.approx(
        np.std(ratios), rel=0.05
    )


def test_the_probabilistic_ratio_is_uniform_without_skill():
    generator = np.random.default_rng(6)
    found = [probabilistic_sharpe(generator.standard_normal(200)) for _ in range(2000)]
    assert np.quantile(found, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.03)


def test_returns_that_do_not_vary_tell_nothing():
    assert probabilistic_sharpe(np.zeros(10)) == 0.5
    assert sharpe_ratio(np.zeros(10)).ratio == 0


def test_the_expected_best_of_a_hundred_is_the_papers():
    """Bailey and Lopez de Prado (2014): 100 trials, annual variance 1/2, 250 days: 0.1132 per day."""
    assert expected_best_sharpe(100, 0.5 / 250) == pytest.approx(0.1132, abs=1e-4)


def test_more_trials_deflate_more():
    assert probabilistic_sharpe(RETURNS) == deflated_sharpe(RETURNS, 1, 0.001)
    found = [deflated_sharpe(RETURNS, trials, 0.001) for trials in (1, 10, 100, 1000)]
    known = sharpe_ratio(RETURNS)
    assert [known.deflated(trials, 0.001) for trials in (1, 10, 100, 1000)] == pytest.approx(found, abs=1e-12)
    assert found == sorted(found, reverse=True)


def test_no_trial_is_no_ground_to_deflate():
    with pytest.raises(ValueError, match="need a trial"):
        expected_best_sharpe(0, 1.0)


@given(unit=st.floats(1e-6, 1e6))
def test_the_unit_of_returns_does_not_matter(unit):
    assert probabilistic_sharpe(RETURNS * unit) == pytest.approx(probabilistic_sharpe(RETURNS), abs=1e-9)


def plain_probabilistic_sharpe(returns, benchmark=0.0):
    """Bailey and Lopez de Prado (2012), with scipy's moments."""
    from scipy.stats import kurtosis, norm, skew

    ratio = returns.mean() / returns.std(ddof=1)
    factor = 1 - skew(returns) * ratio + (kurtosis(returns, fisher=False) - 1) / 4 * ratio**2
    return norm.cdf((ratio - benchmark) * np.sqrt((returns.size - 1) / factor))


def ragged():
    generator = np.random.default_rng(5)
    returns = generator.standard_t(5, (30, 120)) * 0.01 + 0.001
    for row, (first, last) in enumerate(
        zip(generator.integers(0, 40, 30), generator.integers(60, 121, 30), strict=True)
    ):
        returns[row, :first] = returns[row, last:] = np.nan
    return returns


def test_rows_get_what_the_plain_formula_gives_each_series():
    returns = ragged()
    series = [row[~np.isnan(row)] for row in returns]
    assert probabilistic_sharpes(returns) == pytest.approx([plain_probabilistic_sharpe(s) for s in series], abs=1e-12)
    benchmarks = np.linspace(-0.1, 0.2, 30)
    oracle = [plain_probabilistic_sharpe(s, b) for s, b in zip(series, benchmarks, strict=True)]
    assert probabilistic_sharpes(returns, benchmarks) == pytest.approx(oracle, abs=1e-12)
    assert deflated_sharpes(returns, 50, 0.001).tolist() == [deflated_sharpe(s, 50, 0.001) for s in series]


@given(returns=arrays(np.float64, (3, 6), elements=st.floats(allow_nan=True, allow_infinity=True, width=64)))
@settings(max_examples=200, deadline=None)
def test_every_row_gets_a_probability(returns):
    found = probabilistic_sharpes(returns, 0.1)
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("row", [np.full(7, 0.1), np.array([np.nan, 1.0, np.nan]), np.array([1.0, np.nan, 2.0])])
def test_a_row_that_tells_nothing_is_undecided(row):
    assert probabilistic_sharpes([row], 5.0) == 0.5


@pytest.mark.parametrize(("periods", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_the_length_of_a_track_record_is_the_papers(periods, years):
    """Bailey and Lopez de Prado (2012): normal returns, an annual ratio of 2 against 1 at 95%."""
    found = track_record_length(2 / np.sqrt(periods), 1 / np.sqrt(periods))
    assert found / periods == pytest.approx(years, abs=0.005)


def test_the_length_of_a_hedge_funds_track_record_is_the_papers():
    """The same, monthly, with the skew of -0.72 and the kurtosis of 5.78 of hedge funds: 4.99 years and not 3.24."""
    found = track_record_length(2 / np.sqrt(12), 1 / np.sqrt(12), skew=-0.72, kurtosis=5.78)
    assert found / 12 == pytest.approx(4.99, abs=0.005)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_records_of_that_length_beat_the_benchmark_as_often_as_stated(side, confidence):
    """The plain way: gamma returns, whose skew is 2 / sqrt(shape) and whose kurtosis is 3 + 6 / shape, many times."""
    shape, ratio, benchmark = 4.0, 0.5, 0.45
    needed = track_record_length(ratio, benchmark, skew=side, kurtosis=4.5, confidence=confidence)
    drawn = np.random.default_rng(17).gamma(shape, size=(6000, round(needed)))
    returns = side * (drawn - shape) / np.sqrt(shape) + ratio
    ratios = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    assert np.mean(ratios > benchmark) == pytest.approx(confidence, abs=0.01)
    assert np.median(probabilistic_sharpes(returns, benchmark)) == pytest.approx(confidence, abs=0.01)


@given(seed=st.integers(0, 1000), benchmark=st.floats(-0.1, 0.1), confidence=st.floats(0.51, 0.999))
@settings(max_examples=50, deadline=None)
def test_a_record_is_long_enough_exactly_where_its_ratio_is_believed(seed, benchmark, confidence):
    returns = np.random.default_rng(seed).standard_t(4, 150) + 0.1
    believed = probabilistic_sharpe(returns, benchmark) >= confidence
    assert (min_track_record(returns, benchmark, confidence) <= returns.size) == believed


def test_no_record_is_long_enough_for_what_is_not_better():
    assert track_record_length(0.1, 0.1) == min_track_record(np.zeros(9)) == min_track_record(-RETURNS) == np.inf
    with pytest.raises(ValueError, match="confidence between"):
        track_record_length(0.1, confidence=1)
