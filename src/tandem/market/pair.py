"""Two symbols that may move together."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Leg(StrEnum):
    """Which side of a pair: `a` is the dependent symbol (y), `b` the regressor (x)."""

    A = "a"
    B = "b"


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Two different symbols; the spread is `log a - alpha - beta log b`."""

    a: str
    b: str

    def __post_init__(self) -> None:
        if self.a == self.b:
            raise ValueError(f"a pair needs two symbols, got {self.a} twice")

    def __str__(self) -> str:
        return f"{self.a}/{self.b}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The pair that `A/B` names."""
        a, _, b = text.partition("/")
        return cls(a, b)

    @property
    def symbols(self) -> tuple[str, str]:
        """Both symbols, leg a first."""
        return (self.a, self.b)

    def symbol(self, leg: Leg) -> str:
        """The symbol of one leg."""
        return self.a if leg is Leg.A else self.b
