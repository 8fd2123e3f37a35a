"""What clients write when they send or change an order."""

from enum import StrEnum
from typing import TypeVar

from tandem.market import Side
from tandem.matching import Changes, OrderClass, OrderType, Request, StopLoss, TimeInForce, malformed, unprocessable
from tandem.recycler.rest.asked import Asked

Word = TypeVar("Word", bound=StrEnum)


def request_of(asked: Asked, name: str) -> Request:
    """The order that the body of `POST /v2/orders` means.

    Args:
        asked: the body.
        name: the order's identity where the sender gives none.

    Raises:
        Rejected: a field that is missing, or means nothing.
    """
    if (asked.text("order_class") or "").lower() == "mleg":
        raise unprocessable("mleg orders are orders of options, which are not traded here")
    profit = asked.part("take_profit")
    return Request(
        client_order_id=asked.text("client_order_id") or name,
        symbol=_needed(asked, "symbol"),
        side=_word(asked, "side", Side),
        qty=asked.decimal("qty"),
        notional=asked.decimal("notional"),
        type=_word(asked, "type", OrderType),
        time_in_force=_word(asked, "time_in_force", TimeInForce),
        limit_price=asked.decimal("limit_price"),
        stop_price=asked.decimal("stop_price"),
        trail_price=asked.decimal("trail_price"),
        trail_percent=asked.decimal("trail_percent"),
        extended_hours=bool(asked.flag("extended_hours")),
        order_class=asked.word("order_class", OrderClass) or OrderClass.SIMPLE,
        take_profit=profit.decimal("limit_price") if profit else None,
        stop_loss=_stop_loss(asked.part("stop_loss")),
    )


def changes_of(asked: Asked) -> Changes:
    """What the body of `PATCH /v2/orders/{id}` changes.

    Raises:
        Rejected: a field that means nothing.
    """
    return Changes(
        client_order_id=asked.text("client_order_id"),
        qty=asked.decimal("qty"),
        time_in_force=asked.word("time_in_force", TimeInForce),
        limit_price=asked.decimal("limit_price"),
        stop_price=asked.decimal("stop_price"),
        trail=asked.decimal("trail"),
    )


def _stop_loss(asked: Asked | None) -> StopLoss | None:
    if asked is None:
        return None
    stop = asked.decimal("stop_price")
    if stop is None:
        raise malformed("stop_loss.stop_price is required")
    return StopLoss(stop, asked.decimal("limit_price"))


def _needed(asked: Asked, name: str) -> str:
    value = asked.text(name)
    if value is None:
        raise malformed(f"{name} is required")
    return value


def _word(asked: Asked, name: str, words: type[Word]) -> Word:
    word = asked.word(name, words)
    if word is None:
        raise malformed(f"{name} is required")
    return word
