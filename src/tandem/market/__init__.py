"""The vocabulary: bars, pairs, sessions, orders, money, time, errors."""

from tandem.market.bar import Bar, flaw_of
from tandem.market.calendar import DECISION_EVERY, Calendar, Session
from tandem.market.clock import Clock, ManualClock, Stopwatch, WallClock, minutes_between
from tandem.market.errors import (
    BrokerError,
    ConfigError,
    DataError,
    FactConflict,
    InvalidBar,
    OutcomeUnknown,
    RecyclerError,
    StoreError,
    TandemError,
)
from tandem.market.lifeline import follow_parent, follow_stdin
from tandem.market.money import cents, costs_in_cents, plain, price, shares, whole_shares
from tandem.market.order import Account, Fill, Order, OrderEvent, OrderUpdate, Position, Side
from tandem.market.pair import Leg, Pair
from tandem.market.refusal import Refusal
from tandem.market.span import Span, Unit, new_york_midnight, new_york_offsets
from tandem.market.step import Step, at_once
from tandem.market.timeframe import NEW_YORK, Timeframe, resample
from tandem.market.world import World, WorldKind

__all__ = [
    "DECISION_EVERY",
    "NEW_YORK",
    "Account",
    "Bar",
    "BrokerError",
    "Calendar",
    "Clock",
    "ConfigError",
    "DataError",
    "FactConflict",
    "Fill",
    "InvalidBar",
    "Leg",
    "ManualClock",
    "Order",
    "OrderEvent",
    "OrderUpdate",
    "OutcomeUnknown",
    "Pair",
    "Position",
    "RecyclerError",
    "Refusal",
    "Session",
    "Side",
    "Span",
    "Step",
    "Stopwatch",
    "StoreError",
    "TandemError",
    "Timeframe",
    "Unit",
    "WallClock",
    "World",
    "WorldKind",
    "at_once",
    "cents",
    "costs_in_cents",
    "flaw_of",
    "follow_parent",
    "follow_stdin",
    "minutes_between",
    "new_york_midnight",
    "new_york_offsets",
    "plain",
    "price",
    "resample",
    "shares",
    "whole_shares",
]
