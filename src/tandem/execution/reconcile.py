"""What Tandem holds, beside what the broker says the account holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from tandem.market import Position


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Shares by symbol, signed.

    Attributes:
        foreign: held at the broker and not opened by Tandem: shown, never touched.
        missing: in Tandem's book and not at the broker: nothing may be traded before a person has looked.
    """

    foreign: Mapping[str, Decimal]
    missing: Mapping[str, Decimal]


def reconcile(book: Mapping[str, Decimal], positions: Mapping[str, Position]) -> Reconciliation:
    """Split the account into Tandem's part and the rest."""
    foreign, missing = {}, {}
    for symbol in sorted(book.keys() | positions.keys()):
        own = book.get(symbol, Decimal(0))
        held = positions[symbol].qty if symbol in positions else Decimal(0)
        lacking = own != 0 and (held * own < 0 or abs(held) < abs(own))
        if lacking:
            missing[symbol] = own - held
        elif held != own:
            foreign[symbol] = held - own
    return Reconciliation(foreign, missing)
