"""What the desk means to do with a pair, before any order."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar

from tandem.market import Pair, Side


@dataclass(frozen=True, slots=True)
class Intent:
    """Both legs of an entry or an exit, in shares.

    Attributes:
        purpose: `enter` or `exit`.
        direction: +1 long the spread (long a, short b), -1 short it; of the trade, also on its exit.
        side_a, qty_a, side_b, qty_b: the legs; quantities positive.
        why: the rule's or the limit's reason.
        stopped: the exit is a stop, after which the pair rests.
        z, spread: at the decision.
        residual, variance: of the newest model bar, log units: the trade's GARCH band starts from them.
        gross: dollars of both legs at the decision's prices.
        hedge_error: share by which rounding missed the hedge.
        passport: session whose passport and model the trade lives by until it is closed.
    """

    kind: ClassVar = "intent"

    pair: Pair
    purpose: str
    direction: int
    side_a: Side
    qty_a: Decimal
    side_b: Side
    qty_b: Decimal
    why: str
    stopped: bool
    z: float
    spread: float
    residual: float
    variance: float
    gross: Decimal
    hedge_error: float
    passport: date
