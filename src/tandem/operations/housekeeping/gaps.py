"""Minutes of a session without a bar: found by the calendar, asked of where the day's bars came from, and stored."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tandem.desk import configuration_of
from tandem.execution import Origin
from tandem.market import ConfigError, RecyclerError, Timeframe, World, WorldKind
from tandem.operations.housekeeping.night import Night
from tandem.operations.run.wording import counted
from tandem.sources import alpaca

if TYPE_CHECKING:
    import pandas as pd

MINUTE: Final = timedelta(minutes=1)
RAW: Final = "raw"
NAMED: Final = 5

Place = tuple[str, datetime]


@dataclass(frozen=True, slots=True)
class Gaps:
    """The minutes that lacked a bar.

    Attributes:
        symbols: the desk's.
        expected: minutes of the session, times symbols.
        lacking: of them, those without a bar.
        filled: of these, those that have one now.
        silent: minutes that have no bar where it was asked either, by symbol: as a rule nobody traded in them.
        broken: what is no bar there; it is in the quarantine.
        unknown: symbols that were refused there as none, or of which there is nothing all day where others have bars.
        unasked: why it was not asked; empty where it was, or where there was nothing to ask.
    """

    symbols: tuple[str, ...]
    expected: int
    lacking: int
    filled: int = 0
    silent: Mapping[str, int] = field(default_factory=dict)
    broken: int = 0
    unknown: tuple[str, ...] = ()
    unasked: str = ""

    @property
    def words(self) -> str:
        """See `Finding.words`."""
        whole = f"{counted(self.expected, 'minute')} of {counted(len(self.symbols), 'symbol')}"
        if not self.lacking:
            return f"{whole}: {'each has its bar' if self.expected else self.unasked or 'nothing to look for'}"
        kept = self.expected - self.lacking
        lack = f"{self.lacking:,} of {whole} had no bar" if kept else f"none of {whole} had a bar yet"
        if self.unasked:
            return f"{lack}: not asked for, {self.unasked}"
        broken = f", {self.broken:,} malformed, in the quarantine" if self.broken else ""
        return f"{lack}: {self.filled:,} filled in{self._silence}{broken}{self._strangers}"

    @property
    def _strangers(self) -> str:
        if not self.unknown:
            return ""
        them, one = ", ".join(self.unknown), len(self.unknown) == 1
        what = f"{'is' if one else 'are'} unknown there, or did not trade all day"
        return f". {them} {what}: {alpaca.RENAMED[0].lower()}{alpaca.RENAMED[1:]}"

    @property
    def _silence(self) -> str:
        if not self.silent:
            return ""
        most = sorted(self.silent.items(), key=lambda each: (-each[1], each[0]))
        named = ", ".join(f"{symbol} {count}" for symbol, count in most[:NAMED])
        others = f" and {len(most) - NAMED} more" if len(most) > NAMED else ""
        return f", {sum(self.silent.values()):,} have none there either ({named}{others})"


def fill_gaps(night: Night) -> Gaps:
    """Fill in the minutes of the desk's symbols that lack a bar.

    A minute in which nobody traded has no bar anywhere: it stays as it is. A symbol that is unknown there is named, and
    the others are filled in. That there is nobody to ask, for there are no keys or no recycler plays this world, is a
    reason and no error. Bars are stored as those of the day are: raw, everybody's from Alpaca, the world's own from its
    recycler.

    Raises:
        ConfigError: Alpaca refuses the keys.
        DataError: who was asked does not answer, or refuses.
        StoreError: PostgreSQL is away.
    """
    if night.world.is_hypothetical:
        return Gaps((), 0, 0, unasked=f"{night.world} has no bars of its own")
    symbols = desk_symbols(night)
    series = _series(night, symbols)
    lacking = _lacking(night, symbols, series)
    expected = len(symbols) * len(night.session.minutes)
    if not lacking or night.dry:
        return Gaps(symbols, expected, len(lacking), unasked="this is a dry run" if lacking else "")
    try:
        origin = _origin(night.origin, night.world)
    except (ConfigError, RecyclerError) as error:
        return Gaps(symbols, expected, len(lacking), unasked=str(error))
    refused: list[str] = []
    bars = _asked(origin, lacking, refused.append)
    loaded = night.store.bars.load(bars, timeframe=Timeframe.MIN_1, **series)
    silent = Counter(symbol for symbol, _ in set(lacking).difference(_places(bars)))
    # A recycler plays some symbols; which it has is no secret, and no question of names.
    is_played = night.world.kind is WorldKind.RECYCLER
    strangers = set[str]() if is_played else _without_a_bar(silent, len(night.session.minutes), symbols)
    unknown = {*refused, *strangers}
    return Gaps(
        symbols, expected, len(lacking), loaded.added, dict(sorted(silent.items())), loaded.quarantined,
        tuple(sorted(unknown)),
    )  # fmt: skip


def desk_symbols(night: Night) -> tuple[str, ...]:
    """The legs of the day's pairs that are traded or on probation, and `websocket.symbols`, sorted."""
    configuration = configuration_of(night.facts, night.session.day)
    legs = [symbol for each in (configuration.pairs if configuration else ()) for symbol in each.pair.symbols]
    return tuple(sorted({*legs, *night.settings.websocket.symbols}))


