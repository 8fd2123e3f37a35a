"""What competes: code, features and settings under one name. Its models are refits, one a day."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar, Final, Self

from pydantic import ValidationError

from tandem.config import ModelSettings
from tandem.market import DataError, Timeframe
from tandem.screening import code_version

# The bars are those on which the pairs were found, whatever the recipe.
NO_MATTER: Final = {"timeframe", "version"}


@dataclass(frozen=True, slots=True)
class RecipeStaged:
    """A recipe as it was when it first came; its name never stands for another one in the same world.

    Attributes:
        name: `model.version`, such as `v2`.
        settings: the `model` block, as plain data.
        digest: SHA-256 of the commit and those settings.
        code_version: the commit.
    """

    kind: ClassVar = "recipe"

    name: str
    settings: Mapping[str, Any]
    digest: str
    code_version: str

    @classmethod
    def of(cls, settings: ModelSettings) -> Self:
        """The recipe that these settings and this code are."""
        plain = settings.model_dump(mode="json", exclude=NO_MATTER)
        commit = code_version()
        digest = sha256(json.dumps([commit, plain], sort_keys=True).encode()).hexdigest()
        return cls(settings.version, plain, digest, commit)

    def model(self, timeframe: Timeframe) -> ModelSettings:
        """Its settings, on bars of this length.

        Raises:
            DataError: this version of Tandem does not know them.
        """
        try:
            return ModelSettings.model_validate({**self.settings, "version": self.name, "timeframe": timeframe})
        except ValidationError as error:
            key = ".".join(map(str, error.errors()[0]["loc"]))
            mend = "Demote it and stage one of this version"
            raise DataError(f"recipe {self.name} has a setting that is none: model.{key}", mend) from error

    def changes(self, settings: ModelSettings) -> tuple[str, ...]:
        """Settings that differ from these, with both values, by name; a setting that is newer counts by its default."""
        own, other = self.model(settings.timeframe), settings
        return tuple(
            f"{name} {getattr(own, name)} is now {getattr(other, name)}"
            for name in ModelSettings.model_fields
            if name not in NO_MATTER and getattr(own, name) != getattr(other, name)
        )
