"""Blocks in time order that do not look into each other."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tandem.statistics import purged_blocks, purged_walk_forward


@given(
    n=st.integers(50, 5000),
    validation=st.floats(0.05, 0.4),
    test=st.floats(0.05, 0.4),
    purge=st.integers(0, 60),
    embargo=st.integers(0, 20),
)
def test_blocks_are_in_order_and_kept_apart_by_the_whole_gap(n, validation, test, purge, embargo):
    try:
        blocks = purged_blocks(n, validation, test, purge, embargo)
    except ValueError:
        assume(False)
    gap = purge + embargo
    assert blocks.train.start == 0
    assert blocks.validation.start - blocks.train.stop == gap
    assert blocks.test.start - blocks.validation.stop == gap
    assert blocks.test.stop == n
    assert blocks.test.stop - blocks.test.start == round(n * test)


def test_an_empty_block_is_refused():
    with pytest.raises(ValueError, match="empty block"):
        purged_blocks(60, 0.2, 0.2, 40, 0)


walks = {
    "n": st.integers(60, 4000),
    "steps": st.integers(1, 6),
    "share": st.floats(0.03, 0.3),
    "stopping": st.floats(0.05, 0.4),
    "purge": st.integers(0, 60),
    "embargo": st.integers(0, 20),
}


@given(**walks)
def test_a_walk_goes_forward_and_no_block_sees_into_another(n, steps, share, stopping, purge, embargo):
    try:
        walk = purged_walk_forward(n, steps, share, stopping, purge, embargo)
    except ValueError:
        assume(False)
    gap = purge + embargo
    assert len(walk) == steps
    assert walk[-1].validation.stop == n
    for step in walk:
        assert step.train.start == 0
        assert step.stopping.start - step.train.stop == gap
        assert step.validation.start - step.stopping.stop == gap
        assert step.validation.stop - step.validation.start == round(n * share)
    for step, later in pairwise(walk):
        assert later.validation.start == step.validation.stop
        assert later.train.stop > step.train.stop


@given(**walks)
def test_a_wider_gap_moves_no_block_that_judges(n, steps, share, stopping, purge, embargo):
    try:
        wide = purged_walk_forward(n, steps, share, stopping, purge, embargo)
    except ValueError:
        assume(False)
    narrow = purged_walk_forward(n, steps, share, stopping, 0, 0)
    assert [step.validation for step in wide] == [step.validation for step in narrow]
    assert [step.stopping.start for step in wide] == [step.stopping.start for step in narrow]


def test_a_walk_with_an_empty_block_is_refused():
    with pytest.raises(ValueError, match="empty block in step 1 of 3"):
        purged_walk_forward(100, 3, 0.3, 0.2, 20, 0)
