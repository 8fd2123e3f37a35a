"""Symbols in which nobody may trade for a while: what would have been their bars is played to nobody."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from tandem.matching import Replay
from tandem.recycler.faults.armed import Faults, Strike
from tandem.recycler.faults.connection import lasts
from tandem.recycler.history.past import EPOCH, TICK
from tandem.recycler.stream.frames import StatusMessage

ENDLESS: Final = 1 << 62


@dataclass(slots=True)
class Halts:
    """Which symbols are halted where the clock stands, and which were when.

    Attributes:
        times: symbol to its halts, oldest first: the first moment without trade and the first with it again, in
            microseconds since 1970 by the replay's clock.
    """

    faults: Faults
    replay: Replay
    times: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    _halted: dict[str, Strike] = field(default_factory=dict)

    def at(self, mark: datetime) -> list[StatusMessage]:
        """Halt and resume what is due: the statuses to be told."""
        if not self._halted and not self.faults.named("halt"):
            return []
        return [*self._resumed(mark), *self._begun(mark)]

    def forget(self) -> None:
        """The clock was wound back: what has not happened yet leaves no gap; what is halted still is."""
        self.times.clear()
        for symbol in self._halted:
            self.replay.engine.halt(symbol)
            self.times[symbol] = ((_ticks(self.replay.time), ENDLESS),)

    def _begun(self, mark: datetime) -> Iterator[StatusMessage]:
        for one in self.faults.named("halt"):
            symbol = str(one.fault.symbol)
            if symbol not in self._halted and (strike := self.faults.strike_of(one, symbol=symbol)):
                self._halted[symbol] = strike
                self.replay.engine.halt(symbol)
                self.times[symbol] = (*self.times.get(symbol, ()), (_ticks(mark), ENDLESS))
                yield halted(symbol, mark)

    def _resumed(self, mark: datetime) -> Iterator[StatusMessage]:
        in_force = {one.number for one in self.faults.named("halt")}
        for symbol, strike in list(self._halted.items()):
            if strike.number not in in_force or not lasts(strike, self.faults):
                del self._halted[symbol]
                self.replay.engine.resume(symbol)
                *before, (begun, _) = self.times[symbol]
                self.times[symbol] = (*before, (begun, _ticks(mark)))
                yield resumed(symbol, mark)


def halted(symbol: str, at: datetime) -> StatusMessage:
    """Trading stops, news are pending."""
    return StatusMessage(symbol, "H", "Trading Halt", "T1", "Halt News Pending", at)


def resumed(symbol: str, at: datetime) -> StatusMessage:
    """Trading goes on."""
    return StatusMessage(symbol, "T", "Trading Resumption", "T3", "News and Resumption Times", at)


def _ticks(moment: datetime) -> int:
    return (moment - EPOCH) // TICK
