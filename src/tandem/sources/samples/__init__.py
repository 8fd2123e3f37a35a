"""Real bars that ship with Tandem; PROVENANCE.md says where they come from."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tandem.market import Timeframe, resample
from tandem.sources.tally import together

if TYPE_CHECKING:
    import pandas as pd

    from tandem.store import Loaded, Store

SOURCE: Final = "sample"
FOLDER: Final = Path(__file__).parent
INTRADAY: Final = (Timeframe.MIN_1, Timeframe.MIN_5, Timeframe.HOUR_1)
# A bar of the intraday files and one of the daily file.
WITNESS: Final = {
    False: ("NVDA", datetime(2023, 1, 30, 20, 0, tzinfo=UTC)),
    True: ("ZION", datetime(2010, 8, 20, 4, 0, tzinfo=UTC)),
}


def minute_bars() -> "pd.DataFrame":
    """AAPL, IBM, MSFT, NVDA, one-minute bars of 2023-01-03 to 2023-01-30: a bars frame."""
    return _frame("minute.parquet")


def daily_bars() -> "pd.DataFrame":
    """524 names, daily bars of 2009-08-21 to 2010-08-20: a bars frame; 78 rows break a law of prices."""
    return _frame("daily.parquet")


def sectors() -> "pd.DataFrame":
    """Columns `symbol, sector, industry`, lower case, where the sector is certain; industries may be `unknown`."""
    import pandas as pd

    table = pd.read_csv(FOLDER / "sectors.csv", dtype="str", keep_default_na=False)
    return table[table["sector"] != "unknown"].reset_index(drop=True)


def load(store: "Store") -> "Loaded":
    """Put the samples into the store: 1Min, 5Min, 1Hour and 1Day bars marked `sample`, and the sectors.

    What is there is left alone and costs milliseconds, so it may be called at every start. Sectors that somebody has
    set stay as they are.
    """
    _seed_sectors(store)
    return together(_load(store, timeframe) for timeframe in (*INTRADAY, Timeframe.DAY_1))


def _load(store: "Store", timeframe: Timeframe) -> "Loaded":
    from tandem.store import Loaded

    if _is_there(store, timeframe):
        return Loaded(0, 0, 0)
    return store.bars.load(_bars(timeframe), timeframe=timeframe, source=SOURCE)


def _is_there(store: "Store", timeframe: Timeframe) -> bool:
    """A load is all or nothing, so one bar proves it."""
    symbol, start = WITNESS[timeframe is Timeframe.DAY_1]
    held = store.bars.read([symbol], timeframe, first=start, last=start + timeframe.length, source=SOURCE)
    return not held.empty


def _bars(timeframe: Timeframe) -> "pd.DataFrame":
    if timeframe is Timeframe.DAY_1:
        return daily_bars()
    return minute_bars() if timeframe is Timeframe.MIN_1 else resample(minute_bars(), timeframe)


def _seed_sectors(store: "Store") -> None:
    table = sectors()
    known = store.sectors.of(table["symbol"].to_list())
    new = table[~table["symbol"].isin(known)]
    if len(new):
        store.sectors.load(new.assign(source=SOURCE))


def _frame(name: str) -> "pd.DataFrame":
    import pandas as pd

    return pd.read_parquet(FOLDER / name)
