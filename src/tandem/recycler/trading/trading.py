"""The trading side of the local Alpaca: REST, trade updates, server-sent events over one paper account."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from tandem.matching import Minute, Replay
from tandem.recycler.account.journal import Journal, MemoryJournal
from tandem.recycler.keys import Keys
from tandem.recycler.rest.answer import reply
from tandem.recycler.rest.gate import Answer, Gate, Through, straight
from tandem.recycler.rest.rate import Rate
from tandem.recycler.stream.outbox import Delay, Lateness
from tandem.recycler.trading.account import AccountPage
from tandem.recycler.trading.activities import Activities
from tandem.recycler.trading.assets import Assets
from tandem.recycler.trading.broker import Broker, Events, as_they_are
from tandem.recycler.trading.event_log import EventLog
from tandem.recycler.trading.events import Events as EventsPage
from tandem.recycler.trading.hours import Hours
from tandem.recycler.trading.listing import Listing
from tandem.recycler.trading.order import Shown
from tandem.recycler.trading.orders import Orders
from tandem.recycler.trading.portfolio import Portfolio
from tandem.recycler.trading.positions import Positions
from tandem.recycler.trading.trade_stream import TradeStreams
from tandem.recycler.trading.watchlists import Watchlists

__all__ = ["Trading", "reply"]


class Trading:
    """One paper account, and everything that speaks of it.

    Args:
        replay: reel and account.
        keys: who is let in.
        journal: where the account is kept; in memory where there is none.
        delay: how late the trading socket's messages are on purpose.
        rate_limit: REST requests a minute; None for any number.
        through: what stands between a REST request and its endpoint.
        events: what becomes of order events on their way out.
        listing: which symbols there are beside those on the reel.

    Attributes:
        broker: the account itself.
        streams: the trading sockets.
    """

    def __init__(
        self,
        replay: Replay,
        keys: Keys,
        *,
        journal: Journal | None = None,
        delay: Lateness | None = None,
        rate_limit: int | None = None,
        through: Through = straight,
        events: Events = as_they_are,
        listing: Listing | None = None,
    ) -> None:
        self.broker = Broker(replay, journal or MemoryJournal(), events, listing)
        shown = Shown(self.broker)
        self._gate = Gate(keys, Rate(rate_limit), through=through, settled=self.broker.journal.committed)
        self._pages = _pages(self.broker, shown)
        self._events = EventsPage(self.broker, EventLog(self.broker, shown))
        self.streams = TradeStreams(keys, delay or Delay(), shown)
        self.broker.listeners.append(self.streams.tell)

    @property
    def connections(self) -> int:
        """Clients on the trading socket."""
        return len(self.streams)

    def routes(self) -> list[BaseRoute]:
        """Every endpoint, each behind the gate, and the trading socket."""
        table = [*self._pages, *self._events.endpoints(), ("GET", "/v2/corporate_actions/announcements", _none)]
        return [
            *(Route(path, self._gate.opened(answer), methods=[method]) for method, path, answer in table),
            WebSocketRoute("/stream", self.streams.serve),
            WebSocketRoute("/stream/", self.streams.serve),
        ]

    def after(self, minute: Minute) -> None:
        """The clock has moved: remember what the account is worth, and tell what its orders did."""
        self.broker.after(minute)


def _pages(broker: Broker, shown: Shown) -> list[tuple[str, str, Answer]]:
    assets = Assets(broker)
    orders = Orders(broker, assets, shown)
    pages = (
        AccountPage(broker),
        Portfolio(broker),
        Activities(broker, assets),
        orders,
        Positions(broker, assets, orders, shown),
        assets,
        Hours(broker),
        Watchlists(broker, assets),
    )
    return [endpoint for page in pages for endpoint in page.endpoints()]


async def _none(_: Request) -> Response:
    return reply([])
