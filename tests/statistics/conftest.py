"""Simulated spreads with a known truth."""

import numpy as np
import pytest

SCALE = 0.002


@pytest.fixture(scope="module")
def garch_spread():
    """AR(1) with phi 0.9 and GARCH(1,1) noise (alpha 0.1, beta 0.8), 2,000 bars, in units of a log spread."""
    return simulate_spread(2000, phi=0.9, alpha=0.1, beta=0.8, seed=11)


@pytest.fixture(scope="module")
def plain_spread():
    """AR(1) with phi 0.94 and constant variance, 546 bars."""
    return simulate_spread(546, phi=0.94, alpha=0.0, beta=0.0, seed=5)


@pytest.fixture(scope="module")
def simulate():
    """The simulator itself."""
    return simulate_spread


def simulate_spread(bars, *, phi, alpha, beta, seed):
    generator = np.random.default_rng(seed)
    spread, variance, noise = np.zeros(bars), 1.0, 0.0
    for bar in range(1, bars):
        variance = (1 - alpha - beta) + alpha * noise**2 + beta * variance
        noise = np.sqrt(variance) * generator.standard_normal()
        spread[bar] = phi * spread[bar - 1] + noise
    return spread * SCALE
