from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tandem.market import Clock, ManualClock, Timeframe
from tandem.matching import Replay
from tandem.recycler import Options
from tandem.recycler.history.today import Today
from tandem.recycler.reel.programme import replay_of
from tandem.recycler.reel.shelf import Shelf, open_shelf
from tandem.store import Strip

NOW = datetime(2026, 3, 7, 11, 17, tzinfo=UTC)
OPEN = datetime(2023, 1, 4, 14, 30, tzinfo=UTC)


class Counting:
    """A shelf that counts how often it is asked."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.asked = 0

    def strip(self, symbols: Sequence[str], timeframe: Timeframe, first: datetime, last: datetime) -> Strip:
        self.asked += 1
        return self.shelf.strip(symbols, timeframe, first, last)


def replay(file: Path, timestamps: str) -> tuple[Replay, Shelf]:
    options = Options(("AAPL", "MSFT", "PDFS"), bars=file, proxies={"PDFS": "AAPL"}, timestamps=timestamps)  # type: ignore[arg-type]
    shelf = open_shelf(options)
    clock: Clock = ManualClock(NOW)
    return replay_of(options, shelf, clock), shelf


def same(one: Strip, other: Strip) -> None:
    def rows(strip: Strip) -> pd.DataFrame:
        names = np.array(strip.symbols)[strip.code]
        return pd.DataFrame({"name": names, "t": strip.start, **strip.prices, "v": strip.volume, **strip.extras})

    pd.testing.assert_frame_equal(rows(one), rows(other), check_dtype=False)


@pytest.mark.parametrize("timestamps", ["original", "current"])
def test_the_day_that_is_played_is_not_read_again(bars_file: Path, timestamps: str) -> None:
    playing, shelf = replay(bars_file, timestamps)
    counting = Counting(shelf)
    today = Today(counting, playing)
    for symbols in (["AAPL"], ["MSFT", "AAPL"]):
        for first, last in ((-60, 400), (0, 0), (7, 8), (30, 95)):
            asked = (OPEN + timedelta(minutes=first), OPEN + timedelta(minutes=last))
            same(today.strip(symbols, Timeframe.MIN_1, *asked), shelf.strip(symbols, Timeframe.MIN_1, *asked))
    assert counting.asked == 0


def test_everything_else_is_read(bars_file: Path) -> None:
    playing, shelf = replay(bars_file, "original")
    counting = Counting(shelf)
    today = Today(counting, playing)
    minutes = timedelta(minutes=30)
    for symbols, timeframe, first, last in (
        (["AAPL", "IBM"], Timeframe.MIN_1, OPEN, OPEN + minutes),
        (["PDFS"], Timeframe.MIN_1, OPEN, OPEN + minutes),
        (["AAPL"], Timeframe.HOUR_1, OPEN, OPEN + minutes),
        (["AAPL"], Timeframe.MIN_1, OPEN - timedelta(days=1), OPEN + minutes),
        (["AAPL"], Timeframe.MIN_1, OPEN, OPEN + timedelta(days=1)),
    ):
        same(today.strip(symbols, timeframe, first, last), shelf.strip(symbols, timeframe, first, last))
    assert counting.asked == 5
    assert playing.engine.account().cash == Decimal(100_000)
