"""Simulated spreads with a known truth."""

from pathlib import Path

import numpy as np
import pytest

SCALE = 0.002


SP500 = Path(__file__).resolve().parents[3] / "shared" / "data" / "sp500_daily_2013_2018.parquet"


@pytest.fixture(scope="session")
def sp500():
    """Log closes of 40 real stocks over 1,259 days, some with gaps, shape (40, 1259)."""
    if not SP500.exists():
        pytest.skip(f"{SP500} is not here")
    import pandas as pd

    closes = pd.read_parquet(SP500).pivot(index="symbol", columns="date", values="close")
    return np.log(closes.to_numpy(np.float64)[::12][:40])


@pytest.fixture(scope="session")
def gapped():
    """Log prices of 8 walks over 300 bars, the odd ones pulled to their neighbours, a tenth of the bars missing."""
    generator = np.random.default_rng(7)
    walks = 4 + np.cumsum(generator.standard_normal((8, 300)), axis=1) * 0.01
    walks[1::2] = 0.3 + 0.7 * walks[::2] + generator.standard_normal((4, 300)) * 0.01
    return np.where(generator.random(walks.shape) < 0.1, np.nan, walks)


@pytest.fixture(scope="session")
def plain_unit_root():
    """The plain twin of the compiled unit-root regression."""
    return unit_root


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


def unit_root(series, *, constant, penalty=2.0):
    """Dickey-Fuller statistic and lags, one written-out regression at a time."""
    most = min(series.size // 2 - int(constant) - 1, int(np.ceil(12.0 * (series.size / 100.0) ** 0.25)))
    change, columns = regression(series, most, constant)
    rows = [
        (change.size * np.log(squares_left(columns[:, :width], change)) + penalty * width, width)
        for width in range(columns.shape[1] - most, columns.shape[1] + 1)
    ]
    lags = min(rows)[1] - (columns.shape[1] - most)
    change, columns = regression(series, lags, constant)
    level = columns[:, int(constant)].copy()
    others = np.delete(columns, int(constant), axis=1)
    if others.size:
        level, change = (values - others @ np.linalg.lstsq(others, values)[0] for values in (level, change))
    slope = level @ change / (level @ level)
    left = change - slope * level
    return slope * np.sqrt((level @ level) * (left.size - columns.shape[1]) / (left @ left)), lags


def squares_left(columns, target):
    left = target - columns @ np.linalg.lstsq(columns, target)[0]
    return left @ left


def regression(series, lags, constant):
    change = np.diff(series)
    rows = change.size - lags
    columns = [np.ones(rows)] * constant + [series[lags:-1]]
    columns += [change[lags - lag : change.size - lag] for lag in range(1, lags + 1)]
    return change[lags:], np.column_stack(columns)
