"""Timeframes, and how minutes become longer bars."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    import pandas as pd

NEW_YORK: Final = ZoneInfo("America/New_York")


class Timeframe(StrEnum):
    """The length of a bar, spelled as Alpaca spells it."""

    MIN_1 = "1Min"
    MIN_5 = "5Min"
    MIN_15 = "15Min"
    MIN_30 = "30Min"
    HOUR_1 = "1Hour"
    DAY_1 = "1Day"

    @property
    def length(self) -> timedelta:
        """Nominal length; a day is 24 hours, whatever the session lasted."""
        return _LENGTHS[self]

    @property
    def per_session(self) -> int:
        """Bars that a full session of 390 minutes gives."""
        return 1 if self is Timeframe.DAY_1 else -(-390 * 60 // int(self.length.total_seconds()))

    def start_of(self, moment: datetime) -> datetime:
        """Start, in UTC, of the bar that holds `moment`: aligned to midnight in New York."""
        local = moment.astimezone(NEW_YORK)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        whole = (local.replace(tzinfo=None) - midnight) // self.length
        return (midnight + whole * self.length).replace(tzinfo=NEW_YORK).astimezone(UTC)


_LENGTHS: Final = {
    Timeframe.MIN_1: timedelta(minutes=1),
    Timeframe.MIN_5: timedelta(minutes=5),
    Timeframe.MIN_15: timedelta(minutes=15),
    Timeframe.MIN_30: timedelta(minutes=30),
    Timeframe.HOUR_1: timedelta(hours=1),
    Timeframe.DAY_1: timedelta(days=1),
}


def resample(bars: "pd.DataFrame", timeframe: Timeframe) -> "pd.DataFrame":
    """Longer bars from shorter ones, labelled by their start in UTC; sessions are never mixed.

    Args:
        bars: columns `symbol, start (datetime64[ns or us], UTC), open, high, low, close, volume`,
            and optionally `trade_count, vwap`. Need not be sorted.
        timeframe: the target. Intraday bars are aligned to the hour in New York, as Alpaca's are (an
            hourly bar of the open starts at 9:00 and holds the session's minutes from 9:30);
            a daily bar starts at midnight in New York.

    Returns:
        The same columns, one row per symbol and bar that has at least one source bar, sorted by
        symbol and start.
    """
    import pandas as pd

    local = bars["start"].dt.tz_convert(NEW_YORK)
    if timeframe is Timeframe.DAY_1:
        label = local.dt.normalize()
    else:
        midnight = local.dt.normalize().dt.tz_localize(None)
        wall = local.dt.tz_localize(None)
        label = (midnight + (wall - midnight).dt.floor(timeframe.length)).dt.tz_localize(NEW_YORK)
    source = bars.assign(start=label.dt.tz_convert("UTC"), moment=bars["start"]).sort_values(["symbol", "moment"])
    columns = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    if "trade_count" in source:
        columns["trade_count"] = "sum"
    if "vwap" in source:
        source["vwap"] = source["vwap"] * source["volume"]
        columns["vwap"] = "sum"
    groups = source.groupby(["symbol", "start"], sort=True, as_index=False)
    longer = groups.agg(columns)
    if "vwap" in longer:
        longer["vwap"] = groups["vwap"].sum(min_count=1)["vwap"]
        longer["vwap"] = longer["vwap"] / longer["volume"].where(longer["volume"] > 0)
    return pd.DataFrame(longer)
