"""Cash and holdings of one account."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from tandem.market import Account, Position
from tandem.matching.changed import HeldShares, LedgerState
from tandem.matching.prices import Prices

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
        """With `qty` shares (of the opposite sign) less, at the average price paid.

        Raises:
            ValueError: more than are held.
        """
        left = self.qty + qty
        if left * self.qty < 0:
            raise ValueError(f"{-qty:f} shares taken from {self.qty:f}")
        return Holding(left, (self.basis * left / self.qty).quantize(BASIS_STEP) if left else Decimal(0))


@dataclass(slots=True)
class Ledger:
    """Cash, holdings and their last prices. `cash + sum of bases - realised` never changes.

    Attributes:
        cash: dollars, proceeds of short sales included.
        prices: what the holdings are worth.
        realised: dollars won or lost on shares no longer held, fees taken off.
        fees: dollars charged beside prices so far.
        holdings: symbol to what is held, never flat.
        multiplier: how many times its equity the account may spend.
    """

    cash: Decimal
    prices: Prices
    realised: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    holdings: dict[str, Holding] = field(default_factory=dict)
    multiplier: int = MULTIPLIER

    def held(self, symbol: str) -> Decimal:
        """Shares held, negative when short."""
        return self.holdings.get(symbol, Holding()).qty

    def trade(self, symbol: str, qty: Decimal, price: Decimal, fees: Decimal) -> None:
        """Exchange `qty` signed shares at `price`; never through zero in one trade."""
        before = self.holdings.get(symbol, Holding())
        opens = before.qty * qty >= 0
        after = before.opened(qty, price) if opens else before.closed(qty)
        self.cash -= qty * price
        if not opens:
            self.realised -= qty * price + before.basis - after.basis
        self.charge(fees)
        self._keep(symbol, after)

    def charge(self, dollars: Decimal) -> None:
        """Take a fee."""
        self.cash -= dollars
        self.realised -= dollars
        self.fees += dollars

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
        return self.held(symbol) * (self.prices.close(symbol) or Decimal(0))

    def account(self, reserved: Decimal) -> Account:
        """The account at the last closes, with `reserved` dollars bound by open orders."""
        values = [self.value(symbol) for symbol in self.holdings]
        equity = self.cash + sum(values, Decimal(0))
        spent = sum(map(abs, values), reserved)
        return Account(self.cash, equity, max(self.multiplier * equity - spent, Decimal(0)), equity >= SHORTING_FROM)

    def state(self) -> LedgerState:
        """All of it as one value."""
        holdings = tuple(HeldShares(symbol, held.qty, held.basis) for symbol, held in sorted(self.holdings.items()))
        return LedgerState(cash=self.cash, realised=self.realised, fees=self.fees, holdings=holdings)

    def restore(self, state: LedgerState) -> None:
        """Stand where another ledger stood."""
        self.cash, self.realised, self.fees = state.cash, state.realised, state.fees
        self.holdings = dict(_holdings(state.holdings))


def _holdings(held: Iterable[HeldShares]) -> Iterable[tuple[str, Holding]]:
    return ((one.symbol, Holding(one.qty, one.basis)) for one in held)
