"""The orders that hang on another one."""

from decimal import Decimal

from tandem.market import Side
from tandem.matching.request import OrderClass, OrderType, Request


def legs_of(request: Request, name: str) -> list[Request]:
    """What the legs of a complex order ask for, the take profit first.

    Args:
        name: what their client order ids are made of.
    """
    oco = request.order_class is OrderClass.OCO
    side = request.side if oco else request.side.opposite
    found = [] if oco else _take_profit(request, side, name)
    return [*found, *_stop_loss(request, side, name)]


def _take_profit(request: Request, side: Side, name: str) -> list[Request]:
    if request.take_profit is None:
        return []
    return [_leg(request, side, f"{name}.take_profit", OrderType.LIMIT, limit=request.take_profit)]


def _stop_loss(request: Request, side: Side, name: str) -> list[Request]:
    if (loss := request.stop_loss) is None:
        return []
    kind = OrderType.STOP if loss.limit_price is None else OrderType.STOP_LIMIT
    return [_leg(request, side, f"{name}.stop_loss", kind, limit=loss.limit_price, stop=loss.stop_price)]


def _leg(
    request: Request,
    side: Side,
    name: str,
    kind: OrderType,
    *,
    limit: Decimal | None = None,
    stop: Decimal | None = None,
) -> Request:
    return Request(
        client_order_id=name,
        symbol=request.symbol,
        side=side,
        qty=request.qty,
        type=kind,
        time_in_force=request.time_in_force,
        limit_price=limit,
        stop_price=stop,
        order_class=request.order_class,
    )
