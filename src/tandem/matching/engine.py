"""The matching engine: orders and bars in, events out."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID, uuid5

from tandem.config import CostSettings
from tandem.market import Account, Bar, OrderEvent, OrderUpdate, Position, Session, Side, World
from tandem.matching.admission import Bound, Standing, admit, in_window
from tandem.matching.changed import Changed, Charge, Execution, Hours
from tandem.matching.columns import MinuteBars
from tandem.matching.costs import borrowing, fees
from tandem.matching.fills import AlpacaFills, Deal, Fills, NextBarFills, Room, Touch, at_close, reached, touch
from tandem.matching.form import normal, well_formed
from tandem.matching.ledger import Ledger
from tandem.matching.legs import legs_of
from tandem.matching.open_orders import OpenOrders, dollars, own_shares
from tandem.matching.prices import Prices
from tandem.matching.rejection import malformed, unknown, unprocessable
from tandem.matching.replacement import replaceable, replaced
from tandem.matching.request import Changes, OrderClass, OrderType, Request, TimeInForce
from tandem.matching.ticket import NOTHING, Status, Ticket
from tandem.matching.trail import followed, placed

ORDERS: Final = UUID("5f1c8d3e-94c1-5b7a-8f0a-6f6f2f0b9d02")
EXECUTIONS: Final = UUID("8d0f3a52-6a0c-5b0e-9a68-3a9c1f6b7e21")
GOOD_TILL_CANCELED: Final = timedelta(days=90)
EVENING: Final = timedelta(hours=4)
ANY: Final = Decimal("Infinity")
_AT_ONCE: Final = (TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG)
_CANCELED_AT_CLOSE: Final = (TimeInForce.OPG, TimeInForce.CLS, TimeInForce.IOC, TimeInForce.FOK)
_LIMITED: Final = (OrderType.LIMIT, OrderType.STOP_LIMIT)


class Engine:
    """One account and its orders: a state machine without time or I/O of its own.

    An order accepted at T meets the bars of its symbol that start at or after T and have volume, never the
    bar on which it was decided. It reads the last closes from `prices` and never writes them: whoever hands
    it a minute's bars puts them into `prices` afterwards.

    Args:
        world: the timeline the account lives on; order and execution ids derive from it.
        cash: dollars at the start.
        costs: spread, impact, share of the volume, fees.
        prices: the last close of every symbol.
        fills: how bars fill orders: `next_bar`, with all costs, or as Alpaca's paper account, `alpaca`.
        seed: of the luck of `alpaca`.

    Attributes:
        prices: as given.
        ledger: cash and holdings.
        cap: how many of the shares that a bar would fill of an order do fill; None for all of them.
    """

    def __init__(
        self,
        world: World,
        cash: Decimal,
        costs: CostSettings,
        prices: Prices,
        *,
        fills: Literal["next_bar", "alpaca"] = "next_bar",
        seed: int = 7,
    ) -> None:
        self.world = world
        self.prices = prices
        self.ledger = Ledger(cash, prices)
        self.cap: Callable[[Ticket, Decimal], Decimal] | None = None
        self._costs = costs
        self._fills: Fills = NextBarFills(costs) if fills == "next_bar" else AlpacaFills(costs, seed)
        self._tickets: dict[str, Ticket] = {}
        self._ids: dict[UUID, str] = {}
        self._open = OpenOrders()
        self._executions: list[Execution] = []
        self._halted: set[str] = set()
        self._closing: dict[str, Bar] = {}
        self._day: date | None = None
        self._closed: datetime | None = None
        self._dirty: dict[str, None] = {}
        self._charges: list[Charge] = []
        self._events = 0
        self._told = self._told_charges = 0
        self._moved = False

    def submit(
        self, request: Request, at: datetime, session: Session | None, upcoming: Session | None = None
    ) -> list[OrderUpdate]:
        """Take an order at market time `at`.

        Args:
            request: what is asked for.
            at: when, UTC.
            session: the one that `at` lies in; None outside.
            upcoming: the next one, where it is known.

        Raises:
            Rejected: a BrokerError with Alpaca's text.
        """
        request = normal(request)
        if request.client_order_id in self._tickets:
            raise malformed("client_order_id must be unique")
        well_formed(request)
        in_window(request, at, session, upcoming, self._closed)
        bound = admit(request, self._standing(request))
        return self._take(request, bound, at, session, self._ending(request, at, session or upcoming))

    def replace(self, client_order_id: str, changes: Changes, at: datetime) -> list[OrderUpdate]:
        """Put a new order in the place of an open one; what has filled counts as filled of the new one.

        Raises:
            Rejected: a BrokerError with Alpaca's text.
        """
        old = self._known(client_order_id)
        replaceable(old, changes)
        name = changes.client_order_id or self._derived(f"{client_order_id}/replaced")
        if name in self._tickets:
            raise malformed("client_order_id must be unique")
        request = normal(replaced(old, changes, name, self._sibling(old)))
        new = self._successor(old, request, self._rebound(old, request), at)
        told = [self._note(replace(old, replaced_by=name), OrderEvent.REPLACED, at)]
        self._move_family(old, name)
        return [*told, self._note(new, OrderEvent.HELD if old.status is Status.HELD else OrderEvent.NEW, at)]

    def cancel(self, client_order_id: str, at: datetime) -> list[OrderUpdate]:
        """Take an open order off the book, and what hangs on it.

        Raises:
            Rejected: an unknown order, or one to which nothing more can happen.
        """
        ticket = self._known(client_order_id)
        if not ticket.is_open:
            raise unprocessable(f'order is already in "{ticket.status}" state')
        return self._end(ticket, OrderEvent.CANCELED, at)

    def on_open(self, session: Session) -> list[OrderUpdate]:
        """Bring the orders that waited for the session to the exchange."""
        told = self._lapse(session.open)
        for ticket in self._open.all():
            if ticket.status is Status.ACCEPTED and ticket.accepted <= session.open:
                told.append(self._note(self._timed(ticket, session), OrderEvent.NEW, session.open))
        return told

    def on_bars(self, bars: MinuteBars | Sequence[Bar], session: Session | None, mark: datetime) -> list[OrderUpdate]:
        """Fill what waits with the bars that end at `mark`; outside a session only orders for extended hours.

        Args:
            bars: of one minute, by symbol.
            session: the one that the bars belong to.
            mark: where the clock stands, UTC.
        """
        if not self._open:
            return []
        told = self._lapse(mark - timedelta.resolution)
        of = bars.of if isinstance(bars, MinuteBars) else {bar.symbol: bar for bar in bars}.get
        for symbol in self._open.symbols():
            if symbol not in self._halted and (bar := of(symbol)) is not None and bar.volume:
                told += self._meet_all(symbol, bar, session)
        return told

    def on_skip(self, at: datetime) -> list[OrderUpdate]:
        """Bars went by unseen until `at`: orders that were for one of them, or for its auction, are canceled."""
        self._moved, self._closing = self._moved or bool(self._closing), {}
        told: list[OrderUpdate] = []
        for ticket in self._open.all():
            waits = ticket.request.time_in_force in _AT_ONCE and ticket.status in (Status.NEW, Status.PARTIALLY_FILLED)
            if waits and self._tickets[ticket.client_order_id].is_open:
                told += self._end(ticket, OrderEvent.CANCELED, at)
        return told

    def on_close(self, session: Session) -> list[OrderUpdate]:
        """Fill the orders for the close and end those that last no longer than the session."""
        at = session.close
        told = self._auction(at)
        for ticket in self._open.all():
            event = _ending_at(ticket, at)
            if event is None or not self._tickets[ticket.client_order_id].is_open:
                continue
            told += [self._note(ticket, event, at)] if event is OrderEvent.EXPIRED else self._end(ticket, event, at)
        self._closed, self._moved = at, True
        return told

    def on_day(self, day: date) -> list[OrderUpdate]:
        """Charge the borrowing of shares held short, for every night since the last day."""
        nights = max((day - self._day).days, 0) if self._day is not None else 0
        for symbol in [symbol for symbol, held in sorted(self.ledger.holdings.items()) if held.qty < 0]:
            self._charge(day, symbol, borrowing(self.ledger.value(symbol), nights, self._costs))
        self._day, self._moved = day, True
        return []

    def _charge(self, day: date, symbol: str, dollars: Decimal) -> None:
        if dollars:
            self.ledger.charge(dollars)
            self._charges.append(Charge(number=len(self._charges) + 1, day=day, symbol=symbol, dollars=dollars))

    @property
    def halted(self) -> Collection[str]:
        """Symbols in which nobody may trade now."""
        return self._halted

    def halt(self, symbol: str) -> None:
        """Stop trading in a symbol: its orders wait."""
        self._halted.add(symbol)
        self._moved = True

    def resume(self, symbol: str) -> None:
        """Let a symbol trade again."""
        self._halted.discard(symbol)
        self._moved = True

    def account(self) -> Account:
        """The account at the last closes."""
        return self.ledger.account(self._open.dollars)

    def positions(self) -> dict[str, Position]:
        """What is held, by symbol."""
        return self.ledger.positions()

    def find(self, client_order_id: str) -> list[OrderUpdate] | None:
        """All that became of an order, None where it was never taken."""
        ticket = self._tickets.get(client_order_id)
        return None if ticket is None else list(ticket.updates)

    def ticket(self, client_order_id: str) -> Ticket | None:
        """One order with its events."""
        return self._tickets.get(client_order_id)

    def ticket_by_id(self, id: UUID) -> Ticket | None:
        """One order by the broker's own id."""
        name = self._ids.get(id)
        return None if name is None else self._tickets[name]

    def tickets(self) -> list[Ticket]:
        """Every order ever taken, oldest first."""
        return list(self._tickets.values())

    def open_tickets(self) -> list[Ticket]:
        """Every order to which something may still happen, oldest first."""
        return self._open.all()

    def executions(self) -> list[Execution]:
        """Every execution, oldest first."""
        return list(self._executions)

    def charges(self) -> list[Charge]:
        """Everything charged for borrowing, oldest first."""
        return list(self._charges)

    def order_id(self, client_order_id: str) -> UUID:
        """The broker's own id of an order."""
        return uuid5(ORDERS, f"{self.world}/{client_order_id}")

    def resting(self, symbol: str, side: Side) -> Decimal:
        """Shares that open orders on one side of a symbol bind."""
        return self._open.shares(symbol, side)

    def available(self, symbol: str) -> Decimal:
        """Shares of a position that no open order binds, positive for a short one too."""
        held = self.ledger.held(symbol)
        return max(abs(held) - self.resting(symbol, Side.SELL if held > 0 else Side.BUY), NOTHING)

    @property
    def has_changes(self) -> bool:
        """Whether there is anything that `changes` has not given yet."""
        return bool(self._dirty) or self._moved

    def changes(self) -> Changed:
        """What is new since the last call, once."""
        tickets = sorted((self._tickets[name] for name in self._dirty), key=lambda ticket: ticket.number)
        changed = Changed(
            tickets=tuple(tickets),
            executions=tuple(self._executions[self._told :]),
            charges=tuple(self._charges[self._told_charges :]),
            ledger=self.ledger.state(),
            hours=self._hours(),
        )
        self._settle()
        return changed

    def restore(self, known: Changed) -> None:
        """Stand where an engine stood that has given all of this: everything ever given, each ticket as given last.

        Raises:
            ValueError: this engine has orders of its own.
        """
        if self._tickets:
            raise ValueError("an engine with orders cannot be restored")
        for ticket in sorted(known.tickets, key=lambda one: one.number):
            self._keep(ticket)
        self._executions = sorted(known.executions, key=lambda one: one.number)
        self._charges = sorted(known.charges, key=lambda one: one.number)
        self._events = max((number for ticket in known.tickets for number in ticket.numbers), default=0)
        self.ledger.restore(known.ledger)
        self._restore_hours(known.hours)
        self._settle()

    def _settle(self) -> None:
        self._dirty, self._moved = {}, False
        self._told, self._told_charges = len(self._executions), len(self._charges)

    def _hours(self) -> Hours:
        closing = tuple(bar for _, bar in sorted(self._closing.items()))
        return Hours(day=self._day, closed=self._closed, halted=tuple(sorted(self._halted)), closing=closing)

    def _restore_hours(self, hours: Hours) -> None:
        self._day, self._closed = hours.day, hours.closed
        self._halted = set(hours.halted)
        self._closing = {bar.symbol: bar for bar in hours.closing}

    def _known(self, client_order_id: str) -> Ticket:
        ticket = self._tickets.get(client_order_id)
        if ticket is None:
            raise unknown(f"order not found for {client_order_id}")
        return ticket

    def _derived(self, name: str) -> str:
        return str(uuid5(ORDERS, f"{self.world}/{name}"))

    def _standing(self, request: Request, besides: Ticket | None = None) -> Standing:
        own, bound = (NOTHING, NOTHING) if besides is None else (own_shares(besides), dollars(besides))
        return Standing(
            held=self.ledger.held(request.symbol),
            resting=self.resting(request.symbol, request.side) - own,
            against=self._open.against(request.symbol, request.side),
            close=self.prices.close(request.symbol),
            account=self.ledger.account(self._open.dollars - bound),
        )

    def _take(
        self, request: Request, bound: Bound, at: datetime, session: Session | None, ends: datetime | None
    ) -> list[OrderUpdate]:
        legs = legs_of(request, self._derived(f"{request.client_order_id}/legs"))
        top = self._ticket(request, at, ends)
        names = tuple(leg.client_order_id for leg in legs)
        top = replace(top, bound=bound.dollars, bound_shares=bound.shares, legs=names)
        event = OrderEvent.NEW if session or request.extended_hours else OrderEvent.ACCEPTED
        told = [self._note(placed(top, self.prices.close(request.symbol)), event, at)]
        waits = OrderEvent.HELD if request.order_class is not OrderClass.OCO else event
        for leg in legs:
            ticket = replace(self._ticket(leg, at, ends), parent=request.client_order_id)
            told.append(self._note(ticket, waits, at))
        return told

    def _ticket(self, request: Request, at: datetime, ends: datetime | None) -> Ticket:
        return Ticket(
            request=request,
            id=self.order_id(request.client_order_id),
            number=len(self._tickets) + 1,
            accepted=at,
            since=at,
            qty=request.qty,
            expires_at=ends,
        )

    def _ending(self, request: Request, at: datetime, session: Session | None) -> datetime | None:
        if request.time_in_force is TimeInForce.GTC:
            return at + GOOD_TILL_CANCELED
        if not request.extended_hours:
            return None if session is None else session.close
        if self._closed is not None and self._closed <= at < self._closed + EVENING:
            return self._closed + EVENING
        return None if session is None else session.close + EVENING

    def _timed(self, ticket: Ticket, session: Session) -> Ticket:
        ends = ticket.expires_at or self._ending(ticket.request, ticket.accepted, session)
        ticket = replace(ticket, expires_at=ends)
        return placed(ticket, self.prices.close(ticket.symbol)) if ticket.hwm is None else ticket

    def _rebound(self, old: Ticket, request: Request) -> Bound:
        if old.is_exit:
            return Bound(NOTHING, NOTHING)
        rest = replace(request, qty=(request.qty or NOTHING) - old.filled)
        return admit(rest, self._standing(request, old))

    def _successor(self, old: Ticket, request: Request, bound: Bound, at: datetime) -> Ticket:
        moved = request.stop_price != old.request.stop_price
        ends = old.expires_at if request.time_in_force is old.request.time_in_force else None
        if request.time_in_force is TimeInForce.GTC:
            ends = at + GOOD_TILL_CANCELED
        new = replace(
            old,
            request=request,
            id=self.order_id(request.client_order_id),
            number=len(self._tickets) + 1,
            accepted=at,
            since=max(at, old.since),
            qty=old.qty if old.is_exit else request.qty,
            updates=(),
            numbers=(),
            replaces=old.client_order_id,
            rested=False,
            triggered=old.triggered and not moved,
            bound=bound.dollars,
            expires_at=ends,
        )
        return placed(new, new.hwm)

    def _move_family(self, old: Ticket, name: str) -> None:
        for leg in old.legs:
            self._keep(replace(self._tickets[leg], parent=name))
        if old.parent is not None:
            parent = self._tickets[old.parent]
            legs = tuple(name if leg == old.client_order_id else leg for leg in parent.legs)
            self._keep(replace(parent, legs=legs))

    def _sibling(self, ticket: Ticket) -> Ticket | None:
        family = self._tickets[ticket.parent] if ticket.parent is not None else ticket
        names = (
            family.legs if family.request.order_class is not OrderClass.OCO else (family.client_order_id, *family.legs)
        )
        if ticket.client_order_id not in names:
            return None
        return next((self._tickets[name] for name in names if name != ticket.client_order_id), None)

    def _lapse(self, until: datetime) -> list[OrderUpdate]:
        over = [t for t in self._open.evening.values() if t.expires_at is not None and t.expires_at <= until]
        over = [t for t in over if t.request.time_in_force is TimeInForce.DAY]
        return [self._note(ticket, OrderEvent.EXPIRED, ticket.expires_at or until) for ticket in over]

    def _meet_all(self, symbol: str, bar: Bar, session: Session | None) -> list[OrderUpdate]:
        due = [ticket for ticket in self._open.of(symbol) if self._is_due(ticket, bar, session)]
        if session is not None:
            self._watch_close(symbol, bar)
        room = self._fills.room(bar)
        told: list[OrderUpdate] = []
        for _, name in sorted((_rank(ticket, bar), ticket.client_order_id) for ticket in due):
            ticket = self._tickets[name]
            if ticket.is_open:
                told += self._meet(ticket, bar, room)
        return told

    def _is_due(self, ticket: Ticket, bar: Bar, session: Session | None) -> bool:
        return (
            ticket.since <= bar.start
            and ticket.status in (Status.NEW, Status.PARTIALLY_FILLED)
            and ticket.request.time_in_force is not TimeInForce.CLS
            and (session is not None or ticket.request.extended_hours)
        )

    def _meet(self, ticket: Ticket, bar: Bar, room: Room) -> list[OrderUpdate]:
        met = touch(ticket, bar)
        ticket = self._seen(ticket, bar)
        if ticket.request.time_in_force in _AT_ONCE and met is not None and not met.at_open:
            met = None
        told = self._decide(ticket, met, bar, room, bar.start)
        if ticket.request.time_in_force in _AT_ONCE and self._tickets[ticket.client_order_id].is_open:
            told += self._end(self._tickets[ticket.client_order_id], OrderEvent.CANCELED, bar.start)
        return told

    def _seen(self, ticket: Ticket, bar: Bar) -> Ticket:
        if reached(ticket, bar):
            after = replace(ticket, triggered=True)
        elif ticket.request.type in _LIMITED and (ticket.triggered or ticket.request.type is OrderType.LIMIT):
            after = ticket if ticket.rested else replace(ticket, rested=True)
        else:
            after = followed(ticket, bar)
        if after is not ticket:
            self._keep(after)
        return after

    def _decide(self, ticket: Ticket, met: Touch | None, bar: Bar, room: Room, at: datetime) -> list[OrderUpdate]:
        deal = None if met is None else self._fills.deal(ticket, met, bar, room, self._most(ticket))
        if deal is not None and self.cap is not None and (qty := self.cap(ticket, deal.qty)) < deal.qty:
            deal = replace(deal, qty=qty, complete=False) if qty else None
        return [] if deal is None else self._execute(ticket, deal, bar, at)

    def _most(self, ticket: Ticket) -> Decimal:
        held = self.ledger.held(ticket.symbol)
        if ticket.qty is not None or held * ticket.side.sign >= 0:
            return ANY
        return abs(held) - (self.resting(ticket.symbol, ticket.side) - own_shares(ticket))

    def _watch_close(self, symbol: str, bar: Bar) -> None:
        if any(ticket.request.time_in_force is TimeInForce.CLS for ticket in self._open.of(symbol)):
            self._closing[symbol] = bar
            self._moved = True

    def _auction(self, at: datetime) -> list[OrderUpdate]:
        told: list[OrderUpdate] = []
        for symbol, bar in sorted(self._closing.items()):
            room = self._fills.room(bar)
            for ticket in self._open.of(symbol) if symbol not in self._halted else []:
                if ticket.request.time_in_force is TimeInForce.CLS and ticket.since <= bar.start:
                    told += self._decide(ticket, at_close(ticket, bar), bar, room, at)
        self._closing = {}
        return told

    def _execute(self, ticket: Ticket, deal: Deal, bar: Bar, at: datetime) -> list[OrderUpdate]:
        charged = fees(ticket.side, deal.qty, deal.price, self._costs)
        self.ledger.trade(ticket.symbol, ticket.side.sign * deal.qty, deal.price, charged)
        event = OrderEvent.FILL if deal.complete else OrderEvent.PARTIAL_FILL
        update = self._note(ticket, event, at, deal)
        self._record(self._tickets[ticket.client_order_id], update, deal, charged)
        return [update, *self._after_fill(self._tickets[ticket.client_order_id], deal, bar, at)]

    def _record(self, ticket: Ticket, update: OrderUpdate, deal: Deal, charged: Decimal) -> None:
        done = deal.complete
        self._executions.append(
            Execution(
                id=update.execution_id or "",
                number=len(self._executions) + 1,
                order_id=ticket.id,
                client_order_id=ticket.client_order_id,
                symbol=ticket.symbol,
                side=ticket.side,
                qty=deal.qty,
                price=deal.price,
                fees=charged,
                at=update.at,
                filled=ticket.filled,
                left=NOTHING if done else None if ticket.qty is None else ticket.left,
                position=self.ledger.held(ticket.symbol),
            )
        )

    def _after_fill(self, ticket: Ticket, deal: Deal, bar: Bar, at: datetime) -> list[OrderUpdate]:
        sibling = self._sibling(ticket)
        if sibling is not None and sibling.is_open:
            if deal.complete:
                return [self._note(sibling, OrderEvent.CANCELED, at)]
            self._keep(replace(sibling, qty=(sibling.qty or NOTHING) - deal.qty))
        held = [leg for leg in self._legs(ticket) if leg.status is Status.HELD] if deal.complete else []
        awake = [replace(leg, qty=ticket.filled, since=max(bar.end, leg.since)) for leg in held]
        return [self._note(leg, OrderEvent.NEW, at) for leg in awake]

    def _end(self, ticket: Ticket, event: OrderEvent, at: datetime) -> list[OrderUpdate]:
        sibling = self._sibling(ticket)
        kin = {one.client_order_id: one for one in (*self._legs(ticket), *([sibling] if sibling else []))}
        told = [self._note(ticket, event, at)]
        return told + [self._note(one, OrderEvent.CANCELED, at) for one in kin.values() if one.is_open]

    def _legs(self, ticket: Ticket) -> list[Ticket]:
        return [self._tickets[name] for name in ticket.legs]

    def _note(self, ticket: Ticket, event: OrderEvent, at: datetime, deal: Deal | None = None) -> OrderUpdate:
        update = OrderUpdate(
            client_order_id=ticket.client_order_id,
            symbol=ticket.symbol,
            side=ticket.side,
            event=event,
            at=at,
            execution_id=self._execution_id(ticket) if event.is_execution else None,
            qty=None if deal is None else deal.qty,
            price=None if deal is None else deal.price,
        )
        self._events += 1
        self._keep(ticket.then(update, self._events, None if deal is None else self.ledger.held(ticket.symbol)))
        return update

    def _execution_id(self, ticket: Ticket) -> str:
        count = sum(update.event.is_execution for update in ticket.updates)
        return str(uuid5(EXECUTIONS, f"{self.world}/{ticket.client_order_id}/{count + 1}"))

    def _keep(self, ticket: Ticket) -> None:
        name = ticket.client_order_id
        self._open.keep(ticket, self._tickets.get(name))
        self._tickets[name] = ticket
        self._ids[ticket.id] = name
        self._dirty[name] = None


def _ending_at(ticket: Ticket, close: datetime) -> OrderEvent | None:
    if ticket.accepted >= close:
        return None
    force = ticket.request.time_in_force
    if force in _CANCELED_AT_CLOSE:
        return OrderEvent.CANCELED
    if force is TimeInForce.GTC:
        aged = ticket.expires_at is not None and ticket.expires_at <= close
        return OrderEvent.CANCELED if aged else None
    return None if ticket.request.extended_hours else OrderEvent.EXPIRED


def _rank(ticket: Ticket, bar: Bar) -> tuple[bool, bool, int]:
    met = touch(ticket, bar)
    inside = met is None or not met.at_open
    return inside, inside and ticket.request.type is OrderType.LIMIT, ticket.number
