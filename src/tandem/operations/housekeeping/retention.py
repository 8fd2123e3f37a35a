"""What is old and can be had again, let go of. Facts never are, nor what they name, nor anything of MLflow."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from shutil import rmtree
from typing import Final

from tandem.market import NEW_YORK, World, WorldKind
from tandem.operations.housekeeping.night import Night, size
from tandem.operations.run.wording import counted

CURRENT: Final = "current"


@dataclass(frozen=True, slots=True)
class Old:
    """One thing that has gone, or would go.

    Attributes:
        what: in words.
        count: bars or files.
        bytes: about what it takes.
    """

    what: str
    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class LetGo:
    """Everything of a night.

    Attributes:
        old: what has gone; in a dry run, what would go.
        dry: whether it is still there.
    """

    old: tuple[Old, ...]
    dry: bool = False

    @property
    def words(self) -> str:
        """See `Finding.words`."""
        if not self.old:
            return "nothing is old"
        verb = "would go" if self.dry else "gone"
        named = "; ".join(f"{each.what} ({size(each.bytes)})" for each in self.old)
        return f"{named} {verb}, {size(sum(each.bytes for each in self.old))} in all"


def let_go(night: Night) -> LetGo:
    """Let go of replays' bars beyond `operations.recycled_data_days`, checkpoints of days gone and stale cache files.

    Age is market time. The bars of the replay that is going on, or that the next recycler would go on with, count back
    from its own newest bar: it may live in another year.

    Raises:
        StoreError: PostgreSQL is away.
    """
    found = (*_heard(night), *_checkpoints(night), *_cached(night))
    return LetGo(found, night.dry)


def _heard(night: Night) -> Iterator[Old]:
    kept = timedelta(days=night.settings.operations.recycled_data_days)
    going_on = _going_on(night)
    for world, newest in sorted(_newest(night).items(), key=lambda each: str(each[0])):
        day = newest if world == going_on else night.session.day
        before = datetime.combine(day - kept, time(), NEW_YORK).astimezone(UTC)
        bars, weight = night.store.bars.heard_before(world, before)
        if bars and not night.dry:
            night.store.bars.forget_heard(world, before)
        if bars:
            yield Old(f"{counted(bars, 'bar')} of {world} before {day - kept}", bars, weight)


def _going_on(night: Night) -> World | None:
    """The replay that the night is of, else the newest."""
    if night.world.kind is WorldKind.RECYCLER:
        return night.world
    return next((world for world in reversed(night.store.worlds()) if world.kind is WorldKind.RECYCLER), None)


def _newest(night: Night) -> dict[World, date]:
    """The New York date of the newest bar of each replay that has any."""
    seen = night.store.bars.seen()
    last = seen[seen["source"] == "recycled"].groupby("world")["last"].max()
    known = {str(world): world for world in night.store.worlds()}
    return {known[name]: moment.astimezone(NEW_YORK).date() for name, moment in last.items() if name in known}


def _checkpoints(night: Night) -> Iterator[Old]:
    """A training's batches so far, which a later one of that day would make again."""
    for folder in sorted((night.home / "training").glob("????-??-??")):
        with suppress(ValueError):
            if date.fromisoformat(folder.name) <= night.session.day:
                weight, files = _weight(folder)
                if not night.dry:
                    rmtree(folder, ignore_errors=True)
                yield Old(f"training checkpoints of {folder.name}", files, weight)


def _cached(night: Night) -> Iterator[Old]:
    """Files that no read would take as they are."""
    stale = [each for each in night.store.bars.cached() if each.state != CURRENT]
    for each in stale if not night.dry else ():
        each.path.unlink(missing_ok=True)
    if stale:
        yield Old(counted(len(stale), "stale cache file"), len(stale), sum(each.bytes for each in stale))


def _weight(folder: Path) -> tuple[int, int]:
    """Bytes and files."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return sum(sizes), len(sizes)
