"""The paper broker: what is asked of it happens, is committed, and only then told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from tandem.market import OrderEvent, OrderUpdate, Side
from tandem.matching import Changes, Minute, Replay, Request, Ticket, Timeline, forbidden, unprocessable
from tandem.recycler.account.journal import Journal
from tandem.recycler.trading.configuration import Configuration
from tandem.recycler.trading.equity import EquityCurve, Evening, Points
from tandem.recycler.trading.identity import account_id
from tandem.recycler.trading.listing import Listing

NOTHING: Final = Decimal(0)
MINUTES_KEPT: Final = timedelta(days=32)

Listener = Callable[[Sequence[OrderUpdate]], None]
Events = Callable[[Sequence[OrderUpdate]], Sequence[OrderUpdate]]


def as_they_are(updates: Sequence[OrderUpdate]) -> Sequence[OrderUpdate]:
    """Order events are told as they happened."""
    return updates


@dataclass(frozen=True, slots=True)
class Opened:
    """When the account was opened, in market time, and with how many dollars."""

    at: datetime
    equity: Decimal


class Broker:
    """One paper account on one replay, as its owner sees it.

    Args:
        replay: reel and account.
        journal: where everything is committed before it is told.
        events: what becomes of order events on their way to the listeners.
        listing: which symbols there are beside those on the reel.

    Attributes:
        listeners: told of every order event, after its commit and in its order.
        curve: the account's equity over time.
        evening: the account at the last session's close.
    """

    def __init__(
        self, replay: Replay, journal: Journal, events: Events = as_they_are, listing: Listing | None = None
    ) -> None:
        self.replay = replay
        self.journal = journal
        self.listing = listing or Listing()
        self.listeners: list[Listener] = []
        self._events = events
        self._mark: datetime = replay.time
        self.curve: EquityCurve
        self._configuration = journal.kept("configuration", Configuration) or Configuration()
        self._engine = self._elder = replay.engine
        self._begin(journal.kept("opened", Opened), journal.kept("evening", Evening), journal.kept("equity", Points))

    @property
    def timeline(self) -> Timeline:
        """When the market is open, in the replay's time."""
        return self.replay.timeline

    @property
    def opened(self) -> datetime:
        """When the account was opened, market time."""
        return self._opened.at

    @property
    def is_open(self) -> bool:
        """Whether the market is open where the clock stands."""
        return self.replay.session is not None

    @property
    def account_id(self) -> str:
        """The same for the same world."""
        return account_id(self.replay.engine.world)

    @property
    def configuration(self) -> Configuration:
        """What the owner has forbidden or allowed."""
        return self._configuration

    async def configure(self, configuration: Configuration) -> None:
        """Forbid or allow from now on."""
        self._configuration = configuration
        self._restrict()
        await self.keep("configuration", configuration)

    async def keep(self, name: str, value: object) -> None:
        """Commit a value beside the account."""
        self.journal.keep(name, value)
        await self.journal.committed()

    def close(self, symbol: str) -> Decimal | None:
        """Dollars per share at the last bar, None before the first."""
        return self.replay.engine.prices.close(symbol)

    def submit(self, request: Request) -> list[OrderUpdate]:
        """Take an order where the clock stands; nothing is told before `commit`.

        Raises:
            Rejected: in Alpaca's words.
        """
        self._allow(request)
        return self.replay.submit(request)

    def replace(self, ticket: Ticket, changes: Changes) -> list[OrderUpdate]:
        """Put a changed order in the place of an open one; nothing is told before `commit`.

        Raises:
            Rejected: in Alpaca's words.
        """
        self._trading()
        return self.replay.replace(ticket.client_order_id, changes)

    def cancel(self, ticket: Ticket) -> list[OrderUpdate]:
        """Take an open order back; nothing is told before `commit`.

        Raises:
            Rejected: nothing more can happen to it.
        """
        return self.replay.cancel(ticket.client_order_id)

    async def commit(self, updates: Sequence[OrderUpdate]) -> None:
        """Return when what has happened is durable and everybody listening has been told."""
        self._then(updates)
        await self.journal.committed()

    def after(self, minute: Minute) -> None:
        """The clock has moved: remember what the account is worth; tell what its orders did, once that is durable."""
        if self.replay.engine is not self._engine:
            self._elder, self._engine = self._engine, self.replay.engine
            self._begin()
        equity = self.replay.engine.account().equity
        self.curve.note(minute.mark, equity)
        if minute.mark < self._mark:
            self.evening = Evening(self._opened.equity)
        if minute.mark == self.replay.act.session.close:
            self._remember(equity, minute.mark)
        self._mark = minute.mark
        self._then(minute.updates)

    def open_tickets(self) -> list[Ticket]:
        """Orders to which something may still happen, oldest first."""
        return self.replay.engine.open_tickets()

    def ticket(self, client_order_id: str) -> Ticket | None:
        """One order by the id its sender gave it; of an account that started over, the one before it too."""
        return self.replay.engine.ticket(client_order_id) or self._elder.ticket(client_order_id)

    def _begin(
        self, opened: Opened | None = None, evening: Evening | None = None, points: Points | None = None
    ) -> None:
        self._opened = opened or self._open()
        self.evening = evening or Evening(self._opened.equity)
        self.curve = EquityCurve(points)
        if points is None:
            self.curve.note(self._opened.at, self._opened.equity)
        self._mark = self.replay.time
        self._restrict()

    def _restrict(self) -> None:
        self.replay.engine.ledger.multiplier = int(self._configuration.max_margin_multiplier)

    def _open(self) -> Opened:
        opened = Opened(self.replay.time, self.replay.engine.account().equity)
        self.journal.keep("opened", opened)
        return opened

    def _remember(self, equity: Decimal, close: datetime) -> None:
        shares = {symbol: held.qty for symbol, held in self.replay.engine.positions().items()}
        closes = ((symbol, self.close(symbol)) for symbol in self.replay.reel.symbols)
        self.evening = Evening(equity, {symbol: close for symbol, close in closes if close is not None}, shares)
        self.curve.note(close, equity, closing=True)
        self.curve.thin(close - MINUTES_KEPT)
        self.journal.keep("evening", self.evening)
        self.journal.keep("equity", self.curve.points())

    def _then(self, updates: Sequence[OrderUpdate]) -> None:
        told = [update for update in updates if update.event is not OrderEvent.HELD]
        self.journal.then(lambda: self._tell(told))

    def _tell(self, updates: Sequence[OrderUpdate]) -> None:
        told = self._events(updates) if updates else ()
        for listener in self.listeners if told else ():
            listener(told)

    def _allow(self, request: Request) -> None:
        self._trading()
        if request.symbol not in self.replay.reel.symbols:
            listed = request.symbol in self.listing.symbols
            raise unprocessable(f'asset "{request.symbol}" {"is not tradable" if listed else "not found"}')
        if not self.configuration.fractional_trading and _is_fractional(request):
            raise forbidden("account is not allowed to trade fractional shares")
        if self.configuration.no_shorting and request.side is Side.SELL and not self._holds(request.symbol):
            raise forbidden("account is not allowed to short")

    def _holds(self, symbol: str) -> bool:
        return self.replay.engine.ledger.held(symbol) > NOTHING

    def _trading(self) -> None:
        if self.configuration.suspend_trade:
            raise forbidden("new orders are rejected by user request")


def _is_fractional(request: Request) -> bool:
    return request.notional is not None or (request.qty is not None and request.qty % 1 != 0)
