"""All we know of one pair."""

from typing import Final

from markupsafe import Markup

from tandem.market import Pair
from tandem.operations.dashboard.followed import Followed
from tandem.operations.dashboard.page import Asked, Context, Page, day_of, unknown_day
from tandem.operations.dashboard.plot import Line, bar, lines
from tandem.screening import Passport

MORNINGS_SHOWN: Final = 60
REFUSALS_SHOWN: Final = 60


def pair(page: Page, followed: Followed, asked: Asked) -> Context:
    """All we know of one pair."""
    try:
        meant = Pair(asked["a"], asked["b"])
    except ValueError:
        return {"is_missing": True, "pair": None, "name": f"{asked['a']}/{asked['b']}"}
    mornings = followed.mornings
    found = mornings.passports(meant)
    signals = followed.decisions.signals_of(meant)
    trades = followed.money.trades_of(meant)
    if not (found or signals or trades or mornings.lives(meant)):
        return {"is_missing": True, "pair": None, "name": str(meant)}
    days = sorted({passport.session for passport in found} | {session for _, session, _ in signals}, reverse=True)
    day = day_of(asked, days)
    every = asked.get("day") == "all"
    shown = day or (days[0] if days else None)
    passport = (mornings.passport(meant, shown) if shown else None) or (found[-1] if found else None)
    made = mornings.configuration()
    return {
        "is_missing": False,
        "pair": meant,
        "name": str(meant),
        "passport": passport,
        "days": days,
        "unknown_day": "" if every else unknown_day(asked, days),
        "day": None if every else shown,
        "chosen": "all" if every else str(shown or ""),
        "trades": trades[::-1],
        "said": followed.decisions.latest.get(meant),
        "position": followed.money.position(meant),
        "total": followed.money.total(meant),
        "refusals": followed.decisions.refusals_of(meant, REFUSALS_SHOWN),
        "lives": mornings.lives(meant)[::-1],
        "configured": made.of(meant) if made else None,
        "hedges": _hedges(found[-MORNINGS_SHOWN:]),
        "bar": bar,
    }


def _hedges(found: list[Passport]) -> list[tuple[str, str, Markup]]:
    """Pictures over the mornings: key of the definition, what it is called, SVG."""
    labels = [f"{passport.session.day} {passport.session:%b}" for passport in found]
    named = "least sq." if not found or found[-1].hedge_by == "ols" else found[-1].hedge_by
    shown = [
        Line(named, "a", [each.hedge_ratio for each in found]),
        Line("total l.s.", "b", [each.hedge_ratio_tls for each in found], is_dashed=True),
        Line("Johansen", "band", [each.hedge_ratio_johansen for each in found], is_dashed=True),
    ]
    half_lives = [Line("half-life", "a", [each.half_life for each in found])]
    scores = [Line("score", "a", [each.score.total for each in found])]
    known = [line for line in shown if any(value is not None for value in line.values)]
    return [
        ("hedge_ratio", "Hedge ratio", lines(known, labels, "hedge ratio by morning", places=3)),
        ("half_life", "Half-life", lines(half_lives, labels, "half-life by morning", places=1)),
        ("score", "Score", lines(scores, labels, "score by morning")),
    ]
