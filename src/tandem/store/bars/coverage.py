"""What bars there are, and where they are missing."""

from datetime import date

import pandas as pd

from tandem.market import Calendar, Timeframe
from tandem.store.connections import Connection

PLACE = ["symbol", "timeframe", "source", "feed", "adjustment"]


def coverage(connection: Connection) -> pd.DataFrame:
    """One row per symbol, timeframe, source, feed and adjustment; see `Bars.coverage`."""
    with connection.transaction():
        connection.execute(BY_HASH)
        found = connection.execute(DAYS).fetchall()
    days = pd.DataFrame(found, columns=[*PLACE, "day", "rows", "first", "last"])
    if days.empty:
        return pd.DataFrame(columns=[*PLACE, "rows", "first", "last", "sessions", "gaps"])
    days["day"] = days["day"].dt.tz_convert("UTC").dt.date
    days["holes"] = _has_hole(days)
    places = days.groupby(PLACE, sort=True)
    table = places.agg(rows=("rows", "sum"), first=("first", "min"), last=("last", "max"), sessions=("day", "size"))
    table["gaps"] = places["holes"].sum() + _absent(days)
    return table.reset_index()


def _has_hole(days: pd.DataFrame) -> "pd.Series[bool]":
    lengths = days["timeframe"].map(lambda name: Timeframe(name).length)
    return (days["last"] - days["first"]) / lengths + 1 > days["rows"] + 0.5


def _absent(days: pd.DataFrame) -> "pd.Series[int]":
    """Trading days between the first and the last bar that have none."""
    open_days = {session.day for session in Calendar().sessions(days["day"].min(), days["day"].max())}
    sessions = pd.Series(sorted(open_days), dtype="object")

    def count(own: "pd.Series[date]") -> int:
        between = sessions[(sessions >= own.min()) & (sessions <= own.max())]
        return len(set(between) - set(own))

    return days.groupby(PLACE, sort=True)["day"].agg(count)


# Without fresh statistics the planner would sort every bar.
BY_HASH = "SET LOCAL enable_sort = off"
# 4:00 UTC is at or just before midnight in New York, summer and winter: cheaper than the zone for every bar.
DAYS = """
SELECT symbol, timeframe, data_source, feed, adjustment,
       date_bin('1 day', timestamp, '2000-01-01 04:00+00') AS day, count(*), min(timestamp), max(timestamp)
FROM market_data WHERE revision = 0 AND world = ''
GROUP BY symbol, timeframe, data_source, feed, adjustment, day
"""
