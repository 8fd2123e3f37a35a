"""What an order request must be by itself, whatever account it is sent to, in Alpaca's words."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from tandem.market import Side
from tandem.matching.rejection import malformed, unprocessable
from tandem.matching.request import OrderClass, OrderType, Request, TimeInForce

SHARE_STEP: Final = Decimal("0.000000001")
CENT: Final = Decimal("0.01")
SUB_PENNY: Final = Decimal("0.0001")
ONE: Final = Decimal(1)
LONGEST_ID: Final = 128
MOST_SHARES: Final = Decimal(10) ** 12
MOST_DOLLARS: Final = Decimal(10) ** 9
LEAST_TRAIL_PERCENT: Final = Decimal("0.1")
LASTING: Final = (TimeInForce.DAY, TimeInForce.GTC)
PLAIN: Final = (OrderType.MARKET, OrderType.LIMIT)


def normal(request: Request) -> Request:
    """The request with what it says in two ways said in one: the limit of an oco order is its take profit."""
    if request.order_class is OrderClass.OCO and request.take_profit is not None:
        return replace(request, limit_price=request.take_profit)
    return request


def well_formed(request: Request, *, leg: bool = False) -> None:
    """Let a request pass that any account could send.

    Args:
        leg: it is the leg of another order, which has been looked at as a whole.

    Raises:
        Rejected: with Alpaca's text, code and HTTP status.
    """
    if len(request.client_order_id) > LONGEST_ID:
        raise malformed(f"client_order_id must be no more than {LONGEST_ID} characters")
    if not request.client_order_id.isprintable():
        raise malformed("client_order_id must be printable")
    _size(request)
    if request.order_class is OrderClass.OCO and not leg:
        _oco(request)
    _PRICED[request.type](request)
    _increments(request)
    _duration(request)
    if not leg and request.order_class is not OrderClass.OCO:
        _CLASSED[request.order_class](request)


def is_long(request: Request) -> bool:
    """Whether the legs of a complex order stand around a long position."""
    return (request.side is Side.BUY) is not (request.order_class is OrderClass.OCO)


def is_fractional(request: Request) -> bool:
    """Whether it may trade a part of a share."""
    return request.qty is None or request.qty != request.qty.to_integral_value()


def _size(request: Request) -> None:
    if request.qty is None and request.notional is None:
        raise malformed("qty or notional is required")
    if request.qty is not None and request.notional is not None:
        raise malformed("only one of qty or notional is accepted")
    if request.qty is not None:
        _amount("qty", request.qty, MOST_SHARES)
    if request.notional is not None:
        if not request.notional.is_finite() or request.notional < ONE:
            raise malformed("notional must be >= 1.00")
        _amount("notional", request.notional, MOST_DOLLARS)


def _amount(name: str, value: Decimal, most: Decimal) -> None:
    if not value.is_finite() or value <= 0:
        raise malformed(f"{name} must be > 0")
    if value > most:
        raise malformed(f"{name} must be <= {most:f}")
    if value != value.quantize(SHARE_STEP):
        raise malformed(f"{name} must be limited to 9 decimal places")


def _market(request: Request) -> None:
    if request.limit_price is not None or request.stop_price is not None:
        raise malformed("market orders require no stop or limit price")
    _no_trail(request)


def _limit(request: Request) -> None:
    if request.limit_price is None:
        raise malformed("limit orders require a limit price")
    if request.stop_price is not None:
        raise malformed("limit orders require no stop price")
    _no_trail(request)


def _stop(request: Request) -> None:
    if request.stop_price is None:
        raise malformed("stop orders require a stop price")
    if request.limit_price is not None:
        raise malformed("stop orders require no limit price")
    _no_trail(request)


def _stop_limit(request: Request) -> None:
    if request.stop_price is None or request.limit_price is None:
        raise malformed("stop limit orders require both stop and limit price")
    _no_trail(request)


def _trailing_stop(request: Request) -> None:
    if (request.trail_price is None) is (request.trail_percent is None):
        raise malformed("trailing stop orders must specify one of trail_price or trail_percent")
    if request.limit_price is not None or request.stop_price is not None:
        raise malformed("trailing stop orders require no stop or limit price")
    percent = request.trail_percent
    if percent is not None and not (percent.is_finite() and LEAST_TRAIL_PERCENT <= percent < 100):
        raise malformed("trail_percent must be >= 0.1 and < 100")


def _no_trail(request: Request) -> None:
    if request.trail_price is not None or request.trail_percent is not None:
        kind = request.type.replace("_", " ")
        raise malformed(f"{kind} orders must not have trail_price or trail_percent")


_PRICED: Final[dict[OrderType, Callable[[Request], None]]] = {
    OrderType.MARKET: _market,
    OrderType.LIMIT: _limit,
    OrderType.STOP: _stop,
    OrderType.STOP_LIMIT: _stop_limit,
    OrderType.TRAILING_STOP: _trailing_stop,
}


def _prices(request: Request) -> Iterator[tuple[str, Decimal | None]]:
    yield "limit_price", request.limit_price
    yield "stop_price", request.stop_price
    yield "trail_price", request.trail_price
    yield "take_profit.limit_price", request.take_profit
    if request.stop_loss is not None:
        yield "stop_loss.stop_price", request.stop_loss.stop_price
        yield "stop_loss.limit_price", request.stop_loss.limit_price


def _increments(request: Request) -> None:
    for name, value in _prices(request):
        if value is None:
            continue
        if not value.is_finite() or value <= 0:
            raise malformed(f"{name} must be > 0")
        if value > MOST_DOLLARS:
            raise malformed(f"{name} must be <= {MOST_DOLLARS:f}")
        if value != value.quantize(CENT if value >= ONE else SUB_PENNY):
            raise unprocessable(
                f"invalid {name} {value:f}. sub-penny increment does not fulfill minimum pricing criteria"
            )


def _duration(request: Request) -> None:
    lasts = request.time_in_force in LASTING
    if is_fractional(request):
        _fraction(request)
    if request.extended_hours:
        if request.type is not OrderType.LIMIT or not lasts:
            raise unprocessable("extended hours order must be DAY or GTC limit orders")
        if request.order_class is not OrderClass.SIMPLE:
            raise unprocessable("extended hours orders must be simple orders")
    if request.type is OrderType.TRAILING_STOP and not lasts:
        raise unprocessable("trailing stop orders must be DAY or GTC orders")
    if request.type not in PLAIN and not lasts:
        raise unprocessable(f"{request.time_in_force} orders must be market or limit orders")
    if request.order_class is not OrderClass.SIMPLE and not lasts:
        raise unprocessable(f"{request.order_class} orders must be DAY or GTC orders")


def _fraction(request: Request) -> None:
    if request.time_in_force is not TimeInForce.DAY:
        raise unprocessable("fractional orders must be DAY orders")
    if request.type is OrderType.TRAILING_STOP:
        raise unprocessable("fractional orders must be market, limit, stop or stop_limit orders")
    if request.order_class is not OrderClass.SIMPLE:
        raise unprocessable("fractional orders must be simple orders")


def _simple(request: Request) -> None:
    if request.take_profit is not None or request.stop_loss is not None:
        raise malformed("simple orders require no take_profit or stop_loss")


def _bracket(request: Request) -> None:
    _entry(request)
    if request.take_profit is None:
        raise malformed("bracket orders require take_profit.limit_price")
    if request.stop_loss is None:
        raise malformed("bracket orders require stop_loss.stop_price")
    _apart(request)


def _oto(request: Request) -> None:
    _entry(request)
    if (request.take_profit is None) is (request.stop_loss is None):
        raise malformed("oto orders require exactly one of take_profit or stop_loss")


def _oco(request: Request) -> None:
    if request.type is not OrderType.LIMIT:
        raise malformed("oco orders must be limit orders")
    if request.take_profit is None and request.limit_price is None:
        raise malformed("oco orders require take_profit.limit_price")
    if request.stop_loss is None:
        raise malformed("oco orders require stop_loss.stop_price")
    _apart(replace(request, take_profit=request.limit_price))


def _entry(request: Request) -> None:
    if request.type not in PLAIN:
        raise malformed(f"{request.order_class} orders must be market or limit orders")


def _apart(request: Request) -> None:
    if request.take_profit is not None and request.stop_loss is not None:
        apart(is_long(request), request.take_profit, request.stop_loss.stop_price)


def apart(long: bool, take_profit: Decimal, stop: Decimal) -> None:
    """Let two legs pass whose prices stand on the right sides of each other.

    Raises:
        Rejected: with Alpaca's text, code and HTTP status.
    """
    if (take_profit <= stop) if long else (take_profit >= stop):
        raise unprocessable(f"take_profit.limit_price must be {'>' if long else '<'} stop_loss.stop_price")


_CLASSED: Final[dict[OrderClass, Callable[[Request], None]]] = {
    OrderClass.SIMPLE: _simple,
    OrderClass.BRACKET: _bracket,
    OrderClass.OTO: _oto,
}
