"""What a search may change of the model, and how far: one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tandem.config import ModelSettings

if TYPE_CHECKING:
    from optuna.trial import Trial as OptunaTrial

Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from low to high, both included; on a scale of logarithms where `log`."""

    low: int
    high: int
    log: bool = False

    def suggested(self, trial: "OptunaTrial", name: str) -> int:
        """The value that a trial takes."""
        return trial.suggest_int(name, self.low, self.high, log=self.log)

    def holds(self, value: Any) -> bool:
        """Whether a value is within bounds."""
        return bool(self.low <= value <= self.high)


@dataclass(frozen=True, slots=True)
class Real:
    """A number of three digits from low to high, both included; on a scale of logarithms where `log`."""

    low: float
    high: float
    log: bool = False

    def suggested(self, trial: "OptunaTrial", name: str) -> float:
        """The value that a trial takes."""
        return rounded(trial.suggest_float(name, self.low, self.high, log=self.log))

    def holds(self, value: Any) -> bool:
        """Whether a value is within bounds."""
        return bool(self.low <= value <= self.high)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some values."""

    values: tuple[int, ...]

    def suggested(self, trial: "OptunaTrial", name: str) -> int:
        """The value that a trial takes."""
        return int(trial.suggest_categorical(name, self.values))

    def holds(self, value: Any) -> bool:
        """Whether a value is one of them."""
        return value in self.values


SPACE: Final[dict[str, Whole | Real | Choice]] = {
    "sequence_length": Whole(4, 24),
    "gru_units": Choice((16, 32, 64, 96, 128)),
    "dropout_rate": Real(0.0, 0.6),
    "learning_rate": Real(1e-4, 3e-3, log=True),
    "batch_size": Choice((16, 32, 64, 128)),
    "patience": Whole(4, 16),
}


def suggested(trial: "OptunaTrial") -> Params:
    """The settings that a trial is to try."""
    return {name: dimension.suggested(trial, name) for name, dimension in SPACE.items()}


def rounded(value: float) -> float:
    """To three digits: a person can read and paste what was tried, as it was tried."""
    return float(f"{value:.3g}")


def tried(params: Mapping[str, Any]) -> Params:
    """The settings that a trial with these values of the study tried, in the order of the table."""
    return {name: rounded(params[name]) if isinstance(SPACE[name], Real) else params[name] for name in SPACE}


def params_of(recipe: ModelSettings) -> Params:
    """A recipe's own values of what is searched."""
    return {name: getattr(recipe, name) for name in SPACE}


def is_inside(recipe: ModelSettings) -> bool:
    """Whether the search could find this recipe."""
    return all(dimension.holds(getattr(recipe, name)) for name, dimension in SPACE.items())


def longest(recipe: ModelSettings) -> ModelSettings:
    """The recipe with the longest sequence that is searched, or its own."""
    bound = SPACE["sequence_length"]
    assert isinstance(bound, Whole)
    return recipe.model_copy(update={"sequence_length": max(bound.high, recipe.sequence_length)})


def described() -> dict[str, Any]:
    """The table as plain words and numbers: part of what a study is."""
    return {name: repr(dimension) for name, dimension in SPACE.items()}
