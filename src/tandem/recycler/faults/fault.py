"""One thing that goes wrong on purpose: which, to whom, when and how often."""

from dataclasses import dataclass
from datetime import time
from difflib import get_close_matches
from typing import ClassVar, Final, Self

from tandem.config import FaultSettings
from tandem.market import RecyclerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault as it is asked for; the fact that it was armed.

    Without `every`, `count`, `until` and `chance` it strikes once.

    Attributes:
        name: one of `KINDS`.
        symbol: whose bars, orders or executions; None for everybody's.
        at, until: New York times of the played day between which it may strike; `until` is not included.
        every: it strikes at every n-th occasion: a minute with bars, a bar, a request or an order, as its kind has it.
        count: how often it strikes at most.
        seconds: how long it lasts, or how late things are: in market time for `stall` and `halt`, real ones otherwise.
        chance: how likely it is to strike at an occasion.
        seed: the same seed gives the same faults.

    Raises:
        RecyclerError: there is no such fault, or it lacks what it needs.
    """

    kind: ClassVar = "fault"

    name: str
    symbol: str | None = None
    at: time | None = None
    until: time | None = None
    every: int | None = None
    count: int | None = None
    seconds: float | None = None
    chance: float | None = None
    seed: int = 7

    def __post_init__(self) -> None:
        for flaw in _flaws(self):
            raise RecyclerError(f"fault {self.name}: {flaw}", "docs/recycler.md lists every fault and what it needs.")

    @classmethod
    def of(cls, settings: FaultSettings) -> Self:
        """The fault that a block of the configuration means."""
        return cls(**settings.model_dump())

    @property
    def most(self) -> int | None:
        """How often it strikes at most, None for without end."""
        if self.count is None and self.every is None and self.until is None and self.chance is None:
            return 1
        return self.count


@dataclass(frozen=True, slots=True)
class Kind:
    """What a fault's name stands for.

    Attributes:
        meaning: what happens, in one line.
        occasion: what it counts: `minute`, `connection`, `frame`, `bar`, `request`, `order` or `execution`.
        needs: parameters without which it means nothing.
        takes_symbol: whether it may be meant for one symbol alone.
        takes_seconds: whether it has a length.
    """

    meaning: str
    occasion: str
    needs: tuple[str, ...] = ()
    takes_symbol: bool = False
    takes_seconds: bool = False


KINDS: Final = {
    "drop-connection": Kind("every market-data socket is cut without a closing frame", "minute"),
    "drop-order-stream": Kind("every trade-updates socket is cut without a closing frame", "minute"),
    "stall": Kind("market-data sockets stay open and silent, what they miss never comes", "minute", takes_seconds=True),
    "refuse": Kind("whoever authenticates for market data gets 406", "connection", takes_seconds=True),
    "delay": Kind("every frame of every socket is up to so late", "frame", ("seconds",), takes_seconds=True),
    "duplicate": Kind("a bar comes twice", "bar", takes_symbol=True),
    "reorder": Kind("a bar comes after the next minute's", "bar", takes_symbol=True),
    "drop-bars": Kind("a bar never comes", "bar", takes_symbol=True),
    "corrupt-nan": Kind("a bar whose close is not a number", "bar", takes_symbol=True),
    "corrupt-negative": Kind("a bar whose low is negative", "bar", takes_symbol=True),
    "corrupt-range": Kind("a bar whose high is below its low", "bar", takes_symbol=True),
    "halt": Kind("trading in a symbol is halted, then resumed", "minute", ("symbol",), True, True),
    "rest-429": Kind("a request is refused, too many came before it", "request"),
    "rest-500": Kind("a request meets an internal error and does nothing", "request"),
    "rest-504": Kind("a request times out and does nothing", "request", takes_seconds=True),
    "late-504": Kind("an order is taken, its answer is a 504", "order", takes_symbol=True, takes_seconds=True),
    "lost-answer": Kind(
        "an order is taken, its connection is cut before the answer", "order", takes_symbol=True, takes_seconds=True
    ),
    "repeat-execution": Kind("an order's events come three times, with one execution id", "execution", (), True),
    "lose-execution": Kind("an execution is not told on the order stream", "execution", takes_symbol=True),
    "reject-order": Kind("an order is refused", "order", takes_symbol=True),
    "partial-fill": Kind("an order fills in part, the rest never does", "order", takes_symbol=True),
}


def _flaws(fault: Fault) -> list[str]:
    kind = KINDS.get(fault.name)
    if kind is None:
        close = get_close_matches(fault.name, KINDS, n=1)
        return [f"there is none of that name, did you mean {close[0]}" if close else "there is none of that name"]
    missing = [f"it needs {name}" for name in kind.needs if getattr(fault, name) is None]
    needless = [
        f"it takes no {name}"
        for name, taken in (("symbol", kind.takes_symbol), ("seconds", kind.takes_seconds))
        if not taken and getattr(fault, name) is not None
    ]
    return missing + needless + _nonsense(fault)


def _nonsense(fault: Fault) -> list[str]:
    numbers = {"every": fault.every, "count": fault.count, "seconds": fault.seconds}
    found = [f"{name} must be above 0" for name, value in numbers.items() if value is not None and not value > 0]
    if fault.at is not None and fault.until is not None and fault.until <= fault.at:
        found.append("until must be later than at")
    if fault.chance is not None and not 0 <= fault.chance <= 1:
        found.append("chance must lie between 0 and 1")
    return found
