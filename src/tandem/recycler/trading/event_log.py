"""Every order event that was told, in order, with ids that a client can go on from."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from tandem.market import OrderEvent, OrderUpdate
from tandem.recycler.trading.broker import Broker
from tandem.recycler.trading.order import Shown

LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ID_LENGTH: Final = 26
NUMBER_BITS: Final = 80
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(slots=True)
class Said:
    """One order event as it goes out, encoded once for all who hear it.

    Attributes:
        message: what `trade_updates` carries.
    """

    message: dict[str, Any]
    _frames: dict[bool, bytes] = field(default_factory=dict)

    def frame(self, binary: bool) -> bytes:
        """The stream's message in MessagePack, or in JSON."""
        if binary not in self._frames:
            encode = msgspec.msgpack.encode if binary else msgspec.json.encode
            self._frames[binary] = encode({"stream": "trade_updates", "data": self.message})
        return self._frames[binary]


class EventLog:
    """The events of one account, those before a restart included."""

    def __init__(self, broker: Broker, shown: Shown) -> None:
        self._broker = broker
        self._shown = shown
        self._engine = broker.replay.engine
        self._updates = _history(broker)
        self._known = len(self._updates)
        self._news = asyncio.Event()
        broker.listeners.append(self._note)

    def __len__(self) -> int:
        return len(self._updates)

    def after(self, place: int) -> int:
        """Where somebody goes on who has seen everything up to a place.

        Of what was told before a restart the order within a minute is not known: that minute is told again, whole.
        """
        if place >= self._known:
            return min(place + 1, len(self._updates))
        while place and self._updates[place - 1].at == self._updates[place].at:
            place -= 1
        return place

    def update(self, place: int) -> OrderUpdate:
        """What happened at a place, counted from 0."""
        return self._updates[place]

    def event(self, place: int) -> bytes:
        """That event as server-sent data: the stream's message, with an id, its moment and the account."""
        update = self._updates[place]
        more = {"at": update.at, "event_id": event_id(update.at, place), "account_id": self._broker.account_id}
        return b"data: " + msgspec.json.encode({**more, **self._shown.trade_update(update)}) + b"\n\n"

    async def news(self, seconds: float) -> None:
        """Wait until something is told, and no longer than that."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass

    def _note(self, updates: Sequence[OrderUpdate]) -> None:
        if self._engine is not self._broker.replay.engine:  # an account that started over
            self._engine, self._updates, self._known = self._broker.replay.engine, [], 0
        self._updates += updates
        told, self._news = self._news, asyncio.Event()
        told.set()


def event_id(at: datetime, place: int) -> str:
    """26 letters: milliseconds since 1970, then the place; sorted as the events are while time goes on."""
    number = (((at - EPOCH) // MILLISECOND) << NUMBER_BITS) | place
    return "".join(LETTERS[number >> 5 * digit & 31] for digit in reversed(range(ID_LENGTH)))


def place_of(id: str) -> int | None:
    """The place that an id names, None where it is none."""
    if len(id) != ID_LENGTH or not set(id.upper()) <= set(LETTERS):
        return None
    number = 0
    for letter in id.upper():
        number = number << 5 | LETTERS.index(letter)
    return number & ((1 << NUMBER_BITS) - 1)


def _history(broker: Broker) -> list[OrderUpdate]:
    tickets = broker.replay.engine.tickets()
    updates = [update for ticket in tickets for update in ticket.updates if update.event is not OrderEvent.HELD]
    return sorted(updates, key=lambda update: update.at)
