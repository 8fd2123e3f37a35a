"""The screen's funnel and every pair that stands somewhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import log
from typing import Final

from tandem.desk import ConfiguredPair
from tandem.operations.dashboard.folds.decisions import Decision
from tandem.operations.dashboard.folds.money import Earned, Position
from tandem.operations.dashboard.followed import Followed
from tandem.operations.dashboard.page import Asked, Context, Page, day_of, unknown_day
from tandem.operations.dashboard.plot import bar
from tandem.screening import Funnel, PairState, Passport

FEW: Final = 60


@dataclass(frozen=True, slots=True)
class PairRow:
    """A pair on the list: what the morning said of it and how it fares."""

    configured: ConfiguredPair
    passport: Passport | None
    said: Decision | None
    position: Position | None
    total: Earned | None


def pairs(_: Page, followed: Followed, asked: Asked) -> Context:
    """The screen's funnel and every pair that stands somewhere."""
    mornings = followed.mornings
    day = day_of(asked, mornings.days) or (mornings.days[0] if mornings.days else None)
    made = mornings.configuration(day) if day else None
    rows = [_row(followed, each, day) for each in made.pairs] if made and day else []
    rows.sort(key=lambda row: row.configured.life.state is PairState.RETIRED)
    funnel = mornings.funnel(day) if day else None
    return {
        "day": day,
        "days": mornings.days,
        "unknown_day": unknown_day(asked, mornings.days),
        "made": made,
        "rows": rows,
        "funnel": funnel,
        "gates": list(_gates(funnel)) if funnel else [],
    }


def _row(followed: Followed, each: ConfiguredPair, day: date) -> PairRow:
    passport = followed.mornings.passport(each.pair, day) or followed.mornings.newest_passport(each.pair)
    said = followed.decisions.latest.get(each.pair)
    position, total = followed.money.position(each.pair), followed.money.total(each.pair)
    return PairRow(each, passport, said, position, total)


def _gates(funnel: Funnel) -> Iterator[tuple[str, int, int, object]]:
    """Of each gate: its name, pairs left, pairs refused, and a bar; many pairs are on a logarithmic scale."""
    most = max(funnel.steps[0].left, 1) if funnel.steps else 1
    before = most
    for step in funnel.steps:
        many = log(1 + step.left) / log(1 + most)
        yield step.gate, step.left, before - step.left, bar(many if most > FEW else step.left / most)
        before = step.left
