"""Eight numbers side by side against NumPy's, one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from tandem.statistics.lanes import LANES, at_least, exponent, load, logarithm, mantissa, splat, store

NUMBERS = st.lists(st.floats(1e-300, 1e300), min_size=LANES, max_size=LANES).map(np.array)


@njit
def worked(rows, results):
    a, b = load(rows, 0), load(rows, 1)
    store(results, 0, a + b)
    store(results, 1, a - b)
    store(results, 2, 2.0 * a)
    store(results, 3, a / b)
    store(results, 4, at_least(a, b))
    store(results, 5, logarithm(a))
    store(results, 6, mantissa(a))
    store(results, 7, exponent(a))
    store(results, 8, splat(rows[0, 3]) - 1)


def of(a, b):
    results = np.empty((9, LANES))
    worked(np.array([a, b]), results)
    return results


@settings(deadline=None)
@given(a=NUMBERS, b=NUMBERS)
def test_every_lane_is_what_numpy_makes_of_it(a, b):
    results = of(a, b)
    with np.errstate(over="ignore", under="ignore"):
        expected = [a + b, a - b, 2 * a, a / b, np.maximum(a, b), None, None, None, np.full(LANES, a[3] - 1)]
    for found, right in zip(results, expected, strict=True):
        assert right is None or np.array_equal(found, right)
    assert np.allclose(results[5], np.log(a), rtol=1e-14, atol=1e-15)


@settings(deadline=None)
@given(a=NUMBERS)
def test_mantissa_and_power_of_two_make_up_the_number(a):
    results = of(a, a)
    assert ((results[6] >= 1) & (results[6] < 2)).all()
    assert np.array_equal(np.ldexp(results[6], results[7].astype(int)), a)


@settings(deadline=None)
@given(a=NUMBERS, b=NUMBERS, lane=st.integers(0, LANES - 1))
def test_a_lane_does_not_see_its_neighbours(a, b, lane):
    alone = of(np.where(np.arange(LANES) == lane, a, 1.0), np.where(np.arange(LANES) == lane, b, 1.0))
    assert np.array_equal(alone[:8, lane], of(a, b)[:8, lane])
