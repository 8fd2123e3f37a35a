"""Trades and quotes made up from bars, as the REST gives them: those of the stream."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

import msgspec

from tandem.market import Span, Timeframe
from tandem.matching import Columns
from tandem.recycler.history.line import Line
from tandem.recycler.stream.frames import quotes, trades


class Trade(msgspec.Struct, gc=False):
    """A trade: time, exchange, price in dollars, shares, conditions, id, tape."""

    t: datetime
    x: str
    p: float
    s: int
    c: tuple[str, ...]
    i: int
    z: str


class Quote(msgspec.Struct, gc=False, rename={"size": "as"}):
    """A quote: time, exchange, price and round lots of ask and bid, conditions, tape."""

    t: datetime
    ax: str
    ap: float
    size: int
    bx: str
    bp: float
    bs: int
    c: tuple[str, ...]
    z: str


def trades_of(line: Line, base: Span, _: float) -> Sequence[Trade]:
    """A trade for each bar."""
    made = trades(_columns(line, base), slice(None), [""] * len(line))
    return [Trade(m.time, m.exchange, m.price, m.size, m.conditions, m.id, m.tape) for m in made]


def quotes_of(line: Line, base: Span, spread: float) -> Sequence[Quote]:
    """A quote for each bar, `spread` dollars wide for each dollar of price."""
    made = quotes(_columns(line, base), slice(None), [""] * len(line), spread)
    return [
        Quote(m.time, m.ask_exchange, m.ask, m.ask_size, m.bid_exchange, m.bid, m.bid_size, m.conditions, m.tape)
        for m in made
    ]


def _columns(line: Line, base: Span) -> Columns:
    import numpy as np

    return Columns(
        symbols=("",),
        code=np.zeros(len(line), dtype=np.int32),
        **{field.name: getattr(line, field.name) for field in fields(line)},
        timeframe=Timeframe(str(base)),
    )
