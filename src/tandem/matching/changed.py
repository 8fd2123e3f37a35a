"""What an engine has to remember: values that are written down and read back exactly."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from tandem.market import Bar, Side
from tandem.matching.ticket import Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """Shares that changed hands at the broker.

    Attributes:
        id: identity of the execution.
        number: how many executions the account had with this one.
        order_id, client_order_id: the order's identities.
        qty: shares, positive.
        price: dollars per share.
        fees: dollars charged beside the price.
        at: market time, UTC.
        filled: shares of the order filled with this one.
        left: shares of the order still open; None for a notional order that is not complete.
        position: signed shares of the symbol held afterwards.
    """

    id: str
    number: int
    order_id: UUID
    client_order_id: str
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    fees: Decimal
    at: datetime
    filled: Decimal
    left: Decimal | None
    position: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Dollars charged for borrowing the shares of a short position.

    Attributes:
        number: how many charges the account had with this one.
        day: New York date on which it was taken, for the nights before.
        dollars: positive.
    """

    number: int
    day: date
    symbol: str
    dollars: Decimal


@dataclass(frozen=True, slots=True)
class HeldShares:
    """Shares of one symbol and the dollars paid for them; both negative when short."""

    symbol: str
    qty: Decimal
    basis: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """An account's cash and holdings.

    Attributes:
        cash: dollars, proceeds of short sales included.
        realised: dollars won or lost on shares no longer held, fees taken off.
        fees: dollars of commission, fees and borrowing charged so far.
        holdings: by symbol in alphabetical order.
    """

    cash: Decimal
    realised: Decimal
    fees: Decimal
    holdings: tuple[HeldShares, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """What the exchange has last told the engine.

    Attributes:
        day: the day up to which borrowing is paid.
        closed: the last session's close, UTC.
        halted: symbols whose trading is halted, in alphabetical order.
        closing: newest bars of symbols with orders for the close.
    """

    day: date | None = None
    closed: datetime | None = None
    halted: tuple[str, ...] = ()
    closing: tuple[Bar, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What is new since an engine was last asked; with everything in it, an engine can be restored.

    Attributes:
        tickets: as they stand now, by number; of a ticket that changed twice only the last.
        executions, charges: by number.
        ledger: as it stands now.
        hours: as they stand now.
    """

    tickets: tuple[Ticket, ...] = ()
    executions: tuple[Execution, ...] = ()
    charges: tuple[Charge, ...] = ()
    ledger: LedgerState
    hours: Hours = Hours()
