"""What the registry is told of a refit, as it was known on its morning: a fact where the registry was away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Self

import msgspec
import yaml

from tandem.config import Settings, as_yaml
from tandem.forecast.model import PairModel
from tandem.forecast.registry import lineage
from tandem.forecast.registry.registered import ModelRegistered
from tandem.market import Pair, Session, World
from tandem.screening import Passport
from tandem.store import Facts, Record, TrialCount


@dataclass(frozen=True, slots=True)
class Registration:
    """A day's refit of a recipe, all but its passports and models.

    Attributes:
        name: of the registered model.
        sector: of its pairs.
        recipe: it is a refit of.
        refit: SHA-256 of its world, passports and models: what the registry has under it is not registered again.
        tags: of its runs and of the model.
        settings: that it was made with, as YAML.
        configuration: version of the day's trading configuration.
        refused: why it must not trade; empty where it may.
        tried: in the sector by then; it deflates each pair's Sharpe ratio.
    """

    kind: ClassVar = "registration"

    name: str
    sector: str
    recipe: str
    refit: str
    tags: Mapping[str, str]
    settings: str
    configuration: int = 1
    refused: str = ""
    tried: TrialCount | None = None

    @classmethod
    def of(
        cls,
        session: Session,
        sector: str,
        passports: Sequence[Passport],
        models: Mapping[Pair, PairModel],
        settings: Settings,
        world: World | None = None,
        *,
        configuration: int = 1,
        refused: str = "",
        tried: TrialCount | None = None,
    ) -> Self:
        """That of a refit.

        Args:
            passports: of its pairs, best score first, at least one; every one has a model.
            settings: `model.version` is the recipe.
        """
        recipe, tags = settings.model.version, lineage.tags(session, sector, passports, models, settings, world)
        return cls(
            lineage.model_name(session, sector, recipe),
            sector,
            recipe,
            _digest(tags, passports, models),
            tags,
            as_yaml(settings),
            configuration,
            refused,
            tried,
        )

    @property
    def made_with(self) -> Settings:
        """The settings, but for secrets."""
        return Settings.model_validate(yaml.safe_load(self.settings))


def owed(facts: Facts) -> list[Record[Registration]]:
    """Refits of a world that the registry has yet to be told of, oldest first."""
    told = {record.body.refit for record in facts.read(ModelRegistered)}
    return [record for record in facts.read(Registration) if record.body.refit not in told]


def _digest(tags: Mapping[str, str], passports: Sequence[Passport], models: Mapping[Pair, PairModel]) -> str:
    digest = sha256(tags["world"].encode())
    for passport in passports:
        for part in (msgspec.json.encode(passport), models[passport.pair].to_bytes()):
            digest.update(sha256(part).digest())
    return digest.hexdigest()
