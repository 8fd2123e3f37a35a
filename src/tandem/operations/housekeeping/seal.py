"""The seal of a day: what its bars hash to and how many facts it has, on record, so that a later change shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from typing import ClassVar, Final

import msgspec

from tandem.market import Timeframe
from tandem.operations.housekeeping.night import Night
from tandem.operations.run.wording import counted
from tandem.store import BarDigest, Blobs, Facts, Record

NAMED: Final = 8

Digests = Mapping[tuple[str, str], BarDigest]


@dataclass(frozen=True, slots=True)
class SealedBars:
    """The bars of one length in a sealed day.

    Attributes:
        symbols: how many have any.
        rows: bars and revisions together.
        revisions: later words on a bar.
        digest: SHA-256 of all of them.
    """

    symbols: int
    rows: int
    revisions: int
    digest: str


@dataclass(frozen=True, slots=True)
class DaySealed:
    """The bars of a day as they are in the night after it. Bars that change later make a further seal, never another.

    Attributes:
        day: the trading date.
        version: 1, and one more for each seal after it.
        digest: SHA-256 over the bars of every length.
        bars: by timeframe: everybody's and the world's own, whatever their source.
        facts: how many facts of the day there were, by kind.
        each: digest of the blob that has every symbol's digest.
        changed: what is otherwise than in the seal before, one line each; empty in the first.
    """

    kind: ClassVar = "day_sealed"

    day: date
    version: int
    digest: str
    bars: Mapping[str, SealedBars]
    facts: Mapping[str, int]
    each: str
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sealing:
    """What sealing came to.

    Attributes:
        seal: the one in force.
        new: whether it was put on record now; in a dry run, whether it would be.
    """

    seal: DaySealed
    new: bool

    @property
    def words(self) -> str:
        """See `Finding.words`."""
        seal = self.seal
        lengths = [length for length in Timeframe if length in seal.bars]
        bars = ", ".join(f"{seal.bars[length].rows:,} {length}" for length in lengths) or "no"
        what = f"{bars} bars, {counted(sum(seal.facts.values()), 'fact')}: {seal.digest[:12]}"
        if seal.changed and self.new:
            return f"seal {seal.version}, bars have changed ({'; '.join(seal.changed)}): {what}"
        return what if self.new else f"as in seal {seal.version}: {what}"


def seal_day(night: Night) -> Sealing:
    """Put on record what the day's bars hash to; where nothing has changed since the last seal, nothing is recorded.

    Raises:
        StoreError: PostgreSQL is away.
    """
    day = night.session.day
    first = Timeframe.DAY_1.start_of(night.session.open)
    before = Timeframe.DAY_1.start_of(night.session.open + timedelta(days=1))
    found = night.store.bars.digests(first, before, night.world)
    with night.facts.alone(f"seal of {day}") as facts:
        last = seal_of(facts, day)
        if last is not None and last.digest == _whole(found):
            return Sealing(last, new=False)
        seal = _seal(night, found, last)
        if not night.dry:
            facts.append(Record(seal, day, night.now, f"sealed.{day}.{seal.version}"))
    return Sealing(seal, new=True)


def seal_of(facts: Facts, day: date) -> DaySealed | None:
    """The newest seal of a day; None where it was never sealed."""
    return max((each.body for each in facts.read(DaySealed, session=day)), key=attrgetter("version"), default=None)


def _seal(night: Night, found: list[BarDigest], last: DaySealed | None) -> DaySealed:
    blobs, day = night.store.blobs, night.session.day
    facts = {kind: count for kind, count in night.facts.counts(day).items() if kind != DaySealed.kind}
    each = msgspec.json.encode(found)
    return DaySealed(
        day=day,
        version=last.version + 1 if last else 1,
        digest=_whole(found),
        bars={length: _sealed(list(of)) for length, of in groupby(found, attrgetter("timeframe"))},
        facts=facts,
        each=sha256(each).hexdigest() if night.dry else blobs.put(each),
        changed=_changes(blobs, last, found) if last else (),
    )


def _sealed(found: list[BarDigest]) -> SealedBars:
    return SealedBars(len(found), sum(of.rows for of in found), sum(of.revisions for of in found), _whole(found))


def _whole(found: Iterable[BarDigest]) -> str:
    lines = (f"{of.timeframe} {of.symbol} {of.rows} {of.digest}\n" for of in found)
    return sha256("".join(lines).encode()).hexdigest()


def _changes(blobs: Blobs, last: DaySealed, found: list[BarDigest]) -> tuple[str, ...]:
    """One line for each length whose bars are not what they were."""
    old = {(of.timeframe, of.symbol): of for of in msgspec.json.decode(blobs.get(last.each), type=list[BarDigest])}
    new = {(of.timeframe, of.symbol): of for of in found}
    other = sorted(place for place in old.keys() | new.keys() if old.get(place) != new.get(place))
    by_length = groupby(other, lambda place: place[0])
    return tuple(f"{length}: {_named([_change(old, new, place) for place in of])}" for length, of in by_length)


def _change(before: Digests, after: Digests, place: tuple[str, str]) -> str:
    symbol, old, new = place[1], before.get(place), after.get(place)
    if old is None or new is None:
        return f"{symbol} {'is new' if old is None else 'is gone'}"
    if new.revisions > old.revisions:
        return f"{symbol} has {counted(new.revisions - old.revisions, 'late revision')}"
    if new.rows != old.rows:
        return f"{symbol} has {new.rows:,} bars, it had {old.rows:,}"
    return f"{symbol} has other figures"


def _named(changes: list[str]) -> str:
    others = f" and {len(changes) - NAMED} more" if len(changes) > NAMED else ""
    return ", ".join(changes[:NAMED]) + others
