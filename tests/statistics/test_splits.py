"""Blocks in time order that do not look into each other."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tandem.statistics import purged_blocks


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
