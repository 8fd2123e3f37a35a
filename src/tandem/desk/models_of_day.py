"""The models by which a day is traded, for whoever asks them from outside a session."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from tandem.desk.plan import Plan, plan_of, watch_of
from tandem.forecast import DayModels, PairModel
from tandem.market import DataError, Pair, World
from tandem.store import Facts, Store


@dataclass(frozen=True, slots=True, eq=False)
class ModelsOfDay:
    """A day's models as they stand in a world.

    Attributes:
        standing: digest of the model of each pair, by pair.
        models: ready to be asked.
    """

    world: World
    day: date
    standing: Mapping[str, str]
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
    standing = _standing(facts, found) if found else None
    if found is None or standing is None:
        raise DataError(
            f"{world} has no plan of {day or 'any day'}", "`tandem trade` makes one; name another --world or --day"
        )
    if known is not None and (known.world, known.day, known.standing) == (world, found, standing):
        return known
    pairs = {Pair.parse(pair): digest for pair, digest in standing.items()}
    passports = [watch_of(facts, store.blobs, pair, found).passport for pair in pairs]
    models = {pair: PairModel.from_bytes(store.blobs.get(digest)) for pair, digest in pairs.items()}
    return ModelsOfDay(world, found, standing, DayModels(passports, models))


def _standing(facts: Facts, day: date) -> Mapping[str, str] | None:
    """The digest of each pair's model as it trades now; None where the day has no plan."""
    plan = plan_of(facts, day)
    return plan.models if plan else None
