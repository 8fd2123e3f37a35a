"""What is held and earned, what was decided, and how everything fares."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from tandem.market import NEW_YORK, WorldKind
from tandem.operations.dashboard.folds.decisions import Decision
from tandem.operations.dashboard.followed import Followed
from tandem.operations.dashboard.health import health
from tandem.operations.dashboard.page import Asked, Context, Page

DECISIONS_SHOWN: Final = 60


def desk(page: Page, followed: Followed, _: Asked) -> Context:
    """What is held and earned, what was decided, and how everything fares."""
    money, curve = followed.money, followed.curve
    positions, earned = money.positions(), money.earned()
    capital = followed.capital.cash if followed.capital else None
    mark = curve.newest.body if curve.newest else None
    decisions = followed.decisions.newest(DECISIONS_SHOWN)
    return {
        "positions": positions,
        "earned": sorted(earned, key=lambda each: each.net, reverse=True),
        "net_today": sum((each.net for each in earned), start=0),
        "gross_today": sum((each.gross for each in earned), start=0),
        "naked": sum((each.naked for each in positions), start=0),
        "exposure": sum((each.exposure for each in positions), start=0),
        "equity": mark.equity if mark else capital,
        "mark": mark,
        "capital": capital,
        "decisions": decisions,
        "times": "minute" if are_of_today(decisions, page.now(followed.world)) else "day",
        "sign": followed.decisions.latest.get,
        "health": health(page, followed),
        "is_replay": followed.world is not None and followed.world.kind not in (WorldKind.PAPER, WorldKind.LIVE),
    }


def are_of_today(decisions: Iterable[Decision], now: datetime | None) -> bool:
    """Whether their times say everything without a date, by the world's own clock."""
    return now is not None and {each.session for each in decisions} == {now.astimezone(NEW_YORK).date()}
