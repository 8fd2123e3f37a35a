"""What trading costs: crossing the spread, moving the price, fees, borrowing."""

from decimal import ROUND_UP, Decimal
from typing import Final

from tandem.config import CostSettings
from tandem.market import Bar, Side, price

PRICE_STEP: Final = Decimal("0.0001")
CENT: Final = Decimal("0.01")
ALL: Final = Decimal(1)
DAYS_A_YEAR: Final = 360


def fill_price(bar: Bar, side: Side, qty: Decimal, costs: CostSettings) -> Decimal:
    """Dollars per share at which `qty` shares trade at the market in the minute of `bar`.

    `open * (1 +- (spread_bps / 2 / 10000 + impact * qty / volume))`, to four decimals; the share of the
    volume counts as one at most.
    """
    return taken(price(bar.open), side, qty, bar.volume, costs)


def taken(reference: Decimal, side: Side, qty: Decimal, volume: int, costs: CostSettings) -> Decimal:
    """Dollars per share for `qty` shares taken from the market when it stands at `reference`."""
    share = min(qty / volume, ALL)
    rate = Decimal(repr(costs.spread_bps)) / 20_000 + Decimal(repr(costs.impact)) * share
    return max((reference * (1 + side.sign * rate)).quantize(PRICE_STEP), PRICE_STEP)


def quoted(reference: Decimal, side: Side, costs: CostSettings) -> Decimal:
    """Dollars per share on the other side of the quote: half the spread, however many shares."""
    rate = Decimal(repr(costs.spread_bps)) / 20_000
    return max((reference * (1 + side.sign * rate)).quantize(PRICE_STEP), PRICE_STEP)


def fees(side: Side, qty: Decimal, paid: Decimal, costs: CostSettings) -> Decimal:
    """Dollars charged beside the price of one execution.

    Commission on every share; on shares sold the SEC fee on the proceeds and the TAF on the shares, each
    rounded up to the cent as brokers pass them on. No cap on the TAF, and each execution counts alone.
    """
    commission = costs.commission_per_share * qty
    if side is Side.BUY:
        return commission
    return commission + _up(costs.sec_fee_per_dollar * qty * paid) + _up(costs.taf_fee_per_share * qty)


def borrowing(value: Decimal, nights: int, costs: CostSettings) -> Decimal:
    """Dollars for lending shares worth `value` over some nights, a 360th of the yearly rate each, up to the cent."""
    return _up(abs(value) * costs.borrow_rate * nights / DAYS_A_YEAR)


def _up(dollars: Decimal) -> Decimal:
    return dollars.quantize(CENT, ROUND_UP)
