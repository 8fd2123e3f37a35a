"""The life of each two-leg order: what was sent for each leg, when it filled, and at what cost."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Final

from tandem.execution import PairOrderEnded
from tandem.market import Fill, Leg, Order, Pair, Side
from tandem.risk import Intent
from tandem.store import Record

MOST: Final = 1000
ZERO: Final = Decimal(0)


@dataclass(slots=True)
class Sent:
    """One order for one leg.

    Attributes:
        meant: `enter`, `exit` or `unwind`.
        attempt: 1 for the first that was sent for the leg and what was meant.
    """

    client_order_id: str
    leg: Leg
    symbol: str
    side: Side
    qty: Decimal
    meant: str
    attempt: int
    at: datetime
    fills: list[Fill] = field(default_factory=list)

    @property
    def filled(self) -> Decimal:
        """Shares that changed hands."""
        return sum((fill.qty for fill in self.fills), ZERO)


@dataclass(slots=True)
class OrderLife:
    """An order of two legs, from the decision to its end.

    Attributes:
        name: what its client order ids are derived from.
        ended: how it came out; None while it works.
        ended_at: UTC.
    """

    name: str
    pair: Pair
    session: date
    at: datetime
    intent: Intent | None = None
    sent: list[Sent] = field(default_factory=list)
    ended: PairOrderEnded | None = None
    ended_at: datetime | None = None

    @property
    def purpose(self) -> str:
        """`enter` or `exit`."""
        if self.intent is not None:
            return self.intent.purpose
        return self.ended.purpose if self.ended else (self.sent[0].meant if self.sent else "")

    @property
    def outcome(self) -> str:
        """`working`, or how it ended."""
        return str(self.ended.outcome) if self.ended else "working"

    @property
    def fills(self) -> list[Fill]:
        """Executions of both legs in order of time."""
        return sorted((fill for sent in self.sent for fill in sent.fills), key=lambda fill: fill.at)

    @property
    def cost(self) -> Decimal:
        """Dollars lost to spread, impact and fees, both legs."""
        return sum((fill.cost for fill in self.fills), ZERO)

    @property
    def cost_bps(self) -> float | None:
        """The same in basis points of what was traded; None where nothing filled."""
        traded = sum((fill.qty * fill.reference for fill in self.fills), ZERO)
        return float(self.cost / traded * 10_000) if traded else None

    @property
    def gap_seconds(self) -> float | None:
        """Market time between the last fills of the two legs; None until both have one."""
        last = [max((fill.at for fill in self.fills if fill.symbol == symbol), default=None)
                for symbol in self.pair.symbols]  # fmt: skip
        return None if last[0] is None or last[1] is None else abs((last[0] - last[1]).total_seconds())

    @property
    def fill_seconds(self) -> float | None:
        """Market time from the decision to the last fill."""
        return (self.fills[-1].at - self.at).total_seconds() if self.fills else None

    def leg(self, leg: Leg) -> tuple[Side | None, Decimal, Decimal, Decimal | None]:
        """Of one leg: the side meant, shares wanted, shares filled net of unwinding, average price."""
        own = [sent for sent in self.sent if sent.leg is leg and sent.meant != "unwind"]
        wanted, side = self._wanted(leg, own)
        fills = [fill for sent in own for fill in sent.fills]
        filled = sum((fill.qty for fill in fills), ZERO)
        back = sum((sent.filled for sent in self.sent if sent.leg is leg and sent.meant == "unwind"), ZERO)
        average = sum((fill.qty * fill.price for fill in fills), ZERO) / filled if filled else None
        return side, wanted, filled - back, average

    def _wanted(self, leg: Leg, own: list[Sent]) -> tuple[Decimal, Side | None]:
        if self.intent is not None:
            is_a = leg is Leg.A
            intent = self.intent
            return (intent.qty_a, intent.side_a) if is_a else (intent.qty_b, intent.side_b)
        return (own[0].qty, own[0].side) if own else (ZERO, None)


class Orders:
    """The newest two-leg orders.

    Attributes:
        count: of all that were read.
    """

    def __init__(self) -> None:
        self._lives: OrderedDict[str, OrderLife] = OrderedDict()
        self._sent: dict[str, Sent] = {}
        self._meant: dict[tuple[Pair, datetime], Intent] = {}
        self.count = 0

    def mean(self, record: Record[Intent]) -> None:
        """Take what was meant; its orders follow."""
        self._meant[record.body.pair, record.at] = record.body
        if len(self._meant) > MOST:
            del self._meant[next(iter(self._meant))]

    def send(self, record: Record[Order]) -> None:
        """Take an order that is about to be sent."""
        order, pair = record.body, Pair.parse(record.pair or "")
        parts = order.client_order_id.rsplit(".", 3)
        name = parts[0] if len(parts) == 4 else order.client_order_id
        meant, attempt = (parts[2], int(parts[3])) if len(parts) == 4 and parts[3].isdecimal() else ("", 1)
        leg = Leg.A if order.symbol == pair.a else Leg.B
        sent = Sent(order.client_order_id, leg, order.symbol, order.side, order.qty, meant, attempt, record.at)
        self._sent[order.client_order_id] = sent
        self._life(name, pair, record.session, record.at).sent.append(sent)

    def fill(self, record: Record[Fill]) -> None:
        """Take an execution; a repeated one counts once."""
        sent = self._sent.get(record.body.client_order_id)
        if sent is not None and all(fill.execution_id != record.body.execution_id for fill in sent.fills):
            sent.fills.append(record.body)

    def end(self, record: Record[PairOrderEnded]) -> None:
        """Take how one came out."""
        life = self._life(record.body.name, Pair.parse(record.pair or ""), record.session, record.at)
        life.ended, life.ended_at = record.body, record.at

    def newest(self, count: int) -> list[OrderLife]:
        """Newest first."""
        return list(islice(reversed(self._lives.values()), count))

    def of(self, name: str) -> OrderLife | None:
        """The one of that name."""
        return self._lives.get(name)

    @property
    def working(self) -> list[OrderLife]:
        """Those that have not ended."""
        return [life for life in self._lives.values() if life.ended is None]

    def _life(self, name: str, pair: Pair, session: date, at: datetime) -> OrderLife:
        if name not in self._lives:
            self.count += 1
            self._lives[name] = OrderLife(name, pair, session, at, self._meant.pop((pair, at), None))
            if len(self._lives) > MOST:
                _, gone = self._lives.popitem(last=False)
                for sent in gone.sent:
                    del self._sent[sent.client_order_id]
        return self._lives[name]
