"""Cash and holdings of one account."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from tandem.market import Account, Position

MULTIPLIER: Final = 2
SHORTING_FROM: Final = Decimal(2000)
BASIS_STEP: Final = Decimal("0.0000000000001")
AVERAGE_STEP: Final = Decimal("0.000000001")


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares of one symbol and the dollars paid for them; both negative when short."""

    qty: Decimal = Decimal(0)
    basis: Decimal = Decimal(0)

    def opened(self, qty: Decimal, price: Decimal) -> "Holding":
        """With `qty` signed shares more."""
        return Holding(self.qty + qty, self.basis + qty * price)

    def closed(self, qty: Decimal) -> "Holding":
        """With `qty` shares (of the opposite sign) less, at the average price paid."""
        left = self.qty + qty
        return Holding(left, (self.basis * left / self.qty).quantize(BASIS_STEP) if left else Decimal(0))


@dataclass(slots=True)
class Ledger:
    """Cash, holdings and their last prices. `cash + sum of bases - realised` never changes.

    Attributes:
        cash: dollars, proceeds of short sales included.
        realised: dollars won or lost on shares no longer held, fees taken off.
        holdings: symbol to what is held, never flat.
        closes: symbol to the close of the newest bar seen.
    """

    cash: Decimal
    realised: Decimal = Decimal(0)
    holdings: dict[str, Holding] = field(default_factory=dict)
    closes: dict[str, Decimal] = field(default_factory=dict)

    def held(self, symbol: str) -> Decimal:
        """Shares held, negative when short."""
        return self.holdings.get(symbol, Holding()).qty

    def trade(self, symbol: str, qty: Decimal, price: Decimal, fees: Decimal) -> None:
        """Exchange `qty` signed shares at `price`; never through zero in one trade."""
        before = self.holdings.get(symbol, Holding())
        opens = before.qty * qty >= 0
        after = before.opened(qty, price) if opens else before.closed(qty)
        self.cash -= qty * price + fees
        self.realised -= fees
        if not opens:
            self.realised -= qty * price + before.basis - after.basis
        self._keep(symbol, after)

    def _keep(self, symbol: str, holding: Holding) -> None:
        if holding.qty:
            self.holdings[symbol] = holding
        else:
            self.holdings.pop(symbol, None)

    def positions(self) -> dict[str, Position]:
        """What is held, by symbol in alphabetical order."""
        return {
            symbol: Position(symbol, held.qty, (held.basis / held.qty).quantize(AVERAGE_STEP))
            for symbol, held in sorted(self.holdings.items())
        }

    def value(self, symbol: str) -> Decimal:
        """Dollars that the holding is worth at the last close, negative when short."""
        return self.held(symbol) * self.closes.get(symbol, Decimal(0))

    def account(self, reserved: Decimal) -> Account:
        """The account at the last closes, with `reserved` dollars bound by open orders."""
        values = [self.value(symbol) for symbol in self.holdings]
        equity = self.cash + sum(values, Decimal(0))
        spent = sum(map(abs, values), reserved)
        return Account(self.cash, equity, max(MULTIPLIER * equity - spent, Decimal(0)), equity >= SHORTING_FROM)
