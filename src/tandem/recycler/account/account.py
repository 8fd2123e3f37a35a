"""The paper account that outlives its recycler: what is written down of it, and how it is taken up again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from tandem.market import RecyclerError, World, WorldKind
from tandem.matching import Changed, Charge, Execution, Hours, LedgerState, Place, Replay, Ticket
from tandem.store import PaperCharge, PaperEntry, PaperExecution, PaperKept, PaperOrder, Store, turn

T = TypeVar("T")
Description = Mapping[str, Any]

HOURS = "hours"
CLOSES = "closes"


def standing_world(store: Store, cash: Decimal) -> World:
    """The world of the newest paper account; a new one with `cash` dollars where there is none.

    Of several that ask at once one opens it, and the others are given that.
    """
    if found := store.newest_paper():
        return found
    with turn(store.url, "first paper account"):
        return store.newest_paper() or new_account(store, cash)


def new_account(store: Store, cash: Decimal) -> World:
    """A world with a new paper account of `cash` dollars: the next `tandem recycler start` goes on with it."""
    world = store.new_world(WorldKind.RECYCLER, "paper account")
    store.paper(world).open(cash)
    return world


class News:
    """What is new of a replay and its account since it was last asked.

    Args:
        replay: reel and account.
        reel: what is replayed, as JSON can hold it.
    """

    def __init__(self, replay: Replay, reel: Description) -> None:
        self._replay = replay
        self._reel = _text(reel)
        self._world: World | None = None
        self._place: Place | None = None
        self._ledger: LedgerState | None = None
        self._hours: Hours | None = None

    @property
    def world(self) -> World:
        """Where it happens."""
        return self._replay.engine.world

    def drain(self, place: bool) -> PaperEntry | None:
        """What is new, None for nothing; with `place`, a clock that moved on is new too."""
        here = self._replay.place if place else None
        if not self._replay.engine.has_changes and here == (self._place if place else None):
            return None
        first, self._world = self.world != self._world, self.world
        return self._entry(self._replay.engine.changes(), here or self._replay.place, first)

    def _entry(self, changed: Changed, place: Place, first: bool) -> PaperEntry:
        ledger = None if changed.ledger == self._ledger and not first else _text(changed.ledger)
        documents = {} if changed.hours == self._hours and not first else {HOURS: _text(changed.hours)}
        if place != self._place:
            documents[CLOSES] = _text(self._closes(changed.ledger))
        self._ledger, self._hours, self._place = changed.ledger, changed.hours, place
        return PaperEntry(
            ledger=ledger,
            place=_text(place),
            reel=self._reel if first else None,
            orders=tuple(map(_order, changed.tickets)),
            executions=tuple(map(_execution, changed.executions)),
            documents=documents,
            charges=tuple(map(_charge, changed.charges)),
        )

    def _closes(self, ledger: LedgerState) -> dict[str, Decimal]:
        prices = self._replay.engine.prices
        found = ((held.symbol, prices.close(held.symbol)) for held in ledger.holdings)
        return {symbol: close for symbol, close in found if close is not None}


@dataclass(frozen=True, slots=True)
class Recalled:
    """An account as it was committed last.

    Attributes:
        cash: dollars that it began with.
        changed: everything its engine ever gave, None where that was nothing.
        place: where its replay stood, None before the first step.
        reel: what was replayed.
        closes: dollars per share of what it held.
    """

    cash: Decimal
    changed: Changed | None
    place: Place | None
    reel: Description | None
    closes: Mapping[str, Decimal]

    @classmethod
    def of(cls, kept: PaperKept) -> "Recalled":
        """What was kept, read.

        Raises:
            RecyclerError: another version of Tandem wrote it.
        """
        try:
            return cls(
                kept.starting_cash,
                None if kept.ledger is None else _changed(kept, kept.ledger),
                None if kept.place is None else msgspec.json.decode(kept.place, type=Place),
                None if kept.reel is None else msgspec.json.decode(kept.reel, type=dict[str, Any]),
                _document(kept, CLOSES, dict[str, Decimal]) or {},
            )
        except msgspec.MsgspecError as error:
            raise RecyclerError(
                f"the paper account cannot be read: {error}",
                "Another version of Tandem wrote it; start a new one: `tandem recycler reset`.",
            ) from error

    @property
    def symbols(self) -> set[str]:
        """What it holds."""
        return set() if self.changed is None else {held.symbol for held in self.changed.ledger.holdings}

    def restore(self, replay: Replay) -> None:
        """Let a replay's account, as yet untouched, be this one; what had been halted trades again."""
        if self.changed is not None:
            replay.engine.prices.restore(
                {s: c for s, c in self.closes.items() if replay.engine.prices.close(s) is None}
            )
            replay.engine.restore(replace(self.changed, hours=replace(self.changed.hours, halted=())))


def _changed(kept: PaperKept, ledger: str) -> Changed:
    return Changed(
        tickets=tuple(msgspec.json.decode(body, type=Ticket) for body in kept.orders),
        executions=tuple(msgspec.json.decode(body, type=Execution) for body in kept.executions),
        charges=tuple(
            Charge(number=one.number, day=one.day, symbol=one.symbol, dollars=one.dollars) for one in kept.charges
        ),
        ledger=msgspec.json.decode(ledger, type=LedgerState),
        hours=_document(kept, HOURS, Hours) or Hours(),
    )


def _document(kept: PaperKept, name: str, type: type[T]) -> T | None:
    text = kept.documents.get(name)
    return None if text is None else msgspec.json.decode(text, type=type)


def _order(ticket: Ticket) -> PaperOrder:
    return PaperOrder(
        client_order_id=ticket.client_order_id,
        id=ticket.id,
        symbol=ticket.symbol,
        status=ticket.status,
        accepted=ticket.accepted,
        updated=ticket.last.at,
        body=_text(ticket),
    )


def _execution(execution: Execution) -> PaperExecution:
    return PaperExecution(execution.id, execution.client_order_id, execution.at, _text(execution))


def _charge(charge: Charge) -> PaperCharge:
    return PaperCharge(charge.number, charge.day, charge.symbol, charge.dollars)


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
