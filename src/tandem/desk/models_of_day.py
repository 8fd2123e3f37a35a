"""The models by which a day is traded, for whoever asks them from outside a session."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from tandem.desk.champions import Champions, ModelInForce
from tandem.desk.plan import Plan, plan_of, watch_of
from tandem.forecast import DayModels
from tandem.market import DataError, Pair, World
from tandem.store import Store

END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class ModelsOfDay:
    """A day's models as they stand in a world.

    Attributes:
        plan: of the day.
        in_force: what trades each sector.
        models: ready to be asked.
    """

    world: World
    day: date
    plan: Plan
    in_force: tuple[ModelInForce | None, ...]
    models: DayModels


def models_of_day(store: Store, world: World, day: date | None = None, known: ModelsOfDay | None = None) -> ModelsOfDay:
    """The models that trade a day's pairs.

    Args:
        world: whose day.
        day: None for the newest that has a plan.
        known: what was read before; it is given back where nothing has changed since.

    Raises:
        DataError: there is no plan of that day.
    """
    facts = store.facts(world)
    found = day or max((record.session for record in facts.read(Plan)), default=None)
    plan = plan_of(facts, found) if found else None
    if found is None or plan is None:
        raise DataError(
            f"{world} has no plan of {day or 'any day'}", "`tandem trade` makes one; name another --world or --day"
        )
    champions = Champions(facts, store.blobs, found)
    champions.follow(END_OF_TIME)
    in_force = tuple(champions.in_force(sector) for sector in sorted({refit.sector for refit in plan.refits}))
    if known is not None and (known.world, known.day, known.plan, known.in_force) == (world, found, plan, in_force):
        return known
    passports = [watch_of(facts, store.blobs, Pair.parse(pair), found).passport for pair in plan.models]
    models = {passport.pair: champions.model(passport.pair, passport.sector) for passport in passports}
    return ModelsOfDay(world, found, plan, in_force, DayModels(passports, models))
