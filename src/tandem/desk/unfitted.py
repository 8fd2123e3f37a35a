"""Sessions in which a recipe had pairs and no model of its own: the baseline traded, so they are not its record."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Final

from tandem.desk.plan import Plan
from tandem.forecast import BASELINE, PairModel
from tandem.screening import Passport
from tandem.store import Facts, Store

NOT_FITTED: Final = "it was not fitted"
REFUSED: Final = "its refit must not trade"
NO_NETWORK: Final = "there was too little to train it on"

LeftOut = Mapping[date, str]
"""Why a session is not a recipe's record, by trading date."""


def why_unfitted(plan: Plan, sector: str, recipe: str) -> str:
    """Why a recipe had no model of its own for the pairs of a sector; empty where it had, or there were no pairs."""
    if recipe == BASELINE or sector not in {refit.sector for refit in plan.refits}:
        return ""
    refit = plan.refit(sector, recipe)
    if refit is None:
        return NOT_FITTED
    if refit.refused:
        return REFUSED
    return NO_NETWORK if refit.loss is None else ""


def unfitted(facts: Facts, sector: str, recipe: str) -> LeftOut:
    """The sessions of a world in which a recipe had no model of its own, by its plans."""
    found = {record.session: why_unfitted(record.body, sector, recipe) for record in facts.read(Plan)}
    return {day: why for day, why in found.items() if why}


def unfitted_in_shadow(store: Store, facts: Facts, own: Facts, sector: str, recipe: str) -> LeftOut:
    """The same of its shadow book, which has the morning's refits or else models of its own.

    Args:
        facts: of the world that it follows.
        own: of the shadow.
    """
    plans = {record.session: record.body for record in facts.read(Plan)}
    found: dict[date, str] = {}
    for record in own.read(Plan):
        plan = plans.get(record.session)
        if plan is not None and plan.refit(sector, recipe) is not None:
            found[record.session] = why_unfitted(plan, sector, recipe)
        elif recipe != BASELINE:
            found[record.session] = _untrained(store, own, record.session, record.body, sector)
    return {day: why for day, why in found.items() if why}


def left_out(recipe: str, days: LeftOut) -> str:
    """How many sessions are left out of a recipe's record and why, in words; empty where none is."""
    if not days:
        return ""
    counts = Counter(days.values()).most_common()
    reasons = ", ".join(why if len(counts) == 1 else f"{why} ({count})" for why, count in counts)
    return f"{len(days)} {'session' if len(days) == 1 else 'sessions'} of {recipe} left out: {reasons}"


def _untrained(store: Store, own: Facts, day: date, plan: Plan, sector: str) -> str:
    pairs = {str(each.body.pair) for each in own.read(Passport, session=day) if each.body.sector == sector}
    digests = [digest for pair, digest in plan.models.items() if pair in pairs]
    models = (PairModel.from_bytes(store.blobs.get(digest)) for digest in digests)
    return "" if not digests or any(model.network is not None for model in models) else NO_NETWORK
