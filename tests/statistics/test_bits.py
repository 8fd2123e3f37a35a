"""A kernel gives the same bits however it came to be compiled: just now, from disk, before or after others.

Compiled functions that call one another exist in several copies, optimised a different number of times, and which copy
runs depends on what was loaded before. So sums that may be taken in any order could differ between two workers.
"""

import json
import subprocess
import sys

import pytest

KERNELS = [
    "correlations",
    "cointegration",
    "johansen",
    "spreads",
    "kalman",
    "unit_roots",
    "garch",
    "studentst",
    "ljung",
]
PROGRAM = """
import dataclasses, hashlib, json, sys
import numpy as np
from tandem import statistics

generator = np.random.default_rng(11)
walks = np.cumsum(generator.standard_normal((24, 300)) * 0.01, axis=1)
walks[3, 40:60] = np.nan
pairs = np.column_stack(np.triu_indices(24, 1))
noise = generator.standard_normal((12, 300)) * np.exp(np.sin(np.arange(300) / 9))
work = {
    "correlations": lambda: statistics.correlations(walks, pairs),
    "cointegration": lambda: statistics.screen_cointegration(walks, pairs),
    "johansen": lambda: statistics.screen_johansen(walks, pairs),
    "spreads": lambda: statistics.measure_spreads(walks, pairs),
    "kalman": lambda: statistics.kalman_hedge(walks[0], walks[1]),
    "unit_roots": lambda: statistics.screen_unit_roots(noise),
    "garch": lambda: statistics.fit_garch(noise),
    "studentst": lambda: statistics.fit_garch(noise, distribution="studentst"),
    "ljung": lambda: statistics.ljung_boxes(noise),
}

def digests(table):
    names = [field.name for field in dataclasses.fields(table)]
    arrays = {name: getattr(table, name) for name in names if isinstance(getattr(table, name), np.ndarray)}
    return {name: hashlib.sha256(array.tobytes()).hexdigest()[:12] for name, array in arrays.items()}

print(json.dumps({name: digests(work[name]()) for name in sys.argv[1:]}))
"""


def bits(cache, order):
    """Digests of every array of every kernel, in a new process that keeps its compiled code in this folder."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *order],
        env={"NUMBA_CACHE_DIR": str(cache), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_the_bits_do_not_depend_on_how_a_kernel_was_compiled(tmp_path):
    fresh = bits(tmp_path / "one", KERNELS)
    assert bits(tmp_path / "one", KERNELS) == fresh
    assert bits(tmp_path / "two", KERNELS[::-1]) == fresh
    assert bits(tmp_path / "two", KERNELS) == fresh
