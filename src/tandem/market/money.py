"""The one place where float64 becomes Decimal.

Prices, shares and cash in orders, fills and books are Decimal; statistics are float64.
"""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import Final

PRICE_STEP: Final = Decimal("0.0001")
SHARE_STEP: Final = Decimal("0.000000001")
CENT: Final = Decimal("0.01")


def price(value: float) -> Decimal:
    """Dollars per share, to a hundredth of a cent."""
    return Decimal(repr(float(value))).quantize(PRICE_STEP, ROUND_HALF_EVEN)


def shares(value: float) -> Decimal:
    """A share count, to Alpaca's nine decimals, rounded toward zero."""
    return Decimal(repr(float(value))).quantize(SHARE_STEP, ROUND_DOWN)


def whole_shares(value: float) -> Decimal:
    """The nearest whole number of shares."""
    return Decimal(repr(float(value))).quantize(Decimal(1), ROUND_HALF_EVEN)


def cents(value: Decimal) -> Decimal:
    """An amount of dollars as people read it."""
    return value.quantize(CENT, ROUND_HALF_EVEN)


def costs_in_cents(gross: Decimal, net: Decimal) -> Decimal:
    """What gross and net, each in cents, leave between them: the three add up wherever they are read side by side."""
    return cents(gross) - cents(net)


def plain(value: Decimal) -> Decimal:
    """The same number without trailing zeros, so that equal amounts are written alike."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()
