"""False discoveries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.statistics import (
    SimulatedNull,
    benjamini_hochberg,
    benjamini_yekutieli,
    discovery,
    expected_by_chance,
    screen_cointegration,
    simulated_null,
)

FAMILY = st.lists(st.floats(0, 1), min_size=1, max_size=40)


@pytest.mark.parametrize(("ours", "theirs"), [(benjamini_hochberg, "fdr_bh"), (benjamini_yekutieli, "fdr_by")])
@given(family=FAMILY)
@settings(max_examples=50, deadline=None)
def test_q_values_are_those_of_statsmodels(ours, theirs, family):
    from statsmodels.stats.multitest import multipletests

    assert ours(family) == pytest.approx(multipletests(family, method=theirs)[1], abs=1e-12)


@given(family=FAMILY)
def test_q_values_are_never_below_their_p_values_and_keep_their_order(family):
    q = benjamini_hochberg(family)
    assert (q >= np.array(family) - 1e-15).all()
    assert (np.diff(q[np.argsort(family, kind="stable")]) >= 0).all()
    assert (benjamini_yekutieli(family) >= q - 1e-15).all()


@pytest.mark.parametrize(("ours", "theirs"), [(benjamini_hochberg, "fdr_bh"), (benjamini_yekutieli, "fdr_by")])
def test_equal_p_values_get_equal_q_values_and_those_of_statsmodels(ours, theirs):
    from statsmodels.stats.multitest import multipletests

    family = np.random.default_rng(2).integers(0, 40, 3000) / 1000
    q = ours(family)
    assert q == pytest.approx(multipletests(family, method=theirs)[1], rel=1e-12)
    for value in np.unique(family):
        assert np.unique(q[family == value]).size == 1


@given(family=FAMILY, seed=st.integers(0, 9))
def test_the_order_of_a_family_does_not_matter(family, seed):
    order = np.random.default_rng(seed).permutation(len(family))
    assert benjamini_hochberg(np.array(family)[order]).tolist() == benjamini_hochberg(family)[order].tolist()


@pytest.mark.parametrize(
    ("family", "said"),
    [
        ([0.1, np.nan], "got nan at position 1"),
        ([0.1, 1.1], "got 1.1 at position 1"),
        ([-0.1], "got -0.1 at position 0"),
        ([[0.1, 0.2]], r"a row of p-values, shape \(n,\), got \(1, 2\)"),
    ],
)
def test_what_is_no_family_of_p_values_is_said(family, said):
    with pytest.raises(ValueError, match=said):
        benjamini_hochberg(family)


def test_the_given_family_is_left_alone():
    family = np.array([0.2, 0.1, 0.01])
    benjamini_yekutieli(family)
    assert family.tolist() == [0.2, 0.1, 0.01]


def test_an_empty_family_has_no_q_values():
    assert benjamini_hochberg([]).size == 0


def test_chance_is_the_level_times_the_tests():
    assert expected_by_chance(2400, 0.05) == 120


BARS = np.array([120, 150, 90] * 20)
VOLATILITIES = np.array([0.01, 0.02, 0.03] * 20), np.array([0.03, 0.01, 0.02] * 20)


@pytest.fixture
def seen(monkeypatch):
    """The walks that were tested."""
    shown = []

    def spy(log_prices, pairs, **how):
        shown.append(log_prices)
        return screen_cointegration(log_prices, pairs, **how)

    monkeypatch.setattr(discovery, "screen_cointegration", spy)
    return shown


def test_the_null_counts_the_walks_that_statsmodels_would_pass(seen):
    from statsmodels.tsa.stattools import coint

    found = simulated_null(BARS, *VOLATILITIES, 0.2, tested=6000, draws=60)
    legs = [(y[~np.isnan(y)], x[~np.isnan(x)]) for y, x in seen[0].reshape(60, 2, -1)]
    passing = sum(max(coint(y, x, autolag="aic")[1], coint(x, y, autolag="aic")[1]) < 0.2 for y, x in legs)
    assert 0 < passing < 60
    assert found.passing == pytest.approx(passing * 100)
    assert found.standard_error == pytest.approx(100 * np.sqrt(passing * (1 - passing / 60)))


def test_every_pair_of_the_family_gives_its_length_and_volatilities_once(seen):
    simulated_null(BARS * 20, *VOLATILITIES, 0.05, draws=60)
    walks = []
    for y, x in seen[0].reshape(60, 2, -1):
        assert (np.isnan(y) == np.isnan(x)).all()
        first, second = np.diff(y[~np.isnan(y)]), np.diff(x[~np.isnan(x)])
        walks.append((first.size + 1, round(first.std(), 2), round(second.std(), 2)))
        assert abs(np.corrcoef(first, second)[0, 1]) < 0.12
    family = zip((BARS * 20).tolist(), VOLATILITIES[0].tolist(), VOLATILITIES[1].tolist(), strict=True)
    assert sorted(walks) == sorted(family)


@pytest.mark.parametrize("method", ["engle_granger", "johansen", "both"])
def test_the_null_depends_on_the_seed_and_not_on_threads(method):
    first, again, *others = (
        simulated_null(BARS, *VOLATILITIES, 0.1, draws=1500, seed=seed, method=method, threads=threads)
        for seed, threads in ((1, 1), (1, 2), (2, 2), (3, 2))
    )
    assert first == again
    assert others != [first, first]


def test_the_weaker_order_makes_a_test_that_walks_pass_less_often_than_the_level_says():
    one = simulated_null([400], [0.01], [0.02], 0.05, draws=4000)
    assert 0.015 < one.passing < 0.035
    assert one.standard_error < 0.003
    assert simulated_null([400], [0.01], [0.02], 0.05, draws=4000, method="both").passing < one.passing


def test_pairs_too_short_to_test_never_pass():
    assert simulated_null([5, 5], [0.01] * 2, [0.01] * 2, 0.99, draws=40).passing == 0


def test_a_family_of_nothing_passes_nothing_and_shapes_must_agree():
    assert simulated_null([], [], [], 0.05) == SimulatedNull(0, 0, 0)
    with pytest.raises(ValueError, match="a length and two volatilities"):
        simulated_null([100, 100], [0.01], [0.01], 0.05)
