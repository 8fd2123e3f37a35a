"""An exchange of one or two symbols, played by hand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tandem.config import CostSettings
from tandem.market import Bar, OrderUpdate, Session, Side, World, WorldKind
from tandem.matching import Changes, Engine, OrderClass, OrderType, Prices, Request, StopLoss, Ticket, TimeInForce

OPEN = datetime(2023, 1, 3, 14, 30, tzinfo=UTC)
MINUTES = 390
NAMES = {"type": OrderType, "tif": TimeInForce, "order_class": OrderClass}
MONEY = ("qty", "notional", "limit_price", "stop_price", "trail_price", "trail_percent", "take_profit", "trail")


class Exchange:
    """An engine with its clock: `bar` plays the next minute, `close` ends the day, `open` begins the next."""

    def __init__(self, cash: str = "100000", close: float | None = 100.0, **settings: Any) -> None:
        costs = {"spread_bps": 0, "impact": 0, "max_volume_share": 1}
        fills = {name: settings.pop(name) for name in ("fills", "seed") if name in settings}
        self.prices = Prices(["AAPL", "MSFT"])
        if close is not None:
            self.prices.restore({"AAPL": Decimal(str(close)), "MSFT": Decimal(str(close))})
        self.engine = Engine(
            World(WorldKind.BACKTEST, 1), Decimal(cash), CostSettings(**{**costs, **settings}), self.prices, **fills
        )
        self.now = OPEN
        self.session: Session | None = Session(OPEN.date(), OPEN, OPEN + timedelta(minutes=MINUTES))

    @property
    def day(self) -> Session:
        start = OPEN + timedelta(days=(self.now - OPEN + timedelta(hours=12)).days)
        return Session(start.date(), start, start + timedelta(minutes=MINUTES))

    def at(self, minute: int) -> None:
        self.now = self.day.open + timedelta(minutes=minute)
        self.session = self.day if self.day.contains(self.now) else None

    def submit(self, id: str, side: str = "buy", qty: str | None = "10", **terms: Any) -> list[str]:
        loss, limit = terms.pop("stop_loss", None), terms.pop("stop_loss_limit", None)
        told = {name: Decimal(value) if name in MONEY else value for name, value in terms.items()}
        told |= {name: kind(told[name]) for name, kind in NAMES.items() if name in told}
        if "tif" in told:
            told["time_in_force"] = told.pop("tif")
        if loss is not None:
            told["stop_loss"] = StopLoss(Decimal(loss), None if limit is None else Decimal(limit))
        symbol = told.pop("symbol", "AAPL")
        shares = None if qty is None else Decimal(qty)
        request = Request(client_order_id=id, symbol=symbol, side=Side(side), qty=shares, **told)
        return self.said(self.engine.submit(request, self.now, self.session))

    def replace(self, id: str, **changes: Any) -> list[str]:
        told = {name: Decimal(value) if name in MONEY else value for name, value in changes.items()}
        return self.said(self.engine.replace(id, Changes(**told), self.now))

    def cancel(self, id: str) -> list[str]:
        return self.said(self.engine.cancel(id, self.now))

    def bar(self, *prices: float, volume: int = 100_000, symbol: str = "AAPL") -> list[str]:
        opened, high, low, last = prices if len(prices) == 4 else (prices[0],) * 4
        bar = Bar(symbol, self.now, opened, high, low, last, volume)
        self.now = bar.end
        updates = self.engine.on_bars([bar], self.session, self.now)
        self.prices.restore({symbol: Decimal(str(last))})
        self.session = self.day if self.day.contains(self.now) else None
        return self.said(updates)

    def close(self) -> list[str]:
        self.now = self.day.close
        updates = self.engine.on_close(self.day)
        self.session = None
        return self.said(updates)

    def open(self, days: int = 1) -> list[str]:
        if self.now > self.day.open:
            self.now = self.day.open + timedelta(days=days)
        self.now = self.day.open
        self.session = self.day
        return self.said(self.engine.on_open(self.day))

    def ticket(self, id: str) -> Ticket:
        found = self.engine.ticket(id)
        assert found is not None
        return found

    def leg(self, parent: str, at: int) -> str:
        return self.ticket(parent).legs[at]

    def said(self, updates: list[OrderUpdate]) -> list[str]:
        return [self.words(update) for update in updates]

    def words(self, update: OrderUpdate) -> str:
        name = update.client_order_id.rpartition(".")[2]
        if update.qty is None or update.price is None:
            return f"{name} {update.event}"
        return f"{name} {update.event} {update.qty.normalize():f} at {update.price.normalize():f}"


@pytest.fixture
def exchange() -> Callable[..., Exchange]:
    """Makes exchanges: free of costs and of a cap on volume unless told otherwise, $100,000, every last close $100."""
    return Exchange
