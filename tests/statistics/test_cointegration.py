"""Cointegration of many pairs against statsmodels, and what the definition promises."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.tsa.stattools import coint

from tandem.statistics import all_pairs, screen_cointegration, screen_johansen
from tandem.statistics.mackinnon import mackinnon_pvalues

ORDER = ("statistic", "pvalue", "lags", "hedge_ratio", "intercept")
COLUMNS = (
    *("row", "first", "second", "bars", "backward", *ORDER),
    *(f"{name}_{order}" for order in ("forward", "backward") for name in ORDER),
)


def walks(seed, bars, symbols=6):
    """Log prices of walks, the odd ones pulled to their neighbours."""
    generator = np.random.default_rng(seed)
    prices = 4 + np.cumsum(generator.standard_normal((symbols, bars)), axis=1) * 0.01
    prices[1::2] = 0.3 + 0.7 * prices[::2] + generator.standard_normal((symbols // 2, bars)) * 0.01
    return prices


def oracle(prices, first, second, **choices):
    common = np.isfinite(prices[first]) & np.isfinite(prices[second])
    return coint(prices[first][common], prices[second][common], **choices)[:2]


def both_orders(prices, table, **choices):
    """Statistics and p-values of statsmodels, and those of the table, (pairs, 4)."""
    asked = [
        [*oracle(prices, i, j, **choices), *oracle(prices, j, i, **choices)]
        for i, j in zip(table.first, table.second, strict=True)
    ]
    forward, backward = (
        (table.statistic_forward, table.pvalue_forward),
        (table.statistic_backward, table.pvalue_backward),
    )
    return np.array(asked), np.column_stack([*forward, *backward])


def check(prices, tolerance=1e-9, **choices):
    found = screen_cointegration(prices, **choices)
    assert len(found.refused) == 0
    expected, columns = both_orders(prices, found, **choices)
    np.testing.assert_allclose(columns[:, ::2], expected[:, ::2], rtol=0, atol=tolerance)
    np.testing.assert_allclose(columns[:, 1::2], expected[:, 1::2], rtol=0, atol=10 * tolerance)


def same(one, other, names=COLUMNS):
    for name in names:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def reasons(table):
    return [table.refused.refusal(index).reason for index in range(len(table.refused))]


def test_every_order_of_every_pair_of_3_real_stocks_is_that_of_statsmodels(sp500):
    check(sp500[::14])


@pytest.mark.slow
def test_every_order_of_every_pair_of_40_real_stocks_is_that_of_statsmodels(sp500):
    check(sp500)


def test_every_pair_of_40_real_stocks_is_that_of_the_plain_twin(sp500, plain_unit_root):
    found = screen_cointegration(sp500, both_orders=False)
    for index in range(0, len(found), 20):
        y, x = sp500[found.first[index]], sp500[found.second[index]]
        common = np.isfinite(y) & np.isfinite(x)
        slope, intercept = np.polyfit(x[common], y[common], 1)
        statistic, lags = plain_unit_root((y - intercept - slope * x)[common], constant=False)
        assert (found.statistic[index], found.lags[index]) == (pytest.approx(statistic, abs=1e-8), lags)
        assert (found.hedge_ratio[index], found.intercept[index]) == pytest.approx((slope, intercept), rel=1e-9)
        assert found.bars[index] == common.sum()


@pytest.mark.parametrize("bars", [26, 30, 31, 60, 252])
@pytest.mark.parametrize("seed", range(2))
def test_simulated_pairs_are_those_of_statsmodels(seed, bars):
    check(walks(seed, bars), tolerance=1e-9 if bars > 26 else 1e-8)


@pytest.mark.parametrize("autolag", ["aic", "bic", None])
@pytest.mark.parametrize("maxlag", [None, 0, 1, 7, 20])
def test_lags_are_chosen_as_by_statsmodels(autolag, maxlag):
    check(walks(5, 120, 4), autolag=autolag, maxlag=maxlag)


def test_30_000_bars():
    check(walks(1, 30_000, 2), maxlag=3)


@pytest.mark.slow
def test_30_000_bars_with_the_lags_of_schwert():
    check(walks(1, 30_000, 2))


@pytest.mark.parametrize("step", [0.1, 1.0, 3.0])
def test_ties(step):
    check(np.log(np.round(np.exp(walks(2, 200)) / step) * step))


def test_gaps_leave_the_common_bars(gapped):
    check(gapped)
    found = screen_cointegration(gapped, [[0, 1]])
    assert found.bars == np.isfinite(gapped[0] + gapped[1]).sum()


def test_legs_that_are_almost_collinear():
    prices = walks(4, 300, 2)
    prices[1] = 2 * prices[0] + 1 + np.random.default_rng(1).standard_normal(300) * 1e-3
    check(prices)


def test_stale_prices_and_single_jumps():
    prices = walks(6, 300, 4)
    prices[:2, 100:200] = prices[:2, 100:101]
    prices[2] = 4 + 0.1 * (np.arange(300) > 280)
    check(prices)


def test_a_trend_beside_a_walk():
    prices = walks(7, 250, 2)
    prices[1] = np.arange(250) * 0.01
    check(prices)


def test_the_weaker_order_decides():
    found = screen_cointegration(walks(8, 150, 12))
    assert found.backward.any()
    assert not found.backward.all()
    for name in ORDER:
        forward, backward = getattr(found, f"{name}_forward"), getattr(found, f"{name}_backward")
        np.testing.assert_array_equal(getattr(found, name), np.where(found.backward, backward, forward))
    np.testing.assert_array_equal(found.pvalue, np.maximum(found.pvalue_forward, found.pvalue_backward))


def test_one_order_is_the_forward_one():
    prices = walks(8, 150)
    both, one = screen_cointegration(prices), screen_cointegration(prices, both_orders=False)
    same(both, one, [f"{name}_forward" for name in ORDER])
    np.testing.assert_array_equal(one.statistic, both.statistic_forward)
    assert not one.backward.any()
    assert one.statistic_backward is None
    assert one.lags_backward is None


def test_johansen_is_the_trace_test():
    prices = walks(8, 150)
    prices[3] = 2 * prices[2]
    found, expected = screen_cointegration(prices, method="johansen"), screen_johansen(prices)
    np.testing.assert_array_equal(found.statistic, expected.trace)
    np.testing.assert_array_equal(found.pvalue, expected.pvalue)
    np.testing.assert_array_equal(found.hedge_ratio, expected.hedge_ratio)
    assert len(found) == len(all_pairs(6)) - 1
    assert reasons(found) == ["collinear legs"]


def test_impossible_pairs_are_refused_with_a_reason_and_the_others_answered():
    prices = np.vstack([walks(9, 100, 4), np.full((3, 100), 4.0)])
    prices[1] = 2 * prices[0] + 1
    prices[3, 23:] = np.nan
    prices[5, :] = np.nan
    prices[6] = np.log(100 * 1.01 ** np.arange(100))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = screen_cointegration(prices, [[0, 1], [0, 2], [0, 3], [0, 4], [4, 0], [0, 5], [2, 2], [0, 6]])
    assert found.row.tolist() == [1, 7]
    assert found.refused.row.tolist() == [0, 2, 3, 4, 5, 6]
    few, constant, collinear = "too few common bars", "constant price", "collinear legs"
    assert reasons(found) == [collinear, few, constant, constant, few, collinear]


def test_legs_without_noise_have_no_regression():
    time = np.arange(300.0)
    assert reasons(screen_cointegration([np.sin(time / 9), np.cos(time / 17)])) == ["singular regression"]


@pytest.mark.parametrize(("maxlag", "fewest"), [(None, 24), (0, 6), (5, 16), (20, 46)])
def test_the_fewest_bars_leave_four_degrees_of_freedom(maxlag, fewest):
    def tested(bars):
        return len(screen_cointegration(walks(1, bars, 2), maxlag=maxlag))

    assert [tested(bars) for bars in range(1, 60)] == [int(bars >= fewest) for bars in range(1, 60)]


def test_threads_and_the_cut_of_the_list_change_no_bit(gapped):
    prices = np.vstack([gapped, walks(3, 300, 72)])
    pairs = all_pairs(len(prices))
    whole = screen_cointegration(prices, pairs, threads=1)
    assert len(pairs) > 3000
    same(whole, screen_cointegration(prices, pairs, threads=3))
    for start, stop in [(0, 1), (1023, 1030), (2000, 3100)]:
        part = screen_cointegration(prices, pairs[start:stop])
        for name in set(COLUMNS) - {"row"}:
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[start:stop], err_msg=name)


@given(seed=st.integers(0, 10_000), bars=st.integers(40, 200), gaps=st.booleans())
@settings(max_examples=25, deadline=None)
def test_other_symbols_and_their_order_change_nothing(seed, bars, gaps):
    generator, prices = np.random.default_rng(seed), walks(seed, bars)
    if gaps:
        prices[generator.random(prices.shape) < 0.05] = np.nan
    order = generator.permutation(6)
    place = np.argsort(order)
    pairs = all_pairs(6)
    names = [name for name in COLUMNS if name not in {"first", "second"}]
    same(screen_cointegration(prices, pairs), screen_cointegration(prices[order], place[pairs]), names)
    alone = screen_cointegration(prices[[1, 4]])
    same(alone, screen_cointegration(prices, [[1, 4]]), names)


@given(seed=st.integers(0, 10_000), bars=st.integers(30, 200))
@settings(max_examples=25, deadline=None)
def test_the_other_way_round_swaps_the_orders(seed, bars):
    prices, pairs = walks(seed, bars), all_pairs(6)
    there, back = screen_cointegration(prices, pairs), screen_cointegration(prices, pairs[:, ::-1])
    for name in ORDER:
        np.testing.assert_array_equal(getattr(there, f"{name}_forward"), getattr(back, f"{name}_backward"))
        np.testing.assert_array_equal(getattr(there, f"{name}_backward"), getattr(back, f"{name}_forward"))
        np.testing.assert_array_equal(getattr(there, name), getattr(back, name))


@given(seed=st.integers(0, 10_000), unit=st.floats(1e-3, 1e3), shift=st.floats(-5, 5))
@settings(max_examples=25, deadline=None)
def test_units_and_levels_of_the_prices_do_not_matter(seed, unit, shift):
    prices = walks(seed, 200)
    here, there = screen_cointegration(prices), screen_cointegration(prices * unit + shift)
    np.testing.assert_allclose(there.statistic_forward, here.statistic_forward, rtol=0, atol=1e-7)
    np.testing.assert_allclose(there.hedge_ratio_forward, here.hedge_ratio_forward, rtol=1e-7)
    np.testing.assert_array_equal(there.lags_forward, here.lags_forward)


@given(
    prices=arrays(np.float64, (3, 40), elements=st.floats(width=64)),
    rows=arrays(np.bool_, 3),
    autolag=st.sampled_from(["aic", "bic", None]),
)
@settings(max_examples=150, deadline=None)
def test_garbage_gives_rows_or_refusals(prices, rows, autolag):
    prices[rows] = walks(1, 40)[:3][rows]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = screen_cointegration(prices, autolag=autolag)
    assert sorted([*found.row, *found.refused.row]) == [0, 1, 2]
    for name in COLUMNS:
        assert np.isfinite(getattr(found, name)).all()
    assert all(reasons(found))


@pytest.mark.parametrize("bars", [0, 1, 2, 3])
def test_hardly_any_bars(bars):
    assert reasons(screen_cointegration(np.zeros((2, bars)))) == ["too few common bars"]


def test_no_pairs():
    assert len(screen_cointegration(np.zeros((1, 100)))) == 0
    assert len(screen_cointegration(np.zeros((3, 100)), np.empty((0, 2), np.int64))) == 0


def test_what_is_given_is_not_changed(gapped):
    prices, pairs = gapped.copy(), all_pairs(8)
    screen_cointegration(prices, pairs)
    np.testing.assert_array_equal(prices, gapped)
    np.testing.assert_array_equal(pairs, all_pairs(8))


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"method": "granger"}, "method is"),
        ({"autolag": "t-stat"}, "autolag is"),
        ({"maxlag": -1}, "maxlag is"),
        ({"pairs": [[0, 9]]}, "name rows"),
        ({"pairs": [0, 1]}, "shape"),
    ],
)
def test_a_malformed_call_is_an_error(choices, says):
    with pytest.raises(ValueError, match=says):
        screen_cointegration(walks(1, 50), **choices)


def test_the_larger_p_value_keeps_the_size_of_the_test():
    generator = np.random.default_rng(4)
    prices = np.cumsum(generator.standard_normal((4000, 120)), axis=1)
    found = screen_cointegration(prices, np.arange(4000).reshape(-1, 2))
    assert np.mean(found.pvalue < 0.05) < 0.06


@pytest.mark.parametrize("series", [1, 2])
def test_p_values_are_those_of_statsmodels(series):
    from statsmodels.tsa.adfvalues import mackinnonp

    statistics = np.concatenate([np.linspace(-30, 5, 3001), [-1e300, 1e300, -np.inf, np.inf, -1.61, -2.62]])
    expected = [mackinnonp(statistic, regression="c", N=series) for statistic in statistics]
    np.testing.assert_allclose(mackinnon_pvalues(statistics, series), expected, rtol=0, atol=1e-15)
