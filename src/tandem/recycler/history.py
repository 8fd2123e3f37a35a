"""The reel of stored bars."""

import os
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tandem.market import NEW_YORK, RecyclerError, Timeframe
from tandem.matching import Reel
from tandem.recycler.options import Options

if TYPE_CHECKING:
    import pandas as pd

HOME: Final = "~/.tandem"
EARLIEST: Final = date(1990, 1, 1)
LATEST: Final = date(2100, 12, 31)


def reel_of(options: Options) -> Reel:
    """The 1-minute bars of these symbols and dates, from the store or from a file.

    Raises:
        RecyclerError: a symbol has no bars there.
        StoreError: the store is away.
        DataError: bars that cannot be replayed.
    """
    bars = _from_store(options) if options.bars is None else _from_file(options.bars, options)
    missing = sorted(set(options.symbols) - set(bars["symbol"].unique()))
    if missing:
        raise RecyclerError(
            f"no 1-minute bars of {', '.join(missing)} {_dates(options)}",
            "`tandem data list` shows what is there, `tandem data load` brings more.",
        )
    return Reel.from_frame(bars)


def _from_store(options: Options) -> "pd.DataFrame":
    from tandem.store import Store

    home = Path(os.environ.get("TANDEM_HOME", HOME)).expanduser()
    with Store.open(home, os.environ.get("TANDEM_DATABASE_URL")) as store:
        return store.bars.read(options.symbols, Timeframe.MIN_1, first=_first(options), last=_last(options))


def _from_file(file: Path, options: Options) -> "pd.DataFrame":
    import pandas as pd

    try:
        bars = pd.read_parquet(file)
    except (OSError, ValueError) as error:
        raise RecyclerError(f"{file} cannot be read as bars", str(error).splitlines()[0]) from error
    asked = bars["symbol"].isin(options.symbols) & (bars["start"] >= _first(options)) & (bars["start"] < _last(options))
    return bars[asked]


def _first(options: Options) -> datetime:
    return datetime.combine(options.start or EARLIEST, time(), NEW_YORK).astimezone(UTC)


def _last(options: Options) -> datetime:
    return datetime.combine((options.end or LATEST) + timedelta(days=1), time(), NEW_YORK).astimezone(UTC)


def _dates(options: Options) -> str:
    return f"from {options.start or 'the first'} to {options.end or 'the last'} day stored"
