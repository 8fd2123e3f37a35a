"""Closing a trade: the opposite of what is held."""

from datetime import date
from decimal import Decimal

from tandem.market import Pair, Side, price
from tandem.risk.intent import Intent
from tandem.signals import Signal


def close_out(
    pair: Pair, direction: int, held: tuple[Decimal, Decimal], signal: Signal, why: str, stopped: bool, passport: date
) -> Intent:
    """The intent that brings both legs to zero; `held` are signed shares of a and b, not both zero."""
    qty_a, qty_b = held
    return Intent(
        pair,
        "exit",
        direction,
        Side.SELL if qty_a > 0 else Side.BUY,
        abs(qty_a),
        Side.SELL if qty_b > 0 else Side.BUY,
        abs(qty_b),
        why,
        stopped,
        signal.z,
        signal.spread,
        signal.residual,
        signal.variance,
        abs(qty_a) * price(signal.price_a) + abs(qty_b) * price(signal.price_b),
        0.0,
        passport,
    )
