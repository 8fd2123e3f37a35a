"""A pair with a known truth, and a passport that holds just what the forecast room reads."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from tandem.config import GarchSettings, Settings
from tandem.market import Pair
from tandem.statistics import GarchFit, fit_equilibrium, fit_garch, fit_hedge, half_life


@dataclass(frozen=True)
class StandInPassport:
    pair: Pair
    session: date
    hedge_ratio: float
    intercept: float
    mean: float
    deviation: float
    phi: float
    half_life: float
    garch: GarchFit
    starts: tuple[datetime, ...]

    def spread(self, closes_a, closes_b):
        return np.log(closes_a) - self.intercept - self.hedge_ratio * np.log(closes_b)


def simulated_closes(bars=600, phi=0.9, seed=3):
    rng = np.random.default_rng(seed)
    log_b = 4 + np.cumsum(0.003 * rng.standard_normal(bars))
    spread = np.zeros(bars)
    for bar in range(1, bars):
        spread[bar] = phi * spread[bar - 1] + 0.002 * rng.standard_normal()
    return np.exp(1 + 0.8 * log_b + spread), np.exp(log_b)


def stand_in_passport(closes_a, closes_b, pair="NVDA/AAPL", session=date(2026, 4, 14)):
    log_a, log_b = np.log(closes_a), np.log(closes_b)
    hedge = fit_hedge(log_a, log_b)
    spread = hedge.spread(log_a, log_b)
    level, speed = fit_equilibrium(spread), half_life(spread)
    first = datetime(2026, 4, 1, 13, 30, tzinfo=UTC)
    starts = tuple(first + timedelta(minutes=5 * bar) for bar in range(len(closes_a)))
    return StandInPassport(
        Pair.parse(pair), session, hedge.hedge_ratio, hedge.intercept, level.mean, level.deviation,
        speed.phi, speed.bars, fit_garch(spread, GarchSettings()), starts,
    )  # fmt: skip


@pytest.fixture(scope="session")
def quick() -> Settings:
    """Settings that let a short window train in a second."""
    return Settings.model_validate({"model": {"epochs": 4, "min_data_points": 300, "gru_units": 16}})


@pytest.fixture(scope="session")
def closes():
    return simulated_closes()


@pytest.fixture(scope="session")
def passport(closes):
    return stand_in_passport(*closes)
