"""Formation windows with a known truth, and the month that ships with Tandem."""

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tandem.config import Settings
from tandem.market import Calendar, Timeframe, resample
from tandem.store import Panel

DAY = date(2024, 3, 12)
SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def settings():
    """Five-minute bars; everything else as it comes."""
    return Settings.model_validate({"model": {"timeframe": "5Min"}})


@pytest.fixture(scope="session")
def day():
    """The session that is identified for."""
    return Calendar().session(DAY)


@pytest.fixture(scope="session")
def window():
    """A function from log closes per symbol to a bars frame of the sessions before the day."""
    return bars_of


@pytest.fixture(scope="session")
def panel():
    """A function from a bars frame to its panel of five-minute bars."""
    return lambda bars: Panel.of(bars, Timeframe.MIN_5)


@pytest.fixture(scope="session")
def legs():
    """A function from a seed to the log closes of a cointegrated pair with GARCH noise and of two walks."""
    return simulate


@pytest.fixture(scope="session")
def market(window, legs):
    """Bars with one cointegrated pair, SIMA and SIMB, and two walks, WALKA and WALKB."""
    return window(legs(5))


@pytest.fixture(scope="session")
def daily():
    """A function from a number of sessions to the panel of the newest daily bars of the S&P names."""
    path = SHARED / "sp500_daily_2013_2018.parquet"
    if not path.exists():
        pytest.skip("the daily file of the S&P names is not beside this project")
    bars = pd.read_parquet(path).rename(columns={"date": "start"})
    bars["start"] = pd.to_datetime(bars["start"]).dt.tz_localize("America/New_York").dt.tz_convert("UTC")

    def newest(sessions):
        first = np.sort(bars["start"].unique())[-sessions]
        return Panel.of(bars[bars["start"] >= first], Timeframe.DAY_1)

    return newest


@pytest.fixture(scope="session")
def real_sectors():
    """Sector of each real symbol that has one."""
    path = SHARED / "sectors.csv"
    if not path.exists():
        pytest.skip("the sectors of the S&P names are not beside this project")
    with path.open() as lines:
        return {row["symbol"]: row["sector"] for row in csv.DictReader(lines) if row["sector"]}


@pytest.fixture(scope="session")
def sectors():
    """Every simulated symbol is technology."""
    return dict.fromkeys(("SIMA", "SIMB", "WALKA", "WALKB", "SIMC", "PROXY"), "technology")


@pytest.fixture(scope="session")
def january():
    """A function from a day to the seven sessions of shipped five-minute bars before it."""
    from tandem.sources import samples

    bars = resample(samples.minute_bars(), Timeframe.MIN_5)

    def before(day):
        calendar = Calendar()
        session, first = calendar.session(day), calendar.before(day, 7)[0]
        return bars[(bars["start"] >= first.open) & (bars["start"] < session.open)], session

    return before


def simulate(seed, bars=546, phi=0.94):
    generator = np.random.default_rng(seed)
    walks = np.cumsum(generator.standard_normal((3, bars)) * 0.002, axis=1)
    spread, variance, noise = np.zeros(bars), 1.0, 0.0
    for bar in range(1, bars):
        variance = 0.04 + 0.1 * noise**2 + 0.86 * variance
        noise = np.sqrt(variance) * generator.standard_normal()
        spread[bar] = phi * spread[bar - 1] + 0.0008 * noise
    return {"SIMA": walks[0] + spread, "SIMB": walks[0], "WALKA": walks[1], "WALKB": walks[2]}


def bars_of(logs):
    count = max(log.size for log in logs.values())
    starts = [
        moment
        for session in Calendar().before(DAY, -(-count // 78))
        for moment in pd.date_range(session.open, session.close, freq="5min", inclusive="left", unit="us")
    ][-count:]
    frames = []
    for symbol, log in logs.items():
        close = 100 * np.exp(log)
        frame = {"symbol": symbol, "start": starts[-log.size :], "open": close, "high": close, "low": close}
        frames.append(pd.DataFrame({**frame, "close": close, "volume": 1000}))
    return pd.concat(frames, ignore_index=True)
