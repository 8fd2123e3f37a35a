"""What the session of a day is traded by: the models of each pair that may be entered. Never edited."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from tandem.desk.configuration import fact_key
from tandem.forecast import PairModel
from tandem.market import Pair, Session
from tandem.screening import Passport
from tandem.signals import PairWatch
from tandem.store import Blobs, Facts, Record


@dataclass(frozen=True, slots=True)
class Refit:
    """A recipe fitted anew for the pairs of one sector and one session.

    Attributes:
        sector: of its pairs.
        recipe: its name.
        name: of the registered model, `pairs_trading_gru_garch_{sector}_{recipe}_{YYYYMMDD}`.
        models: digest of each pair's model in the store, by pair.
        loss: mean validation log loss of its networks; None where it has none.
        refused: why it must not trade; empty where it passed.
        figures: means over its pairs, by name.
    """

    sector: str
    recipe: str
    name: str
    models: dict[str, str]
    loss: float | None = None
    refused: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def why_not(self) -> str:
        """Why its models must not trade, in words; empty where they may."""
        return f"the refit of {self.recipe} must not trade: {self.refused}" if self.refused else ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the session of one trading date lives by.

    Attributes:
        tested: pairs that the morning's screen tested.
        models: digest of each pair's model in the store, by pair: those that may be entered, as the session begins.
        version: of the day's trading configuration that it was made from.
        refits: of every recipe that may come to trade; none in plans that know no recipes, which trade `models`.
        split: the recipe of each pair that a challenger trades, whatever is in Production; its refit is among them.
    """

    kind: ClassVar = "plan"

    tested: int
    models: dict[str, str]
    version: int = 1
    refits: tuple[Refit, ...] = ()
    split: Mapping[str, str] = field(default_factory=dict)

    def refit(self, sector: str, recipe: str) -> Refit | None:
        """The refit of a recipe; None where the day has none."""
        return next((each for each in self.refits if (each.sector, each.recipe) == (sector, recipe)), None)


def record_plan(
    facts: Facts, session: Session, plan: Plan, passports: Iterable[Passport], others: Iterable[Record] = ()
) -> None:
    """Append the plan, its passports and other facts of it, all or nothing; the second time it changes nothing."""
    key = fact_key("plan", session.day, plan.version)
    facts.append(
        Record(plan, session.day, session.morning, key), *passport_records(session, plan.version, passports), *others
    )


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
    """A pair with the passport that a trading date gave it, and the model that its session began with."""
    plan = plan_of(facts, day)
    assert plan is not None
    found = facts.read(Passport, session=day, pair=str(pair))
    key = fact_key("passport", day, plan.version, pair)
    passport = next(record.body for record in found if record.key == key)
    return PairWatch(passport, PairModel.from_bytes(blobs.get(plan.models[str(pair)])))
