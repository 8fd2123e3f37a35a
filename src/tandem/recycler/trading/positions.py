"""`/v2/positions`."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from tandem.market import OrderUpdate, Position, Side
from tandem.matching import Rejected, malformed, unknown
from tandem.matching import Request as OrderRequest
from tandem.recycler.rest.answer import error_body, reply, text
from tandem.recycler.rest.asked import Asked
from tandem.recycler.rest.gate import Answer
from tandem.recycler.trading.assets import Assets
from tandem.recycler.trading.broker import Broker
from tandem.recycler.trading.identity import asset_id
from tandem.recycler.trading.order import Shown
from tandem.recycler.trading.orders import Orders

RATIO: Final = Decimal("0.000001")
SHARE_STEP: Final = Decimal("0.000000001")
NOTHING: Final = Decimal(0)
WHOLE: Final = Decimal(100)


class Positions:
    """What the account holds, and closing it."""

    def __init__(self, broker: Broker, assets: Assets, orders: Orders, shown: Shown) -> None:
        self._broker = broker
        self._assets = assets
        self._orders = orders
        self._shown = shown

    def endpoints(self) -> list[tuple[str, str, Answer]]:
        """Method, path, answer."""
        return [
            ("GET", "/v2/positions", self.positions),
            ("DELETE", "/v2/positions", self.close_all),
            ("GET", "/v2/positions/{name}", self.position),
            ("DELETE", "/v2/positions/{name}", self.close),
        ]

    async def positions(self, _: Request) -> Response:
        """Everything held."""
        held = self._held()
        return reply([self._told(one) for one in held.values()], headers=self._assets.proxies(held))

    async def position(self, request: Request) -> Response:
        """What is held of one symbol."""
        held = self._named(request.path_params["name"])
        return reply(self._told(held), headers=self._assets.proxies([held.symbol]))

    async def close(self, request: Request) -> Response:
        """Sell what is held of one symbol, or buy it back: all of it, a number of shares or a percentage."""
        held, asked = self._named(request.path_params["name"]), Asked.query(request)
        order, updates = self._closing(held, _share(held, asked))
        answer = reply(order, headers=self._assets.proxies([held.symbol]))
        await self._broker.commit(updates)
        return answer

    async def close_all(self, request: Request) -> Response:
        """Close every position, after cancelling every order where that is asked for."""
        updates: list[OrderUpdate] = []
        if Asked.query(request).flag("cancel_orders"):
            updates += self._orders.cancelled()[1]
        told = [self._closed(held, updates) for held in self._held().values()]
        await self._broker.commit(updates)
        return reply(told, 207)

    def _held(self) -> dict[str, Position]:
        return self._broker.replay.engine.positions()

    def _named(self, name: str) -> Position:
        asset = self._assets.find(name)
        held = self._held().get(asset["symbol"]) if asset else None
        if held is None:
            raise unknown("position does not exist")
        return held

    def _closed(self, held: Position, updates: list[OrderUpdate]) -> dict[str, Any]:
        try:
            order, happened = self._closing(held, abs(held.qty))
        except Rejected as rejected:
            return {"symbol": held.symbol, "status": rejected.status, "body": error_body(rejected)}
        updates += happened
        return {"symbol": held.symbol, "status": 200, "body": order}

    def _closing(self, held: Position, qty: Decimal) -> tuple[dict[str, Any], Sequence[OrderUpdate]]:
        name, side = self._orders.new_name(), Side.SELL if held.qty > 0 else Side.BUY
        updates = self._broker.submit(OrderRequest(client_order_id=name, symbol=held.symbol, side=side, qty=qty))
        return self._shown.taken(self._orders.named(name)), updates

    def _told(self, position: Position) -> dict[str, Any]:
        symbol, qty = position.symbol, position.qty
        ledger, evening = self._broker.replay.engine.ledger, self._broker.evening
        basis, close = ledger.holdings[symbol].basis, self._broker.close(symbol) or position.average_price
        value, before = qty * close, evening.closes.get(symbol, close)
        today = _today(position, close, before, evening.shares.get(symbol, NOTHING))
        return {
            "asset_id": asset_id(symbol),
            "symbol": symbol,
            "exchange": "NASDAQ",
            "asset_class": "us_equity",
            "asset_marginable": True,
            "qty": text(qty),
            "qty_available": text(self._broker.replay.engine.available(symbol).copy_sign(qty)),
            "side": "long" if qty > 0 else "short",
            "avg_entry_price": text(position.average_price),
            "market_value": text(value),
            "cost_basis": text(basis),
            "unrealized_pl": text(value - basis),
            "unrealized_plpc": text(_ratio(value - basis, abs(basis))),
            "unrealized_intraday_pl": text(today),
            "unrealized_intraday_plpc": text(_ratio(today, abs(basis))),
            "current_price": text(close),
            "lastday_price": text(before),
            "change_today": text(_ratio(close - before, before)),
        }


def _today(position: Position, close: Decimal, before: Decimal, held: Decimal) -> Decimal:
    carried = min(abs(held), abs(position.qty)).copy_sign(position.qty) if held * position.qty > 0 else NOTHING
    return carried * (close - before) + (position.qty - carried) * (close - position.average_price)


def _ratio(part: Decimal, whole: Decimal) -> Decimal:
    return (part / whole).quantize(RATIO) if whole else NOTHING


def _share(held: Position, asked: Asked) -> Decimal:
    qty, percentage = asked.decimal("qty"), asked.decimal("percentage")
    if qty is not None and percentage is not None:
        raise malformed("only one of qty or percentage is accepted")
    if percentage is None:
        return abs(held.qty) if qty is None else qty
    if not 0 < percentage <= WHOLE:
        raise malformed("percentage must be between 0 and 100")
    step = Decimal(1) if held.qty < 0 else SHARE_STEP
    return (abs(held.qty) * percentage / WHOLE).quantize(step, ROUND_DOWN)
