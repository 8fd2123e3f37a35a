"""What a recycler replays and how."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, Self

from tandem.config import CostSettings
from tandem.market import RecyclerError, World, WorldKind

PORT: Final = 8765
WORLD: Final = World(WorldKind.RECYCLER, 1)
COSTS: Final = CostSettings()


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that the process is told.

    Attributes:
        symbols: what to replay.
        start, end: New York dates, both included; None for the first or last there is.
        port: 0 takes any that is free.
        cash: dollars in the paper account.
        world: the timeline of account and fills.
        costs: what trading costs.
        bars: a Parquet file with a bars frame instead of the store.
        lockstep: the clock stands while no desk is registered.
        speed: minutes of market time per minute; None for as fast as it goes.
        lifeline: end when standard input ends.
        token_file: holds the token of the control API; TANDEM_RECYCLER_TOKEN otherwise.
        delay_ms, delay_seed: every websocket message is late by a random time up to this.
        auth_seconds: how long a client may take to authenticate.

    Raises:
        RecyclerError: no symbols, or a speed, amount or delay that makes no sense.
    """

    symbols: tuple[str, ...]
    start: date | None = None
    end: date | None = None
    port: int = PORT
    cash: Decimal = Decimal(100_000)
    world: World = WORLD
    costs: CostSettings = COSTS
    bars: Path | None = None
    lockstep: bool = False
    speed: float | None = None
    lifeline: bool = False
    token_file: Path | None = None
    delay_ms: float = 0.0
    delay_seed: int = 0
    auth_seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.speed is not None and self.speed <= 0:
            raise RecyclerError(f"a speed of {self.speed:g} goes nowhere", "Give one above 0.")
        if not self.symbols or self.cash <= 0 or self.delay_ms < 0:
            raise RecyclerError("a recycler needs symbols, cash above 0 and a delay that is not negative")

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> Self:
        """The options that command-line arguments mean."""
        return cls(**{k: v for k, v in vars(_parser().parse_args(arguments)).items() if v is not None})

    def arguments(self) -> list[str]:
        """The command-line arguments that mean these options."""
        given = [(field.name, getattr(self, field.name), field.default) for field in fields(self)]
        return [word for name, value, usual in given if value != usual for word in _words(name, value)]


def world_of(text: str) -> World:
    """The world that `recycler-3` or `recycler-3-1` names.

    Raises:
        RecyclerError: it names none.
    """
    kind, *numbers = text.split("-")
    try:
        return World(WorldKind(kind), *map(int, numbers))
    except (TypeError, ValueError) as error:
        raise RecyclerError(f"{text} names no world", "A world looks like recycler-3 or recycler-3-1.") from error


def _words(name: str, value: Any) -> list[str]:
    flag = f"--{name.replace('_', '-')}"
    if value is True:
        return [flag]
    if isinstance(value, tuple):
        return [flag, ",".join(value)]
    return [flag, value.model_dump_json() if isinstance(value, CostSettings) else str(value)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tandem.recycler", description="A local Alpaca that replays stored bars."
    )
    add = parser.add_argument
    add("--symbols", required=True, type=lambda text: tuple(filter(None, text.split(","))), help="A,B,C")
    add("--start", type=date.fromisoformat, help="first New York date")
    add("--end", type=date.fromisoformat, help="last New York date")
    add("--port", type=int, help="0 for any")
    add("--cash", type=_dollars, help="dollars in the paper account")
    add("--world", type=world_of, help="such as recycler-3")
    add("--costs", type=CostSettings.model_validate_json, help="the costs block, as JSON")
    add("--bars", type=Path, help="a Parquet file of bars instead of the store")
    add("--lockstep", action="store_true", help="the clock waits for desks")
    add("--speed", type=float, help="minutes of market time per minute; without it, as fast as it goes")
    add("--lifeline", action="store_true", help="end when standard input ends")
    add("--token-file", type=Path, help="holds the token of the control API")
    add("--delay-ms", type=float, help="send every websocket message up to this late")
    add("--delay-seed", type=int, help="the same seed gives the same delays")
    add("--auth-seconds", type=float, help="how long a client may take to authenticate")
    return parser


def _dollars(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError(f"{text} is not an amount") from error
