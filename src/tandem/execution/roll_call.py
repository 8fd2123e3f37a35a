"""Whether every symbol of a replay arrives, in step with the others and at the speed that was asked for."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final, Literal

from tandem.execution.logbook import bar_of
from tandem.execution.origin import Origin
from tandem.execution.subscription import Listener, Subscription
from tandem.market import Stopwatch

MINUTE: Final = timedelta(minutes=1)
CONNECT_SECONDS: Final = 15.0
BEAT_SECONDS: Final = 0.05
SLACK_SECONDS: Final = 15.0
TOGETHER_SECONDS: Final = 0.25
TOLERANCE: Final = 0.1

Speed = float | Literal["max"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One bar: of which minute, and when it came, in seconds since the call began."""

    symbol: str
    start: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one symbol.

    Attributes:
        bars: how many came.
        first, last: starts of the first and the last.
        late: the most seconds that a bar came after the first of its minute.
        why: what is wrong; empty where nothing is.
    """

    symbol: str
    bars: int = 0
    first: datetime | None = None
    last: datetime | None = None
    late: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class RollCall:
    """What a replay's stream was found to be.

    Attributes:
        answers: one per symbol, in the order in which they were called.
        marks: minutes of market time that were seen.
        speed: minutes of market time per minute as measured; None where fewer than two marks were seen.
        why: what is wrong with the whole; empty where nothing is.
    """

    answers: tuple[Answer, ...]
    marks: int
    speed: float | None
    why: str = ""

    @property
    def passed(self) -> bool:
        """Whether everything is as it should be."""
        return not self.why and not any(answer.why for answer in self.answers)


@dataclass(slots=True)
class _Ear:
    watch: Stopwatch = field(default_factory=Stopwatch)
    arrivals: list[Arrival] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def hear(self, messages: list[dict[str, Any]]) -> None:
        seconds = self.watch.seconds
        for message in messages:
            if message.get("T") == "b" and (bar := bar_of(message)) is not None:
                self.arrivals.append(Arrival(bar.symbol, bar.start, seconds))

    @property
    def marks(self) -> int:
        return len({arrival.start for arrival in list(self.arrivals)})


def call_roll(origin: Origin, symbols: Sequence[str], minutes: int, speed: Speed) -> RollCall:
    """Listen to a stream until so many minutes of market time have been heard whole.

    Args:
        origin: the server.
        symbols: every one has to arrive.
        minutes: of market time, two at least for a speed.
        speed: what the replay is set to.

    Raises:
        BrokerError: the server refuses, or nothing answers.
    """
    ear = _Ear()
    stream = Subscription(origin.stream, symbols, *origin.keys, Listener(lambda: None, ear.hear, ear.said.append))
    stream.open(CONNECT_SECONDS)
    try:
        step = 0.0 if speed == "max" else 60.0 / speed
        waiting, watch = threading.Event(), Stopwatch()
        while ear.marks <= minutes and watch.seconds < (minutes + 1) * step + SLACK_SECONDS:
            waiting.wait(BEAT_SECONDS)
        waiting.wait(min(TOGETHER_SECONDS, step))  # for the rest of the last minute
    finally:
        stream.close()
    return judged(ear.arrivals, symbols, minutes, speed)


def judged(arrivals: Sequence[Arrival], symbols: Sequence[str], minutes: int, speed: Speed) -> RollCall:
    """What these arrivals say."""
    firsts = _firsts(arrivals)
    measured = _speed(firsts)
    answers = tuple(_answer(symbol, arrivals, firsts, speed) for symbol in symbols)
    return RollCall(answers, len(firsts), measured, _why(len(firsts), minutes, measured, speed))


def _firsts(arrivals: Sequence[Arrival]) -> dict[datetime, float]:
    """When the first bar of each minute came."""
    firsts: dict[datetime, float] = {}
    for arrival in arrivals:
        firsts.setdefault(arrival.start, arrival.seconds)
    return firsts


def _speed(firsts: dict[datetime, float]) -> float | None:
    """Minutes per minute between the first and the last mark; a night counts as one minute, as it is played."""
    marks = sorted(firsts)
    if len(marks) < 2:
        return None
    played = sum(min((after - mark) / MINUTE, 1.0) for mark, after in pairwise(marks))
    seconds = firsts[marks[-1]] - firsts[marks[0]]
    return played * 60 / seconds if seconds > 0 else None


def _answer(symbol: str, arrivals: Sequence[Arrival], firsts: dict[datetime, float], speed: Speed) -> Answer:
    mine = [arrival for arrival in arrivals if arrival.symbol == symbol]
    if not mine:
        return Answer(symbol, why="no bar")
    starts = [arrival.start for arrival in mine]
    late = max(arrival.seconds - firsts[arrival.start] for arrival in mine)
    return Answer(symbol, len(mine), starts[0], starts[-1], late, _out_of_step(starts, late, speed))


def _out_of_step(starts: list[datetime], late: float, speed: Speed) -> str:
    if len(set(starts)) < len(starts):
        return "a bar came twice"
    if starts != sorted(starts):
        return "bars out of order"
    allowed = TOGETHER_SECONDS if speed == "max" else max(TOGETHER_SECONDS, TOLERANCE * 60 / speed)
    return f"{late:.2f} s behind the others" if late > allowed else ""


def _why(marks: int, minutes: int, measured: float | None, speed: Speed) -> str:
    if marks < minutes:
        return f"{marks} of {minutes} minutes arrived"
    if speed == "max" or measured is None or minutes < 2:
        return ""
    slow = abs(measured / speed - 1) > TOLERANCE
    return f"played at {measured:.4g}x instead of {speed:g}x" if slow else ""
