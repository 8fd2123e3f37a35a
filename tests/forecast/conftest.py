"""A pair with a known truth, its passport and its model."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from tandem.config import GarchSettings, Settings
from tandem.forecast import train_pair
from tandem.market import Pair, Timeframe
from tandem.screening import Passport, Score
from tandem.statistics import fit_equilibrium, fit_hedge, fit_spread, half_life

FIRST = datetime(2026, 4, 1, 13, 30, tzinfo=UTC)


def simulated_closes(bars=600, phi=0.9, seed=3):
    rng = np.random.default_rng(seed)
    log_b = 4 + np.cumsum(0.003 * rng.standard_normal(bars))
    spread = np.zeros(bars)
    for bar in range(1, bars):
        spread[bar] = phi * spread[bar - 1] + 0.002 * rng.standard_normal()
    return np.exp(1 + 0.8 * log_b + spread), np.exp(log_b)


def passport_of(closes_a, closes_b, pair="NVDA/AAPL"):
    log_a, log_b = np.log(closes_a), np.log(closes_b)
    hedge = fit_hedge(log_a, log_b)
    spread = hedge.spread(log_a, log_b)
    level, speed = fit_equilibrium(spread), half_life(spread)
    starts = tuple(FIRST + timedelta(minutes=5 * bar) for bar in range(len(closes_a)))
    return Passport(
        pair=Pair.parse(pair), sector="technology", timeframe=Timeframe.MIN_5, session=date(2026, 4, 14),
        window_first=starts[0], window_last=starts[-1], bars=len(starts),
        hedge_ratio=hedge.hedge_ratio, intercept=hedge.intercept, mean=level.mean, deviation=level.deviation,
        phi=speed.phi, half_life=speed.bars or 1.0, garch=fit_spread(spread, GarchSettings()),
        correlation_prices=0.9, correlation_returns=0.8, statistic=-4.0, pvalue=0.01, lags=1, q_bh=0.02, q_by=0.03,
        adf_pvalue=0.001, score=Score(0.8, 1.0, 0.6, 0.5, 1.0, 2), data_version="abc", starts=starts,
        closes_a=tuple(closes_a.tolist()), closes_b=tuple(closes_b.tolist()),
    )  # fmt: skip


@pytest.fixture(scope="session", name="simulated_closes")
def simulated_closes_fixture():
    return simulated_closes


@pytest.fixture(scope="session", name="passport_of")
def passport_of_fixture():
    return passport_of


@pytest.fixture(scope="session")
def quick() -> Settings:
    """Settings that let a short window train in a second."""
    return Settings.model_validate({"model": {"epochs": 4, "min_data_points": 300, "gru_units": 16, "practice": 100}})


@pytest.fixture(scope="session")
def closes():
    return simulated_closes()


@pytest.fixture(scope="session")
def passport(closes):
    return passport_of(*closes)


@pytest.fixture(scope="session")
def model(passport, closes, quick):
    return train_pair(passport, *closes, quick)
