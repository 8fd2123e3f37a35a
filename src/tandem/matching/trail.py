"""The stop that follows the price."""

from dataclasses import replace
from decimal import Decimal
from typing import Final

from tandem.market import Bar, Side, price
from tandem.matching.request import OrderType
from tandem.matching.ticket import Ticket

CENT: Final = Decimal("0.01")
SUB_PENNY: Final = Decimal("0.0001")
ONE: Final = Decimal(1)


def placed(ticket: Ticket, last: Decimal | None) -> Ticket:
    """A trailing stop with its first mark, where there is a price; any other ticket as it is."""
    if ticket.request.type is not OrderType.TRAILING_STOP or last is None:
        return ticket
    return _at(ticket, last)


def followed(ticket: Ticket, bar: Bar) -> Ticket:
    """A trailing stop after a bar that did not reach it: the mark known before the bar judged it, now it moves."""
    if ticket.request.type is not OrderType.TRAILING_STOP or ticket.triggered:
        return ticket
    seen = price(bar.low if ticket.side is Side.BUY else bar.high)
    best = min if ticket.side is Side.BUY else max
    mark = seen if ticket.hwm is None else best(ticket.hwm, seen)
    return ticket if mark == ticket.hwm else _at(ticket, mark)


def _at(ticket: Ticket, mark: Decimal) -> Ticket:
    request = ticket.request
    away = request.trail_price if request.trail_percent is None else mark * request.trail_percent / 100
    stop = mark + ticket.side.sign * (away or Decimal(0))
    step = CENT if stop >= ONE else SUB_PENNY
    return replace(ticket, hwm=mark, stop=max(stop.quantize(step), SUB_PENNY))
