"""What a person hears of a session while it goes on."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tandem.market import NEW_YORK

if TYPE_CHECKING:
    from rich.console import Console

    from tandem.store import Facts, Record

Say = Callable[["Record", str], None]


class Told:
    """A fact sink that also says what a person wants to hear.

    Args:
        facts: where everything goes.
        say: told a fact and its words.
        orders: whether orders are sent.
    """

    def __init__(self, facts: "Facts", say: Say, *, orders: bool = True) -> None:
        self._facts = facts
        self._say = say
        self._orders = orders
        self.world = facts.world
        self.read = facts.read
        self.alone = facts.alone

    def append(self, *records: "Record") -> None:
        """See `Facts.append`."""
        self._facts.append(*records)
        for record in records:
            if line := words_of(record, self._orders):
                self._say(record, line)


def printed_on(console: "Console") -> Say:
    """Words on a terminal, with New York's time."""

    def say(record: "Record", line: str) -> None:
        at = record.at.astimezone(NEW_YORK)
        console.print(f"{at:%H:%M} {record.pair or '':<10} {line}", soft_wrap=True)

    return say


def words_of(record: "Record", orders: bool) -> str:
    """What a person wants to hear of a fact; empty for the rest.

    Args:
        orders: whether orders are sent.
    """
    from tandem.desk import ModelInForce
    from tandem.execution import Outcome, PairOrderEnded
    from tandem.market import Fill, Order, Refusal
    from tandem.risk import Intent, Switch
    from tandem.signals import Signal

    match record.body:
        case Signal(action=action, why=why, confidence=confidence, instead=instead) if action != "hold":
            stands_in = f"; the baseline answers: {instead}" if instead else ""
            return f"signal {action}: {why}; confidence {confidence:.2f}{stands_in}"
        case Intent() as intent:
            legs = f"{intent.side_a} {intent.qty_a} {intent.pair.a}, {intent.side_b} {intent.qty_b} {intent.pair.b}"
            return f"intends to {intent.purpose}: {legs}; {intent.gross:,.0f} dollars"
        case Order() as order if orders:
            return f"order {order.side} {order.qty} {order.symbol}"
        case Fill() as fill:
            return f"filled {fill.side} {fill.qty} {fill.symbol} at {fill.price}"
        case Refusal(reason=reason, why=why, by=by) if orders or by != "execution":
            return f"refused, {reason}: {why}"
        case PairOrderEnded(outcome=Outcome.UNWOUND) if orders:
            return "unwound: one leg was not filled in time"
        case PairOrderEnded(outcome=Outcome.STUCK, purpose=purpose) if orders:
            return f"stuck: every attempt to {purpose} is spent and a leg is short; look at the account"
        case ModelInForce(sector=sector, name=name, why=why):
            return f"{sector}: {name or 'the baseline trades'}, {why}"
        case Switch(standing=standing, why=why, by=by):
            return f"{standing}: {why} ({by})"
    return ""
