"""What a market order pays for crossing the spread and moving the price."""

from decimal import Decimal
from typing import Final

from tandem.config import CostSettings
from tandem.market import Bar, Side, price

PRICE_STEP: Final = Decimal("0.0001")


def fill_price(bar: Bar, side: Side, qty: Decimal, costs: CostSettings) -> Decimal:
    """Dollars per share at which `qty` shares trade in the minute of `bar`.

    `open * (1 +- (spread_bps / 2 / 10000 + impact * qty / volume))`, to four decimals; the share of the
    volume counts as one at most.
    """
    share = min(qty / bar.volume, Decimal(1))
    rate = Decimal(repr(costs.spread_bps)) / 20_000 + Decimal(repr(costs.impact)) * share
    return max((price(bar.open) * (1 + side.sign * rate)).quantize(PRICE_STEP), PRICE_STEP)
