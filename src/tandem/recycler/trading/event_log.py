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

Told = tuple[int, OrderUpdate]


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
        self._told = _history(broker)
        self._news = asyncio.Event()
        broker.listeners.append(self._note)

    def __len__(self) -> int:
        return len(self._told)

    def after(self, number: int) -> int:
        """The place where somebody goes on who has seen everything up to the event of that number."""
        place = len(self._told)
        while place and self._told[place - 1][0] > number:
            place -= 1
        return place

    def number(self, place: int) -> int:
        """The running number of the event at a place, counted from 0: the same after every restart."""
        return self._told[place][0]

    def update(self, place: int) -> OrderUpdate:
        """What happened at a place, counted from 0."""
        return self._told[place][1]

    def event(self, place: int) -> bytes:
        """That event as server-sent data: the stream's message, with an id, its moment and the account."""
        number, update = self._told[place]
        more = {"at": update.at, "event_id": event_id(update.at, number), "account_id": self._broker.account_id}
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
            self._engine, self._told = self._broker.replay.engine, []
        self._told += [(_number(self._broker, update), update) for update in updates]
        told, self._news = self._news, asyncio.Event()
        told.set()


def event_id(at: datetime, number: int) -> str:
    """26 letters: milliseconds since 1970, then the number; sorted as the events are while time goes on."""
    both = (((at - EPOCH) // MILLISECOND) << NUMBER_BITS) | number
    return "".join(LETTERS[both >> 5 * digit & 31] for digit in reversed(range(ID_LENGTH)))


def number_of(id: str) -> int | None:
    """The running number that an id names, None where it is none."""
    if len(id) != ID_LENGTH or not set(id.upper()) <= set(LETTERS):
        return None
    number = 0
    for letter in id.upper():
        number = number << 5 | LETTERS.index(letter)
    return number & ((1 << NUMBER_BITS) - 1)


def _number(broker: Broker, update: OrderUpdate) -> int:
    ticket = broker.ticket(update.client_order_id)
    if ticket is None or update not in ticket.updates:
        raise LookupError(update.client_order_id)
    return ticket.numbers[ticket.updates.index(update)]


def _history(broker: Broker) -> list[Told]:
    tickets = broker.replay.engine.tickets()
    happened = (told for ticket in tickets for told in zip(ticket.numbers, ticket.updates, strict=True))
    return sorted((told for told in happened if told[1].event is not OrderEvent.HELD), key=lambda told: told[0])