def _series(night: Night, symbols: tuple[str, ...]) -> dict[str, Any]:
    """How the day's bars are marked; those of a replay in lockstep name no feed."""
    own = night.world.kind is WorldKind.RECYCLER
    marks: dict[str, Any] = {
        "source": "recycled" if own else alpaca.SOURCE,
        "adjustment": RAW,
        "world": night.world if own else None,
    }
    feeds = (night.settings.alpaca.data_feed, "") if own else (night.settings.alpaca.data_feed,)
    return marks | {"feed": max(feeds, key=lambda feed: len(_held(night, symbols, {**marks, "feed": feed})))}


def _held(night: Night, symbols: tuple[str, ...], series: dict[str, Any]) -> set[Place]:
    session = night.session
    bars = night.store.bars.read(symbols, Timeframe.MIN_1, first=session.open, last=session.close, **series)
    return set(_places(bars))


def _places(bars: "pd.DataFrame") -> Iterable[Place]:
    return zip(bars["symbol"], (start.to_pydatetime() for start in bars["start"]), strict=True)


def _lacking(night: Night, symbols: tuple[str, ...], series: dict[str, Any]) -> list[Place]:
    held = _held(night, symbols, series)
    starts = [end - MINUTE for end in night.session.minutes if end <= night.now]
    return [(symbol, start) for symbol in symbols for start in starts if (symbol, start) not in held]


def _without_a_bar(silent: Mapping[str, int], minutes: int, symbols: tuple[str, ...]) -> set[str]:
    """Symbols with no bar all day: none where nobody has any, for then it is the source that has nothing."""
    found = {symbol for symbol, count in silent.items() if count == minutes}
    return found if len(found) < len(symbols) else set()


def _asked(origin: Origin, lacking: list[Place], unknown: Callable[[str], None]) -> "pd.DataFrame":
    """The bars of those minutes alone: what is there stays the first word."""
    symbols, starts = sorted({symbol for symbol, _ in lacking}), [start for _, start in lacking]
    bars = alpaca.between(symbols, min(starts), max(starts), account=origin.account, url=origin.rest, unknown=unknown)
    wanted = set(lacking)
    return bars.loc[[place in wanted for place in _places(bars)]]


def _origin(origin: Origin | None, world: World) -> Origin:
    """Where the world's bars came from.

    Raises:
        ConfigError: there is no such place, it has no keys, or it plays another world.
        RecyclerError: no recycler answers.
    """
    if origin is None:
        raise ConfigError("there is nobody to ask")
    _ = origin.keys
    if world.kind is WorldKind.RECYCLER and (playing := origin.time.world()) != world:
        raise ConfigError(f"{origin.name} plays {playing or 'no world'} now")
    return origin
