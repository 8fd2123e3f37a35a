"""Whether there are minutes to trade on."""

from collections.abc import Collection
from datetime import date
from typing import Final

from tandem.market import NEW_YORK, Timeframe
from tandem.operations.run.wording import listed
from tandem.store import Store

NAMED: Final = 4


def without_minutes(store: Store, symbols: Collection[str], day: date) -> str:
    """Which symbols a recycler cannot play on a trading day for want of 1-minute bars, in words; empty for none.

    A day later than every stored bar is still to come: then it is enough that a symbol has any minutes.
    """
    spans = store.bars.spans()
    minutes = spans[spans["timeframe"] == str(Timeframe.MIN_1)]
    first, last = (minutes[name].dt.tz_convert(NEW_YORK).dt.date for name in ("first", "last"))
    is_to_come = spans.empty or day > spans["last"].dt.tz_convert(NEW_YORK).max().date()
    with_bars = minutes["symbol"] if is_to_come else minutes.loc[(first <= day) & (day <= last), "symbol"]
    lacking = sorted(set(symbols) - set(with_bars))
    if not lacking:
        return ""
    named = [*lacking[:NAMED], f"{len(lacking) - NAMED} more"] if len(lacking) > NAMED else lacking
    have = "has" if len(lacking) == 1 else "have"
    return (
        f"A recycler trades on 1-minute bars, and {listed(named)} {have} none of {day}: "
        "load some with `tandem data load FILE --timeframe 1Min`."
    )
