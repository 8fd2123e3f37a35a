"""MLflow as a mirror of the stages: tag `stage` and the aliases `champion` and `challenger`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tandem.forecast.registry.registered import ModelRegistered
from tandem.market import NEW_YORK
from tandem.screening import world_tag
from tandem.store import Facts, Record, Stage, StageChanged, Stages, Tracking

if TYPE_CHECKING:
    from mlflow import MlflowClient

TAG: Final = "stage"
ALIASES: Final = {Stage.PRODUCTION: "champion", Stage.STAGING: "challenger"}

Version = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Mirrored:
    """MLflow shows this many changes of stage and registered models: all there were."""

    kind: ClassVar = "mirrored"

    changes: int
    models: int


def is_behind(facts: Facts) -> bool:
    """Whether MLflow has yet to be told of something: a process was killed, or MLflow was away."""
    state = _state(facts)
    return state.models > 0 and state not in {record.body for record in facts.read(Mirrored)}


def wanted(facts: Facts) -> dict[Version, Stage]:
    """The stage of the newest sound refit of each recipe, by registered name and version; all others are Archived."""
    # One of which the registry was told late is no newer for that.
    by_day = sorted(facts.read(ModelRegistered), key=lambda record: (record.session, record.body.configuration))
    newest = {
        (record.body.sector, record.body.recipe): (record.body.name, record.body.version)
        for record in by_day
        if record.body.recipe and not record.body.refused
    }
    stages = Stages(facts)
    boards = {sector: stages.board(sector).stages for sector in stages.sectors()}
    return {
        version: boards[sector][recipe]
        for (sector, recipe), version in newest.items()
        if recipe in boards.get(sector, {})
    }


def mirror(tracking: Tracking, facts: Facts) -> tuple[str, ...]:
    """Bring MLflow to what the store says; what is so already is left alone, and what was cut off is gone on with.

    Returns:
        What was changed, in words; nothing the second time.

    Raises:
        StoreError: the tracking store is away.
    """
    world = world_tag(facts.world)
    with tracking.alone(f"stages of {world}"), tracking.client() as client:
        state = _state(facts)
        changed = tuple(_Mirror(client, world, wanted(facts)).reconcile())
    _keep(facts, state)
    return changed


def _state(facts: Facts) -> Mirrored:
    models = sum(bool(record.body.recipe) for record in facts.read(ModelRegistered))
    return Mirrored(len(facts.read(StageChanged)), models)


def _keep(facts: Facts, state: Mirrored) -> None:
    newest = [record.at for kind in (StageChanged, ModelRegistered) for record in facts.read(kind)]
    if newest:
        at = max(newest)
        facts.append(Record(state, at.astimezone(NEW_YORK).date(), at, f"mirrored.{state.changes}.{state.models}"))


class _Mirror:
    def __init__(self, client: "MlflowClient", world: str, wanted: Mapping[Version, Stage]) -> None:
        self._client = client
        self._wanted = wanted
        # Of what is Archived there is more every day, and it is asked for only where it is to come back.
        found = client.search_model_versions(f"tag.world = '{world}' and tag.{TAG} != '{Stage.ARCHIVED}'")
        known = {(each.name, str(each.version)): each for each in found}
        lacking = {name for name, _ in wanted.keys() - known.keys()}
        more = [each for name in sorted(lacking) for each in client.search_model_versions(f"name = '{name}'")]
        asked = {(each.name, str(each.version)): each for each in more}
        self._known = known | {key: each for key, each in asked.items() if key in wanted}

    def reconcile(self) -> list[str]:
        """Out first, then in: MLflow never shows two in Production."""
        out = [key for key in self._known if key not in self._wanted]
        order = sorted(
            self._wanted.keys() & self._known.keys(), key=lambda key: (self._wanted[key] is Stage.PRODUCTION, key)
        )
        return [line for key in [*sorted(out), *order] for line in self._set(key)]

    def _set(self, key: Version) -> list[str]:
        stage = self._wanted.get(key, Stage.ARCHIVED)
        return [*self._set_aliases(key, stage), *self._set_tag(key, stage)]

    def _set_tag(self, key: Version, stage: Stage) -> list[str]:
        if self._known[key].tags.get(TAG) == stage:
            return []
        self._client.set_model_version_tag(*key, TAG, stage.value)
        return [f"{key[0]} version {key[1]} is {stage}"]

    def _set_aliases(self, key: Version, stage: Stage) -> list[str]:
        name, version = key
        aliases: Mapping[str, Any] = self._client.get_registered_model(name).aliases
        said = []
        for of_stage, alias in ALIASES.items():
            is_there = str(aliases.get(alias)) == version
            if of_stage is stage and not is_there:
                self._client.set_registered_model_alias(name, alias, version)
                said.append(f"{name} version {version} is the {alias}")
            elif of_stage is not stage and is_there:
                self._client.delete_registered_model_alias(name, alias)
                said.append(f"{name} version {version} is the {alias} no longer")
        return said
