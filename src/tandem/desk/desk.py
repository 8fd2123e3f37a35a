"""What a session is traded with. Live, recycled and backtest differ in clock, feed and broker only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tandem.config import Settings
from tandem.execution import Broker, Feed
from tandem.market import Bar, Calendar, Clock, World
from tandem.store import Blobs, Facts

History = Callable[[Sequence[str], datetime, datetime], list[Bar]]


@dataclass(frozen=True, slots=True)
class Desk:
    """One desk in one world.

    Attributes:
        clock, feed, broker: the seams to the outside.
        facts: where everything is recorded before it is acted upon.
        blobs: where models are kept.
        history: 1-minute bars of symbols from one moment to another that are over by then; a session
            that starts late, and a trade carried over night, catch up with it.
    """

    world: World
    settings: Settings
    calendar: Calendar
    clock: Clock
    feed: Feed
    broker: Broker
    facts: Facts
    blobs: Blobs
    history: History
