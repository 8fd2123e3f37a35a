"""A pair with round figures: spread = log a - log b, equilibrium 0, deviation 0.01, 5-minute bars."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from tandem.config import ModelSettings
from tandem.forecast import PairModel
from tandem.market import Bar, Pair, Timeframe
from tandem.screening import Passport, Score
from tandem.signals import PairWatch
from tandem.statistics import GarchFit

PAIR = Pair("A", "B")
DAY = date(2023, 1, 25)
OPEN = datetime(2023, 1, 25, 14, 30, tzinfo=UTC)
PHI, HALF_LIFE = 0.95, 13.5
FORMATION = 40


def constant_garch() -> GarchFit:
    return GarchFit(
        mu=0.0, phi=PHI, omega=1e-5, alpha=0.0, beta=0.0, nu=None, scale=1.0, backcast=1e-5, loglikelihood=0.0,
        aic=0.0, bic=0.0, persistence=0.0, converged=True, ljung_box_pvalue=0.5, arch_lm_pvalue=0.5,
    )  # fmt: skip


def passport_of(timeframe: Timeframe = Timeframe.MIN_5) -> Passport:
    last = datetime(2023, 1, 24, 20, 55, tzinfo=UTC)
    starts = tuple(last - timedelta(minutes=5 * back) for back in reversed(range(FORMATION)))
    return Passport(
        pair=PAIR, sector="technology", timeframe=timeframe, session=DAY, window_first=starts[0], window_last=last,
        bars=FORMATION, hedge_ratio=1.0, intercept=0.0, mean=0.0, deviation=0.01, phi=PHI, half_life=HALF_LIFE,
        garch=constant_garch(), correlation_prices=0.9, correlation_returns=0.8, statistic=-4.0, pvalue=0.01, lags=0,
        q_bh=0.02, q_by=0.03, adf_pvalue=0.01, score=Score(0.8, 0.9, 0.8, 0.5, 1.0, 1, ()), data_version="",
        starts=starts, closes_a=(100.0,) * FORMATION, closes_b=(100.0,) * FORMATION,
    )  # fmt: skip


@pytest.fixture
def passport() -> Passport:
    return passport_of()


@pytest.fixture
def model() -> PairModel:
    return PairModel(PAIR, DAY, PHI, 14, ModelSettings(timeframe=Timeframe.MIN_5), "baseline", "no GRU", {})


@pytest.fixture
def watch(passport: Passport, model: PairModel) -> PairWatch:
    return PairWatch(passport, model)


@pytest.fixture
def bar() -> Callable[..., Bar]:
    """A minute bar of a symbol, `minute` minutes after the open, flat at `close`."""

    def make(symbol: str, minute: int, close: float = 100.0) -> Bar:
        return Bar(symbol, OPEN + timedelta(minutes=minute), close, close, close, close, 1000)

    return make
