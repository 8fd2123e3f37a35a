"""Which pairs a challenger gets in a split."""

from itertools import combinations
from string import ascii_uppercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.config import TrialSettings
from tandem.forecast import assign
from tandem.market import Pair

PAIRS = [Pair(a, b) for a, b in combinations(ascii_uppercase, 2)]
some_pairs = st.lists(st.sampled_from(PAIRS), unique=True)


def split(pairs, before=None, **settings):
    return assign(pairs, "v1", "v2", TrialSettings(mode="split", **settings), before or {})


@given(some_pairs, some_pairs)
def test_no_other_pair_and_no_order_changes_an_assignment(some, others):
    alone, together = split(some), split([*others, *reversed(some)])
    assert all(together[pair] == alone[pair] for pair in some)


@given(some_pairs, st.floats(0, 1), st.floats(0, 1))
def test_a_pair_once_assigned_stays_whatever_the_share_becomes(pairs, share, later):
    before = split(pairs, share=share)
    assert split(pairs, before, share=later) == before


@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_takes_no_pair_away(seed, one, other):
    small, large = sorted([one, other])
    few, many = (split(PAIRS, seed=seed, share=share) for share in (small, large))
    assert all(many[pair].recipe == "v2" for pair in PAIRS if few[pair].recipe == "v2")


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 1.0])
def test_the_challenger_gets_its_share(share):
    shares = [
        sum(each.recipe == "v2" for each in split(PAIRS, seed=seed, share=share).values()) / len(PAIRS)
        for seed in range(40)
    ]
    assert sum(shares) / len(shares) == pytest.approx(share, abs=0.02)


def test_another_seed_or_challenger_draws_anew():
    one, other = split(PAIRS), split(PAIRS, seed=8)
    agree = sum(one[pair].recipe == other[pair].recipe for pair in PAIRS)
    assert 0.4 < agree / len(PAIRS) < 0.6
    third = assign(PAIRS, "v1", "v3", TrialSettings(mode="split"), {})
    assert 0.4 < sum((one[p].recipe == "v2") == (third[p].recipe == "v3") for p in PAIRS) / len(PAIRS) < 0.6
