"""What the session of a day is traded by: the model of each pair that may be entered. Never edited."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from tandem.desk.configuration import fact_key
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
        models: digest of each pair's model in the store, by pair: those that may be entered.
        registered: names of the registered models, one for each sector with such pairs.
        version: of the day's trading configuration that it was made from.
    """

    kind: ClassVar = "plan"

    tested: int
    models: dict[str, str]
    registered: tuple[str, ...] = ()
    version: int = 1


def record_plan(facts: Facts, session: Session, plan: Plan, passports: Iterable[Passport]) -> None:
    """Append the plan and its passports, all or nothing; the second time it changes nothing."""
    key = fact_key("plan", session.day, plan.version)
    facts.append(Record(plan, session.day, session.morning, key), *passport_records(session, plan.version, passports))


def passport_records(session: Session, version: int, passports: Iterable[Passport]) -> list[Record[Passport]]:
    """The passports of a version of the day's configuration, as facts."""
    return [
        Record(passport, session.day, session.morning, passport_key(passport, version), str(passport.pair))
        for passport in passports
    ]


def passport_key(passport: Passport, version: int) -> str:
    """Where a passport is found among the facts."""
    return fact_key("passport", passport.session, version, passport.pair)


def plan_of(facts: Facts, day: date) -> Plan | None:
    """The newest plan recorded for a trading date."""
    found = facts.read(Plan, session=day)
    return found[-1].body if found else None


def watch_of(facts: Facts, blobs: Blobs, pair: Pair, day: date) -> PairWatch:
    """A pair with the passport and the model that a trading date gave it."""
    plan = plan_of(facts, day)
    assert plan is not None
    found = facts.read(Passport, session=day, pair=str(pair))
    key = fact_key("passport", day, plan.version, pair)
    passport = next(record.body for record in found if record.key == key)
    return PairWatch(passport, PairModel.from_bytes(blobs.get(plan.models[str(pair)])))
