"""What the charts draw, as plain data; times are seconds since 1970 UTC."""

from collections.abc import Callable
from typing import Any, Final

from tandem.operations.dashboard.followed import Followed
from tandem.operations.dashboard.page import Asked, Page

Chart = dict[str, Any]


def equity(_: Page, followed: Followed, asked: Asked) -> Chart:
    """Equity in dollars and drawdown in percent at each decision, later than `after` where that is asked."""
    after = int(asked.get("after") or 0)
    points = [point for point in followed.curve.points if point.at.timestamp() > after]
    return {
        "equity": [{"time": int(p.at.timestamp()), "value": round(float(p.equity), 2)} for p in points],
        "drawdown": [{"time": int(p.at.timestamp()), "value": round(-100 * p.drawdown, 4)} for p in points],
        "capital": float(followed.capital.cash) if followed.capital else None,
    }


CHARTS: Final[dict[str, Callable[[Page, Followed, Asked], Chart]]] = {"equity": equity}
