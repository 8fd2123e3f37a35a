"""The day's trading configuration: which pairs, with which passports and models. Never edited."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from tandem.forecast import PairModel
from tandem.market import Pair, Session
from tandem.screening import Passport
from tandem.signals import PairWatch
from tandem.store import Blobs, Facts, Record


@dataclass(frozen=True, slots=True)
class Plan:
    """What the session of one trading date lives by.

    Attributes:
        tested: pairs that the morning's screen tested.
        models: digest of each selected pair's model in the store, by pair.
        registered: names of the registered models, one for each sector with selected pairs.
    """

    kind: ClassVar = "plan"

    tested: int
    models: dict[str, str]
    registered: tuple[str, ...] = ()


def record_plan(facts: Facts, session: Session, plan: Plan, passports: Iterable[Passport]) -> None:
    """Append the plan and its passports, all or nothing; the second time it changes nothing."""
    facts.append(
        Record(plan, session.day, session.morning, f"plan.{session.day}"),
        *(
            Record(
                passport, session.day, session.morning, f"passport.{session.day}.{passport.pair}", str(passport.pair)
            )
            for passport in passports
        ),
    )


def plan_of(facts: Facts, day: date) -> Plan | None:
    """The plan recorded for a trading date."""
    found = facts.read(Plan, session=day)
    return found[0].body if found else None


def watch_of(facts: Facts, blobs: Blobs, pair: Pair, day: date) -> PairWatch:
    """A pair with the passport and the model that a trading date gave it."""
    plan = plan_of(facts, day)
    passport = facts.read(Passport, session=day, pair=str(pair))[0].body
    assert plan is not None
    return PairWatch(passport, PairModel.from_bytes(blobs.get(plan.models[str(pair)])))
