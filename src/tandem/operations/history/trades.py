"""Trades over the sessions that they were held in, from what each session came to."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from tandem.book import Parts
from tandem.store import TradeSession


@dataclass(frozen=True, slots=True)
class TradeParts:
    """One trade, or all of them together, in dollars.

    Attributes:
        pair: empty for all together.
        direction: +1 long the spread, -1 short it.
        first, last: sessions, of those that were asked for.
        sessions: that it was held in.
        is_open: shares were held at the end of the last of them.
        spread_move, hedge_drift, slippage, fees, costs, borrow, gross, net: see `book.Parts`.
    """

    pair: str
    opened_at: datetime
    direction: int
    first: date
    last: date
    sessions: int
    is_open: bool
    net: Decimal
    gross: Decimal
    spread_move: Decimal
    hedge_drift: Decimal
    slippage: Decimal
    fees: Decimal
    costs: Decimal
    borrow: Decimal


def trades_of(rows: Iterable[TradeSession]) -> list[TradeParts]:
    """Each trade over the sessions asked for, in the order of their entries."""
    own: defaultdict[tuple[datetime, str], list[TradeSession]] = defaultdict(list)
    for row in rows:
        own[row.opened_at, row.pair].append(row)
    return [_trade(of) for _, of in sorted(own.items())]


def parts_of(rows: Iterable[TradeSession | TradeParts]) -> Parts:
    """All of them together."""
    total = Parts()
    for row in rows:
        total += Parts(row.spread_move, row.hedge_drift, row.slippage, row.fees, row.borrow)
    return total


def _trade(rows: list[TradeSession]) -> TradeParts:
    parts = parts_of(rows).in_cents
    last = rows[-1]
    return TradeParts(
        pair=last.pair,
        opened_at=last.opened_at,
        direction=last.direction,
        first=rows[0].session,
        last=last.session,
        sessions=len(rows),
        is_open=last.is_open,
        net=parts.net,
        gross=parts.gross,
        spread_move=parts.spread_move,
        hedge_drift=parts.hedge_drift,
        slippage=parts.slippage,
        fees=parts.fees,
        costs=parts.costs,
        borrow=parts.borrow,
    )
