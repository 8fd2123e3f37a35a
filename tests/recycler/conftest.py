from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tandem.recycler import Launched, Options, launch


@pytest.fixture(scope="session")
def bars() -> pd.DataFrame:
    """Two symbols, one session of 390 minutes, with prices that walk."""
    starts = pd.date_range("2023-01-04 14:30", periods=390, freq="min", tz="UTC", unit="us")
    steps = pd.Series(range(390))
    frames = []
    for symbol, base in (("AAPL", 125.0), ("MSFT", 240.25)):
        opened = (base + (steps * 7 % 31) * 0.13).round(2)
        frames.append(
            pd.DataFrame(
                {
                    "symbol": symbol,
                    "start": starts,
                    "open": opened,
                    "high": opened + 0.5,
                    "low": opened - 0.5,
                    "close": (opened + 0.11).round(2),
                    "volume": 10_000 + steps,
                    "trade_count": (steps + 1.0).where(steps % 2 == 0),
                    "vwap": (opened + 0.05).where(steps % 3 == 0),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="session")
def bars_file(bars: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("bars") / "bars.parquet"
    bars.to_parquet(file)
    return file


@pytest.fixture(scope="session")
def options(bars_file: Path) -> Options:
    return Options(("AAPL", "MSFT"), bars=bars_file, port=0, lockstep=True, auth_seconds=0.5)


@pytest.fixture
def start(options: Options) -> Iterator[Callable[..., Launched]]:
    """Launches recyclers that end with the test."""
    running: list[Launched] = []

    def started(environment: dict[str, str] | None = None, **changes: Any) -> Launched:
        running.append(launch(replace(options, **changes), environment))
        return running[-1]

    yield started
    for one in running:
        one.close()


@pytest.fixture(scope="module")
def standing(options: Options) -> Iterator[Launched]:
    """A recycler whose clock stands at 6:00: no desk ever registers."""
    with launch(options) as recycler:
        yield recycler
