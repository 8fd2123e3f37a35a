"""The paper account in Alpaca's JSON."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid5

from tandem.market import NEW_YORK, OrderEvent, OrderUpdate, Position, Side
from tandem.matching import Minute, Replay, Ticket, status_of

ASSETS: Final = UUID("f1b7c3a4-5c1d-5c53-8d0e-1f5f0b8a6c11")
CENT: Final = Decimal("0.01")
RATIO: Final = Decimal("0.000001")
INITIAL: Final = Decimal("0.5")
MAINTENANCE: Final = Decimal("0.3")
ONE: Final = Decimal(1)


@dataclass(slots=True)
class Paper:
    """What Alpaca says of an account, its orders and its positions.

    Attributes:
        replay: reel and account.
        last_equity: dollars at the last session's close.
        last_closes: symbol to its price then.
        last_shares: symbol to the shares held then.
    """

    replay: Replay
    last_equity: Decimal = field(init=False)
    last_closes: dict[str, Decimal] = field(default_factory=dict)
    last_shares: dict[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.last_equity = self.replay.engine.account().equity

    def after(self, minute: Minute) -> None:
        """Remember the account at a session's close."""
        if minute.mark == self.replay.act.session.close:
            self.last_equity = self.replay.engine.account().equity
            self.last_closes = dict(self.replay.engine.ledger.closes)
            self.last_shares = {symbol: held.qty for symbol, held in self.replay.engine.positions().items()}

    @property
    def is_open(self) -> bool:
        """Whether the market is open where the clock stands."""
        return self.replay.session is not None

    def account(self) -> dict[str, Any]:
        """`GET /v2/account`."""
        engine = self.replay.engine
        account = engine.account()
        long, short = self._sides()
        exposure = long - short
        return {
            "id": str(uuid5(ASSETS, f"account/{engine.world}")),
            "account_number": f"TANDEM-{engine.world}",
            "status": "ACTIVE",
            "crypto_status": "INACTIVE",
            "currency": "USD",
            "cash": text(account.cash),
            "equity": text(account.equity),
            "last_equity": text(self.last_equity),
            "portfolio_value": text(account.equity),
            "buying_power": text(account.buying_power),
            "regt_buying_power": text(account.buying_power),
            "effective_buying_power": text(account.buying_power),
            "non_marginable_buying_power": text(max(account.cash + short, Decimal(0))),
            "options_buying_power": "0",
            "multiplier": "2",
            "initial_margin": text(exposure * INITIAL),
            "maintenance_margin": text(exposure * MAINTENANCE),
            "last_maintenance_margin": "0",
            "long_market_value": text(long),
            "short_market_value": text(short),
            "position_market_value": text(exposure),
            "sma": "0",
            "accrued_fees": "0",
            "shorting_enabled": account.shorting_enabled,
            "trading_blocked": False,
            "transfers_blocked": False,
            "account_blocked": False,
            "trade_suspended_by_user": False,
            "created_at": self.replay.began,
            "balance_asof": self.replay.time.astimezone(NEW_YORK).date().isoformat(),
        }

    def _sides(self) -> tuple[Decimal, Decimal]:
        ledger = self.replay.engine.ledger
        values = [ledger.value(symbol) for symbol in ledger.holdings]
        long = sum((value for value in values if value > 0), Decimal(0))
        return long, sum(values, Decimal(0)) - long

    def positions(self) -> list[dict[str, Any]]:
        """`GET /v2/positions`."""
        return [self._position(position) for position in self.replay.engine.positions().values()]

    def position(self, name: str) -> dict[str, Any] | None:
        """`GET /v2/positions/{symbol or asset id}`; None where flat."""
        return next((p for p in self.positions() if name in (p["symbol"], p["asset_id"])), None)

    def _position(self, position: Position) -> dict[str, Any]:
        symbol, qty = position.symbol, position.qty
        ledger = self.replay.engine.ledger
        basis, value, close = ledger.holdings[symbol].basis, ledger.value(symbol), ledger.closes[symbol]
        before = self.last_closes.get(symbol, close)
        today = self._today(position, close, before)
        return {
            "asset_id": asset_id(symbol),
            "symbol": symbol,
            "exchange": "NASDAQ",
            "asset_class": "us_equity",
            "asset_marginable": True,
            "qty": text(qty),
            "qty_available": text(abs(qty) - self.replay.engine.resting(symbol, Side.SELL if qty > 0 else Side.BUY)),
            "side": "long" if qty > 0 else "short",
            "avg_entry_price": text(position.average_price),
            "market_value": text(value),
            "cost_basis": text(basis),
            "unrealized_pl": text(value - basis),
            "unrealized_plpc": text(((value - basis) / abs(basis)).quantize(RATIO)),
            "unrealized_intraday_pl": text(today),
            "unrealized_intraday_plpc": text((today / abs(basis)).quantize(RATIO)),
            "current_price": text(close),
            "lastday_price": text(before),
            "change_today": text((close / before - 1).quantize(RATIO)),
        }

    def _today(self, position: Position, close: Decimal, before: Decimal) -> Decimal:
        held = self.last_shares.get(position.symbol, Decimal(0))
        carried = min(abs(held), abs(position.qty)).copy_sign(position.qty) if held * position.qty > 0 else Decimal(0)
        return carried * (close - before) + (position.qty - carried) * (close - position.average_price)

    def order(self, ticket: Ticket, status: str | None = None) -> dict[str, Any]:
        """An order as Alpaca shows it now."""
        order, price = ticket.order, ticket.average_price
        timeline = self.replay.timeline
        expires = (timeline.session_at(ticket.accepted) or timeline.session_after(ticket.accepted)).close
        return {
            "id": self.order_id(ticket),
            "client_order_id": order.client_order_id,
            "created_at": ticket.accepted,
            "updated_at": ticket.last.at,
            "submitted_at": ticket.accepted,
            "filled_at": _when(ticket, OrderEvent.FILL),
            "expired_at": _when(ticket, OrderEvent.EXPIRED),
            "expires_at": expires,
            "canceled_at": _when(ticket, OrderEvent.CANCELED),
            "failed_at": None,
            "replaced_at": None,
            "replaced_by": None,
            "replaces": None,
            "asset_id": asset_id(order.symbol),
            "symbol": order.symbol,
            "asset_class": "us_equity",
            "notional": None,
            "qty": text(order.qty or Decimal(0)),
            "filled_qty": text(ticket.filled),
            "filled_avg_price": None if price is None else text(price),
            "order_class": "",
            "order_type": "market",
            "type": "market",
            "side": order.side,
            "position_intent": None,
            "time_in_force": "day",
            "limit_price": None,
            "stop_price": None,
            "status": status or self.status(ticket),
            "extended_hours": False,
            "legs": None,
            "trail_percent": None,
            "trail_price": None,
            "hwm": None,
            "subtag": None,
            "source": None,
        }

    def order_id(self, ticket: Ticket) -> str:
        """Alpaca's id of an order."""
        return str(self.replay.engine.order_id(ticket.order.client_order_id))

    def status(self, ticket: Ticket) -> str:
        """Where the order stands: an order waits as `accepted` while the market is closed."""
        status = status_of(ticket)
        return "accepted" if status == "new" and not self.is_open else status

    def trade_update(self, update: OrderUpdate) -> dict[str, Any]:
        """The stream's message of one order event."""
        ticket = self.replay.engine.ticket(update.client_order_id)
        if ticket is None:
            raise LookupError(update.client_order_id)
        message: dict[str, Any] = {
            "event": update.event,
            "execution_id": update.execution_id or str(uuid5(ASSETS, f"{self.order_id(ticket)}/{update.event}")),
            "order": self.order(ticket),
            "timestamp": update.at,
        }
        if update.qty is not None and update.price is not None and ticket.position is not None:
            execution = {"price": update.price, "qty": update.qty, "position_qty": ticket.position}
            message.update({name: text(value) for name, value in execution.items()})
        return message

    def activities(self) -> list[dict[str, Any]]:
        """Every execution, oldest first, as `GET /v2/account/activities/FILL` lists it."""
        fills = [(ticket, update) for ticket in self.replay.engine.tickets() for update in ticket.updates if update.qty]
        fills.sort(key=lambda fill: fill[1].at)
        return [self._activity(ticket, update) for ticket, update in fills]

    def _activity(self, ticket: Ticket, update: OrderUpdate) -> dict[str, Any]:
        done = sum((u.qty or Decimal(0) for u in ticket.updates if u.at <= update.at), Decimal(0))
        return {
            "id": f"{update.at:%Y%m%d%H%M%S}000::{update.execution_id}",
            "activity_type": "FILL",
            "transaction_time": update.at,
            "type": update.event,
            "price": text(update.price or Decimal(0)),
            "qty": text(update.qty or Decimal(0)),
            "side": update.side,
            "symbol": update.symbol,
            "leaves_qty": text((ticket.qty or done) - done),
            "order_id": self.order_id(ticket),
            "cum_qty": text(done),
            "order_status": status_of(ticket),
        }


def asset(symbol: str) -> dict[str, Any]:
    """`GET /v2/assets/{symbol}`: everything on the reel may be traded, split and borrowed."""
    return {
        "id": asset_id(symbol),
        "class": "us_equity",
        "exchange": "NASDAQ",
        "symbol": symbol,
        "name": symbol,
        "status": "active",
        "tradable": True,
        "marginable": True,
        "maintenance_margin_requirement": 30,
        "margin_requirement_long": "30",
        "margin_requirement_short": "30",
        "shortable": True,
        "easy_to_borrow": True,
        "fractionable": True,
        "attributes": [],
    }


def asset_id(symbol: str) -> str:
    """The same id for a symbol in every recycler."""
    return str(uuid5(ASSETS, symbol))


def text(value: Decimal) -> str:
    """A number as Alpaca prints it: plain decimal text without needless zeros."""
    plain = f"{value + 0:f}"
    return (plain.rstrip("0").rstrip(".") if "." in plain else plain) or "0"


def _when(ticket: Ticket, event: OrderEvent) -> datetime | None:
    return next((update.at for update in ticket.updates if update.event is event), None)
