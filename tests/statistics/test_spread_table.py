"""Measures of many spreads against what one would write for one."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.statistics import (
    all_pairs,
    fit_hedge,
    fit_hedge_tls,
    half_life,
    kalman_hedge,
    measure_spreads,
    screen_johansen,
)

MEASURES = ["hedge_ratio", "intercept", "ols", "tls", "johansen", "deviation", "phi", "half_life", "hurst"]
MEASURES += ["crossing_rate", "variance_ratio"]


def legs(prices, i, j):
    common = np.isfinite(prices[i]) & np.isfinite(prices[j])
    return prices[i][common], prices[j][common]


def hurst(spread):
    lags = np.arange(2, 21)
    return np.polyfit(np.log(lags), [np.log((spread[lag:] - spread[:-lag]).std()) for lag in lags], 1)[0]


def variance_ratio(spread, q=10):
    n, drift = spread.size - 1, (spread[-1] - spread[0]) / (spread.size - 1)
    once = np.sum((np.diff(spread) - drift) ** 2) / (n - 1)
    apart = np.sum((spread[q:] - spread[:-q] - q * drift) ** 2) / (q * (n - q + 1) * (1 - q / n))
    return apart / once


def crossing_rate(spread):
    sides = np.sign(spread - spread.mean())
    return np.mean(np.diff(sides[sides != 0]) != 0)


def measures(table, names=MEASURES):
    return np.column_stack([getattr(table, name) for name in names])


def as_written_for_one(prices, hedge):
    """The twin: pair by pair."""
    rows = []
    johansen = screen_johansen(prices).hedge_ratio
    for (i, j), third in zip(all_pairs(len(prices)), johansen, strict=True):
        y, x = legs(prices, i, j)
        hedges = {"ols": fit_hedge(y, x).hedge_ratio, "tls": fit_hedge_tls(y, x).hedge_ratio, "johansen": third}
        slope = hedges[hedge]
        intercept = y.mean() - slope * x.mean()
        spread = y - intercept - slope * x
        life = half_life(spread)
        rows.append([slope, intercept, *hedges.values(), spread.std(ddof=1), life.phi, life.bars or np.inf])
        rows[-1] += [hurst(spread), crossing_rate(spread), variance_ratio(spread)]
    return np.array(rows)


@pytest.mark.parametrize("hedge", ["ols", "tls", "johansen"])
def test_all_spreads_at_once_are_measured_as_one_by_one(gapped, hedge):
    found = measure_spreads(gapped, hedge=hedge)
    np.testing.assert_allclose(measures(found), as_written_for_one(gapped, hedge), rtol=1e-8)
    np.testing.assert_allclose(found.mean, 0, atol=1e-14)


def test_spreads_of_real_stocks_are_measured_as_one_by_one(sp500):
    np.testing.assert_allclose(measures(measure_spreads(sp500[:12])), as_written_for_one(sp500[:12], "ols"), rtol=1e-6)


def test_hedges_are_those_of_numpy(gapped):
    found = measure_spreads(gapped)
    for row, (i, j) in enumerate(all_pairs(8)):
        y, x = legs(gapped, i, j)
        slope, intercept = np.linalg.lstsq(np.column_stack([x, np.ones(x.size)]), y)[0]
        normal = np.linalg.svd(np.column_stack([y - y.mean(), x - x.mean()]))[2][1]
        assert (found.ols[row], found.intercept[row]) == pytest.approx((slope, intercept), rel=1e-9)
        assert found.tls[row] == pytest.approx(-normal[1] / normal[0], rel=1e-9)


def test_the_kalman_hedge_is_the_last_of_its_path(gapped):
    found = measure_spreads(gapped, hedge="kalman")
    lasts = [kalman_hedge(*legs(gapped, i, j)).last for i, j in all_pairs(8)]
    np.testing.assert_allclose(found.hedge_ratio, [last.hedge_ratio for last in lasts], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.intercept, [last.intercept for last in lasts], rtol=1e-8)
    spreads = [last.spread(*legs(gapped, i, j)) for last, (i, j) in zip(lasts, all_pairs(8), strict=True)]
    np.testing.assert_allclose(found.mean, [spread.mean() for spread in spreads], atol=1e-10)
    np.testing.assert_allclose(found.deviation, [spread.std(ddof=1) for spread in spreads], rtol=1e-8)
    np.testing.assert_allclose(found.half_life, [half_life(spread).bars or np.inf for spread in spreads], rtol=1e-7)


def test_a_walk_wanders_and_a_pulled_spread_does_not():
    generator = np.random.default_rng(5)
    walks = np.cumsum(generator.standard_normal((60, 2000)), axis=1)
    pulled = np.zeros((60, 2000))
    for bar in range(1, 2000):
        pulled[:, bar] = 0.9 * pulled[:, bar - 1] + generator.standard_normal(60)
    # Hedged against a leg of its own that hardly moves, a spread is the first leg.
    still = np.cumsum(generator.standard_normal((60, 2000)), axis=1) * 1e-3
    pairs = np.column_stack([np.arange(60), np.arange(60, 120)])
    wandering = measure_spreads(np.vstack([walks, still]), pairs)
    reverting = measure_spreads(np.vstack([pulled, still]), pairs)
    assert np.median(wandering.hurst) == pytest.approx(0.5, abs=0.05)
    assert np.median(wandering.variance_ratio) == pytest.approx(1.0, abs=0.1)
    assert np.median(reverting.hurst) < 0.35
    assert np.median(reverting.variance_ratio) < 0.75
    assert np.median(reverting.half_life) == pytest.approx(np.log(2) / -np.log(0.9), rel=0.1)
    assert np.median(reverting.crossing_rate) == pytest.approx(np.arccos(0.9) / np.pi, rel=0.1)


@given(unit=st.floats(0.01, 100), shift=st.floats(-5, 5))
@settings(deadline=None)
def test_units_and_levels_of_all_prices_leave_the_shape_of_the_spread(gapped, unit, shift):
    names = ["ols", "tls", "johansen", "phi", "half_life", "hurst", "crossing_rate", "variance_ratio"]
    plain, other = measure_spreads(gapped[:2]), measure_spreads(gapped[:2] * unit + shift)
    np.testing.assert_allclose(measures(other, names), measures(plain, names), rtol=1e-6)
    assert other.deviation == pytest.approx(plain.deviation * unit, rel=1e-7)


@given(unit=st.floats(0.01, 100))
@settings(deadline=None)
def test_the_unit_of_one_leg_scales_least_squares_and_johansen(gapped, unit):
    plain, other = measure_spreads(gapped[:2]), measure_spreads(gapped[:2] * np.array([[unit], [1.0]]))
    np.testing.assert_allclose(
        measures(other, ["ols", "johansen"]), unit * measures(plain, ["ols", "johansen"]), rtol=1e-6
    )


def test_swapped_legs_invert_total_least_squares_and_johansen(gapped):
    pairs = all_pairs(8)
    there, back = measure_spreads(gapped, pairs), measure_spreads(gapped, pairs[:, ::-1])
    np.testing.assert_allclose(there.tls * back.tls, 1, rtol=1e-9)
    np.testing.assert_allclose(there.johansen * back.johansen, 1, rtol=1e-8)


def test_reordered_pairs_and_the_threads_change_no_bit(gapped):
    pairs = np.tile(all_pairs(8), (100, 1))
    there, back = measure_spreads(gapped, pairs, threads=1), measure_spreads(gapped, pairs[::-1], threads=2)
    assert (measures(there) == measures(back)[::-1]).all()


def test_renamed_symbols_are_measured_alike(gapped):
    order = np.array([3, 1, 0, 2, 7, 6, 5, 4])
    pairs = all_pairs(8)
    plain, renamed = measure_spreads(gapped, order[pairs]), measure_spreads(gapped[order], pairs)
    assert (measures(plain) == measures(renamed)).all()


def test_an_impossible_spread_is_refused_with_a_reason():
    generator = np.random.default_rng(1)
    walk = np.cumsum(generator.standard_normal(120)) * 0.01
    prices = np.vstack([walk, 2 * walk + 1, np.full(120, 3.0), np.where(np.arange(120) < 95, np.nan, walk)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = measure_spreads(prices)
    reasons = [found.refused.refusal(index).reason for index in range(len(found.refused))]
    assert len(found) == 0
    assert reasons == [
        "collinear legs", "constant price", "too few common bars", "constant price", "too few common bars",
        "too few common bars",
    ]  # fmt: skip


def test_legs_without_a_line_between_them_have_no_total_least_squares_hedge():
    y, x = np.tile([2.0, 2.0, -2.0, -2.0], 20), np.tile([1.0, -1.0, 1.0, -1.0], 20)
    y[[0, 1, 2, 3]], x[[0, 1, 2, 3]] = [3, 3, -3, -3], [0.5, -0.5, 0.5, -0.5]
    found = measure_spreads(np.vstack([y, x]), hedge="tls")
    assert len(found) + len(found.refused) == 1
    assert all(np.isfinite(found.hedge_ratio))


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=30, max_size=60))
@settings(deadline=None)
def test_prices_of_a_few_ticks_give_numbers_or_a_refusal(ticks):
    prices = np.log(np.array(ticks, dtype=float).T)
    for hedge in ("ols", "tls", "johansen", "kalman"):
        found = measure_spreads(prices, hedge=hedge)
        assert len(found) + len(found.refused) == 1
        assert not np.isnan(measures(found)).any()


def test_a_hedge_that_is_not_known_is_said_in_one_line(gapped):
    with pytest.raises(ValueError, match="one of ols, tls, johansen, kalman, got ridge"):
        measure_spreads(gapped, hedge="ridge")
