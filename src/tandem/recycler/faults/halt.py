"""Symbols in which nobody may trade for a while."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tandem.matching import MinuteBars, Replay
from tandem.recycler.faults.armed import Faults, Strike
from tandem.recycler.faults.bars import without
from tandem.recycler.faults.connection import lasts
from tandem.recycler.frames import StatusMessage


@dataclass(slots=True)
class Halts:
    """Which symbols are halted where the clock stands."""

    faults: Faults
    replay: Replay
    _halted: dict[str, Strike] = field(default_factory=dict)

    def at(self, mark: datetime) -> list[StatusMessage]:
        """Halt and resume what is due: the statuses to be told."""
        if not self._halted and not self.faults.named("halt"):
            return []
        return [*self._resumed(mark), *self._begun(mark)]

    def through(self, bars: MinuteBars) -> MinuteBars:
        """The bars of a minute less those of halted symbols: nobody traded them."""
        return without(bars, list(self._halted)) if self._halted else bars

    def _begun(self, mark: datetime) -> Iterator[StatusMessage]:
        for one in self.faults.named("halt"):
            symbol = str(one.fault.symbol)
            if symbol not in self._halted and (strike := self.faults.strike_of(one, symbol=symbol)):
                self._halted[symbol] = strike
                self.replay.engine.halt(symbol)
                yield halted(symbol, mark)

    def _resumed(self, mark: datetime) -> Iterator[StatusMessage]:
        in_force = {one.number for one in self.faults.named("halt")}
        for symbol, strike in list(self._halted.items()):
            if strike.number not in in_force or not lasts(strike, self.faults):
                del self._halted[symbol]
                self.replay.engine.resume(symbol)
                yield resumed(symbol, mark)


def halted(symbol: str, at: datetime) -> StatusMessage:
    """Trading stops, news are pending."""
    return StatusMessage(symbol, "H", "Trading Halt", "T1", "Halt News Pending", at)


def resumed(symbol: str, at: datetime) -> StatusMessage:
    """Trading goes on."""
    return StatusMessage(symbol, "T", "Trading Resumption", "T3", "News and Resumption Times", at)
