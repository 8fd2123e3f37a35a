"""The models by which a day is traded, for whoever asks them from outside a session."""

from dataclasses import dataclass
from datetime import date

from tandem.desk.plan import Plan, plan_of, watch_of
from tandem.forecast import DayModels
from tandem.market import DataError, Pair, World
from tandem.store import Store


@dataclass(frozen=True, slots=True, eq=False)
class ModelsOfDay:
    """A day's models as they stand in a world.

    Attributes:
        plan: what they were read from.
        models: ready to be asked.
    """

    world: World
    day: date
    plan: Plan
    models: DayModels


def models_of_day(store: Store, world: World, day: date | None = None, known: ModelsOfDay | None = None) -> ModelsOfDay:
    """The models that the plan of a day names.

    Args:
        world: whose plan.
        day: None for the newest that has a plan.
        known: what was read before; it is given back where nothing has changed since.

    Raises:
        DataError: there is no such plan.
    """
    facts = store.facts(world)
    found = day or max((record.session for record in facts.read(Plan)), default=None)
    plan = plan_of(facts, found) if found else None
    if found is None or plan is None:
        raise DataError(
            f"{world} has no plan of {day or 'any day'}", "`tandem trade` makes one; name another --world or --day"
        )
    if known is not None and (known.world, known.day, known.plan) == (world, found, plan):
        return known
    watches = [watch_of(facts, store.blobs, Pair.parse(pair), found) for pair in plan.models]
    models = {watch.passport.pair: watch.model for watch in watches}
    return ModelsOfDay(world, found, plan, DayModels((watch.passport for watch in watches), models))
