"""A market of two symbols over one day, and recyclers that play it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tandem.recycler import Launched, Options, launch


@pytest.fixture(scope="session")
def day_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AAPL and MSFT, one session of 390 minutes, 4 January 2023."""
    starts = pd.date_range("2023-01-04 14:30", periods=390, freq="min", tz="UTC", unit="us")
    steps = pd.Series(range(390))
    frames = []
    for symbol, base in (("AAPL", 125.0), ("MSFT", 240.25)):
        opened = (base + (steps * 7 % 31) * 0.13).round(2)
        prices = {"open": opened, "high": opened + 0.5, "low": opened - 0.5, "close": opened}
        counted = {"trade_count": steps + 1.0, "vwap": opened}
        frames.append(pd.DataFrame({"symbol": symbol, "start": starts, **prices, "volume": 10_000, **counted}))
    file = tmp_path_factory.mktemp("day") / "bars.parquet"
    pd.concat(frames, ignore_index=True).to_parquet(file)
    return file


@pytest.fixture
def play(day_file: Path) -> Iterator[Callable[..., Launched]]:
    """Launches recyclers of that day, in lockstep unless told otherwise; they end with the test."""
    running: list[Launched] = []

    def played(environment: dict[str, str] | None = None, **changes: Any) -> Launched:
        options = Options(("AAPL", "MSFT"), **{"bars": day_file, "port": 0, "lockstep": True, **changes})
        running.append(launch(options, environment))
        return running[-1]

    yield played
    for one in running:
        one.close()
