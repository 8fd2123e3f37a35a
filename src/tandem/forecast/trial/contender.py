"""Who takes part in a trial: the settings of a recipe under its name."""

from dataclasses import dataclass
from typing import Final

from tandem.config import ModelSettings, Settings
from tandem.market import ConfigError

BASELINE: Final = "baseline"
"""The one that is always in the comparison: the AR(1) forecast on every pair."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to make a model.

    Attributes:
        name: the version, such as `v2`; `baseline` for the AR(1) forecast on every pair.
        settings: of the model.
    """

    name: str
    settings: ModelSettings

    @property
    def is_baseline(self) -> bool:
        """Whether no network may trade, whatever it learns."""
        return self.name == BASELINE


def champion_of(settings: Settings) -> Contender:
    """The recipe of the block `model`."""
    return Contender(settings.model.version, settings.model)


def baseline_of(settings: Settings) -> Contender:
    """The AR(1) forecast on every pair."""
    return Contender(BASELINE, settings.model)


def challenger_of(settings: Settings) -> Contender:
    """The recipe of the block `model` with the changes of `trial.challenger`.

    Raises:
        ConfigError: there is none, or it has the champion's name.
    """
    changes = settings.trial.challenger
    if not changes:
        raise ConfigError("nobody challenges the champion", "Set trial.challenger, e.g. {version: v2, gru_units: 32}.")
    model = ModelSettings.model_validate({**settings.model.model_dump(), **changes})
    if model.version in (settings.model.version, BASELINE):
        raise ConfigError(f"the challenger is called {model.version} as well", "Give trial.challenger another version.")
    return Contender(model.version, model)
