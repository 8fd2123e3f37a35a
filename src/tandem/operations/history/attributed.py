"""What the trades of a session came to, split into its parts, as facts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby

from tandem.book import Attribution, Held, Mark, Quote, attribute, minute_of, shared
from tandem.desk import fact_key, plan_of
from tandem.execution import PairOrderEnded, name_of
from tandem.market import Calendar, DataError, Fill, Pair, Session
from tandem.operations.run.roundtrip import newest_prices
from tandem.risk import Intent
from tandem.screening import Passport
from tandem.signals import Signal
from tandem.store import Facts, Record, Store


def record_attribution(store: Store, facts: Facts, session: Session) -> list[Attribution]:
    """Put on record what each trade of a session came to, and of earlier sessions where nobody has; once each.

    Borrowing is what the recycler's paper account was charged; a broker elsewhere does not say it.

    Args:
        session: one that is over.

    Returns:
        Those of the session.

    Raises:
        DataError: a trade whose passport is not on record.
    """
    with facts.alone("attribution") as own:
        known = own.read(Attribution)
        last = max((record.session for record in known), default=date.min)
        if last < session.day:
            for day in _sessions(own, last, session.day):
                close = session.close if day == session.day else _close(day)
                charges = store.paper(own.world).charges(last, day)
                own.append(*_records(day, close, attribute_session(own, day, charges, last)))
                last = day
        return [record.body for record in own.read(Attribution, session=session.day)]


def attribute_session(
    facts: Facts, day: date, charges: Mapping[str, Decimal] | None = None, last: date | None = None
) -> list[Attribution]:
    """What each trade came to in one session; the sessions before have to be on record.

    Args:
        charges: dollars charged since the session before for shares held short, by symbol.
        last: the last session before it; where None, the last one with a trade is looked for.

    Raises:
        DataError: a trade whose passport is not on record.
    """
    fills = list({r.body.execution_id: r for r in facts.read(Fill, session=day)}.values())
    carried = _charged(_carried(facts, last or _last(facts, day)), charges or {})
    pairs = sorted(carried.keys() | {Pair.parse(record.pair or "") for record in fills})
    if not pairs:
        return []
    signals = facts.read(Signal, session=day)
    closing = newest_prices(signals, fills)
    found: dict[tuple[Pair, datetime], Attribution] = {}
    for pair in pairs:
        own = [record.body for record in fills if record.pair == str(pair)]
        quotes = [_quote(record) for record in signals if record.body.pair == pair]
        for each in _Stay(facts, pair, carried.get(pair)).through(own, quotes, closing):
            before = found.get((pair, each.opened_at))
            found[pair, each.opened_at] = before.then(each) if before else each
    return list(found.values())


def attribute_over(store: Store, facts: Facts) -> None:
    """Attribute every session of a world that is certainly over: a later one began, or its last decision is done."""
    marks = facts.read(Mark)
    days = sorted({record.session for record in marks})
    if days and not _is_over(facts, days[-1], {record.at for record in marks[-2:]}):
        days.pop()
    if days and (session := Calendar().session(days[-1])):
        record_attribution(store, facts, session)


def _is_over(facts: Facts, day: date, decided: set[datetime]) -> bool:
    session = Calendar().session(day)
    if session is None or session.decisions[-1] not in decided:
        return False
    ended = {(record.body.name, record.body.purpose) for record in facts.read(PairOrderEnded, session=day)}
    intents = facts.read(Intent, session=day)
    return all((name_of(facts.world, each.body.pair, each.at), each.body.purpose) in ended for each in intents)


class _Stay:
    """A pair walked through a session: trades begin and end on the way."""

    def __init__(self, facts: Facts, pair: Pair, carried: tuple[Attribution, Held] | None) -> None:
        self._facts, self._pair = facts, pair
        self._entries = [r for r in facts.read(Intent, pair=str(pair)) if r.body.purpose == "enter"]
        self._known: tuple[datetime, int] | None = None
        self._held = Held(pair, Decimal(0))
        if carried is not None:
            self._known, self._held = (carried[0].opened_at, carried[0].direction), carried[1]

    def through(
        self, fills: Sequence[Fill], quotes: Sequence[Quote], closing: Mapping[str, Decimal]
    ) -> Iterator[Attribution]:
        events: list[Fill | Quote] = [*fills, *quotes]
        for _, together in groupby(sorted(events, key=minute_of), minute_of):
            happened = list(together)
            for event in happened:
                if isinstance(event, Fill) and self._known is None:
                    self._begin(event)
            self._held = attribute(self._held, happened)
            if self._known is not None and self._held.is_flat:
                yield self._end()
        if self._known is not None:
            self._held = self._held.moved(closing)
            yield self._end()

    def _begin(self, fill: Fill) -> None:
        entry = next((each for each in reversed(self._entries) if each.at <= fill.at), None)
        if entry is None:
            raise DataError(f"{self._pair} was filled at {fill.at:%Y-%m-%d %H:%M} and no entry is on record")
        self._known = entry.at, entry.body.direction
        hedge = _hedge_ratio(self._facts, entry.body)
        self._held = Held(self._pair, hedge, price_a=self._held.price_a, price_b=self._held.price_b)

    def _end(self) -> Attribution:
        assert self._known is not None
        found = Attribution.of(self._held, *self._known)
        self._known = None
        self._held = Held(self._pair, Decimal(0), price_a=self._held.price_a, price_b=self._held.price_b)
        return found


def _last(facts: Facts, day: date) -> date:
    return max((record.session for record in facts.read(Attribution) if record.session < day), default=date.min)


def _carried(facts: Facts, last: date) -> dict[Pair, tuple[Attribution, Held]]:
    held = [record.body for record in facts.read(Attribution, session=last) if record.body.is_open]
    return {each.pair: (each, each.carried) for each in held}


def _charged(
    carried: dict[Pair, tuple[Attribution, Held]], charges: Mapping[str, Decimal]
) -> dict[Pair, tuple[Attribution, Held]]:
    for symbol, dollars in charges.items():
        shares = {pair: -_shares(held, symbol) for pair, (_, held) in carried.items() if _shares(held, symbol) < 0}
        for pair, own in (shared(dollars, shares) if shares else {}).items():
            carried[pair] = carried[pair][0], carried[pair][1].charged(own)
    return carried


def _shares(held: Held, symbol: str) -> Decimal:
    return {held.pair.a: held.qty_a, held.pair.b: held.qty_b}.get(symbol, Decimal(0))


def _hedge_ratio(facts: Facts, entry: Intent) -> Decimal:
    plan = plan_of(facts, entry.passport)
    key = fact_key("passport", entry.passport, plan.version if plan else 1, entry.pair)
    found = {r.key: r.body for r in facts.read(Passport, session=entry.passport, pair=str(entry.pair))}
    if not found:
        raise DataError(f"the passport of {entry.pair} for {entry.passport} is not on record")
    passport = found.get(key) or list(found.values())[-1]
    return Decimal(repr(passport.hedge_ratio))


def _quote(record: Record[Signal]) -> Quote:
    return Quote(record.at, Decimal(repr(record.body.price_a)), Decimal(repr(record.body.price_b)))


def _sessions(facts: Facts, after: date, until: date) -> list[date]:
    return sorted({record.session for record in facts.read(Mark) if after < record.session <= until} | {until})


def _records(day: date, close: datetime, found: Iterable[Attribution]) -> Iterator[Record]:
    for each in found:
        yield Record(each, day, close, f"attribution.{day}.{each.pair}.{each.opened_at:%Y%m%dT%H%M}", str(each.pair))


def _close(day: date) -> datetime:
    session = Calendar().session(day)
    assert session is not None
    return session.close
