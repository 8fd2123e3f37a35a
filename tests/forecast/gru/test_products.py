"""Products of every shape, against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.forecast.gru.products import add_product
from tandem.forecast.gru.registers import LANES, entry


@entry
def _add(a, a_row, a_term, b, c, rows, terms, columns):
    add_product(a, a_row, a_term, b, columns, c, columns, rows, terms, columns)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(0, 150), st.integers(1, 15), st.booleans(), st.integers(0, 5))
def test_a_product_of_any_shape_is_added(rows, terms, registers, turned, seed):
    chance, columns = np.random.default_rng(seed), registers * LANES
    a, b, c = (
        chance.standard_normal(shape, np.float32) for shape in ((rows, terms), (terms, columns), (rows, columns))
    )
    expected = c.astype(np.float64) + a.astype(np.float64) @ b
    flat = np.ascontiguousarray(a.T if turned else a).ravel()
    given = c.copy()
    _add(flat, 1 if turned else terms, rows if turned else 1, b.ravel(), given.reshape(-1), rows, terms, columns)
    np.testing.assert_allclose(given, expected, atol=2e-4)


@pytest.mark.parametrize("rows", [1, 3, 4, 7])
def test_a_row_does_not_hang_on_those_beside_it(rows):
    chance, columns = np.random.default_rng(1), 7 * LANES
    a, b = chance.standard_normal((rows, 100), np.float32), chance.standard_normal((100, columns), np.float32)
    whole, alone = np.zeros((rows, columns), np.float32), np.zeros((rows, columns), np.float32)
    _add(a.ravel(), 100, 1, b.ravel(), whole.reshape(-1), rows, 100, columns)
    for row in range(rows):
        _add(a[row], 100, 1, b.ravel(), alone[row], 1, 100, columns)
    assert (whole == alone).all()
