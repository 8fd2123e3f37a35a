"""False discoveries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.statistics import (
    Walk,
    benjamini_hochberg,
    benjamini_yekutieli,
    engle_granger,
    expected_by_chance,
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


def test_an_empty_family_has_no_q_values():
    assert benjamini_hochberg([]).size == 0


def test_chance_is_the_level_times_the_tests():
    assert expected_by_chance(2400, 0.05) == 120


def test_the_simulated_null_counts_walks_that_pass_and_scales_them():
    walks = [Walk(150, 0.01, 0.02), Walk(200, 0.03, 0.01)] * 50
    first = simulated_null(walks, lambda a, b: engle_granger(a, b).pvalue, 0.05, draws=200, seed=1)
    again = simulated_null(walks, lambda a, b: engle_granger(a, b).pvalue, 0.05, draws=200, seed=1)
    assert first == again
    assert 0 < first.passing < 8
    assert first.draws == 200


def test_a_simulated_walk_has_the_length_and_the_volatilities_asked_for():
    seen = []

    def pvalue(log_a, log_b):
        seen.append((log_a.size, np.diff(log_a).std(), np.diff(log_b).std()))
        return 0.0

    found = simulated_null([Walk(5000, 0.01, 0.03)], pvalue, 0.05, draws=3)
    assert found.passing == 1
    for bars, volatility_a, volatility_b in seen:
        assert (bars, volatility_a, volatility_b) == (
            5000,
            pytest.approx(0.01, rel=0.05),
            pytest.approx(0.03, rel=0.05),
        )


def test_without_pairs_nothing_passes():
    assert simulated_null([], lambda _a, _b: 0.0, 0.05).passing == 0
