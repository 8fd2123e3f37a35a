"""How many shares of each leg (STATISTICS 7)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tandem.config import RiskSettings
from tandem.market import Refusal, Side, price, shares, whole_shares
from tandem.risk.intent import Intent
from tandem.signals import Signal


@dataclass(frozen=True, slots=True)
class Room:
    """Dollars of gross exposure that may still be taken on: for the pair, its sector and the account."""

    pair: float
    sector: float
    gross: float
    buying_power: float

    @property
    def dollars(self) -> float:
        """The tightest of them."""
        return min(self.pair, self.sector, self.gross, self.buying_power)


def room_for(equity: Decimal, buying_power: Decimal, sector_gross: Decimal, gross: Decimal, risk: RiskSettings) -> Room:
    """What the caps leave, in dollars, given what is held already."""
    own = float(equity)
    return Room(
        pair=risk.max_pair_share * own,
        sector=risk.max_sector_share * own - float(sector_gross),
        gross=risk.max_gross_share * own - float(gross),
        buying_power=float(buying_power),
    )


def size_entry(signal: Signal, hedge_ratio: float, room: Room, passport: date, risk: RiskSettings) -> Intent | Refusal:
    """Volatility target over the forecast volatility, times confidence, capped; the short leg in whole shares.

    The dollars of leg b are `hedge_ratio` times those of leg a. The short leg is rounded to whole shares
    and the long leg sized to it in fractions.
    """
    pair = signal.pair
    direction = signal.action.direction
    wanted = risk.pair_volatility_target / signal.volatility * signal.confidence
    most = room.dollars / (1 + hedge_ratio)
    dollars_a = min(wanted, most)
    ratio = signal.price_a * hedge_ratio / signal.price_b
    if direction > 0:
        qty_b = _whole(dollars_a * hedge_ratio, most * hedge_ratio, signal.price_b)
        qty_a = shares(float(qty_b) / ratio)
    else:
        qty_a = _whole(dollars_a, most, signal.price_a)
        qty_b = shares(float(qty_a) * ratio)
    if not qty_a or not qty_b:
        return Refusal("too small", f"{dollars_a:,.0f} dollars of {pair.a} are less than one share of a leg", "risk")
    error = abs(float(qty_b) / (float(qty_a) * ratio) - 1)
    if error > risk.max_hedge_error:
        return Refusal("hedge error", f"rounding misses the hedge by {error:.1%}", "risk")
    gross = qty_a * price(signal.price_a) + qty_b * price(signal.price_b)
    return Intent(
        pair,
        "enter",
        direction,
        Side.BUY if direction > 0 else Side.SELL,
        qty_a,
        Side.SELL if direction > 0 else Side.BUY,
        qty_b,
        signal.why,
        False,
        signal.z,
        signal.spread,
        signal.residual,
        signal.variance,
        gross,
        error,
        passport,
    )


def _whole(dollars: float, most: float, price: float) -> Decimal:
    nearest = whole_shares(max(dollars, 0.0) / price)
    return nearest if float(nearest) * price <= most else max(nearest - 1, Decimal(0))
