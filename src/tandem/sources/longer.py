"""The longer timeframes that are screened, kept beside the minutes they are made of."""

from typing import TYPE_CHECKING, Final

from tandem.market import Timeframe, resample

if TYPE_CHECKING:
    import pandas as pd

    from tandem.store import Store

LONGER: Final = (Timeframe.MIN_5, Timeframe.HOUR_1)


def made_of(timeframe: str) -> tuple[Timeframe, ...]:
    """Bars of this length, and the longer ones that a load of them keeps beside them."""
    length = Timeframe(timeframe)
    return (length, *LONGER) if length is Timeframe.MIN_1 else (length,)


def keep_longer(store: "Store", minutes: "pd.DataFrame", *, source: str, adjustment: str) -> None:
    """Store 5-minute and hourly bars over the stretch of these 1-minute bars, from what the store has of them.

    Args:
        minutes: a bars frame that was just loaded; its broken rows are in the quarantine and do not count.
        source, adjustment: what it was loaded as.
    """
    if minutes.empty:
        return
    first, last = minutes["start"].min(), minutes["start"].max() + Timeframe.MIN_1.length
    symbols = sorted(minutes["symbol"].dropna().unique())
    sound = store.bars.read(symbols, Timeframe.MIN_1, first=first, last=last, source=source, adjustment=adjustment)
    for timeframe in LONGER:
        store.bars.load(resample(sound, timeframe), timeframe=timeframe, source=source, adjustment=adjustment)
