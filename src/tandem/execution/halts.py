"""In which symbols nobody may trade now, by what a stream tells."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from tandem.market import Bar

# Codes of the tapes A and B, then of C; a quotation that resumes is not yet a trade.
HALTED: Final = frozenset({"2", "H", "P"})
RESUMED: Final = frozenset({"3", "T"})


class _Status(msgspec.Struct):
    symbol: str = msgspec.field(name="S")
    code: str = msgspec.field(name="sc")
    at: Annotated[datetime, msgspec.Meta(tz=True)] = msgspec.field(name="t")


class Halts:
    """Trading halts as statuses announce and end them; one thread may hear while another asks.

    A bar of a minute that began after its symbol was halted ends the halt too: the word that trading goes on may have
    been told while the line was cut.
    """

    def __init__(self) -> None:
        self._since: dict[str, datetime] = {}

    @property
    def symbols(self) -> frozenset[str]:
        """Those that are halted, as far as anybody said so."""
        return frozenset(self._since)

    def hear(self, message: dict[str, Any]) -> None:
        """Take in a status as Alpaca's protocol has it; what is none changes nothing."""
        try:
            status = msgspec.convert(message, _Status)
        except msgspec.ValidationError:
            return
        if status.code in HALTED:
            self._since = {**self._since, status.symbol: status.at}
        elif status.code in RESUMED:
            self._resume(status.symbol)

    def see(self, bar: Bar) -> None:
        """Take in a bar."""
        since = self._since.get(bar.symbol)
        if since is not None and bar.start >= since:
            self._resume(bar.symbol)

    def forget(self) -> None:
        """Time went back: nothing was said yet."""
        self._since = {}

    def _resume(self, symbol: str) -> None:
        self._since = {each: since for each, since in self._since.items() if each != symbol}
