"""The days of a recycler, and the replay of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import chain, count, islice
from typing import Final, Protocol

from tandem.market import NEW_YORK, Calendar
from tandem.matching import Act, Columns, Engine, Place, Prices, Reel, Replay, Timeline, last_closes, midnight
from tandem.recycler.options import Options
from tandem.recycler.reel.casting import cast
from tandem.recycler.reel.playing import Playing, Turn
from tandem.recycler.reel.running_order import Consecutive, RunningOrder, running_order, successive
from tandem.recycler.reel.shelf import Plays, Shelf
from tandem.store import Track

DAY: Final = timedelta(days=1)
LONGEST_SILENCE: Final = 5
LOOKED_BACK: Final = 5
LAST_DAY: Final = date(2100, 12, 31)
REPEATING: Final = ("loop", "shuffle_days", "splice")


class Now(Protocol):
    """The wall clock, for timestamps that begin with it."""

    def now(self) -> datetime:
        """The time of day, UTC."""
        ...


@dataclass(frozen=True, slots=True)
class NotBefore:
    """A clock for an account that has seen a later moment than the wall clock shows: its time never goes back."""

    clock: Now
    moment: datetime

    def now(self) -> datetime:
        """See `Now.now`."""
        return max(self.clock.now(), self.moment)


@dataclass(frozen=True, slots=True)
class Programme:
    """The days of a recycler.

    Attributes:
        shelf: where the bars are.
        tracks: whose bars are played.
        plays: as which symbols.
        symbols: what is replayed, in alphabetical order.
        order: which sessions, in which order.
        loops: how often; None without end.
        clock: gives the time at which a loop's first bar starts; None where bars keep their times.
    """

    shelf: Shelf
    tracks: tuple[Track, ...]
    plays: Plays
    symbols: tuple[str, ...]
    order: RunningOrder
    loops: int | None = 1
    clock: Now | None = None

    @property
    def proxies(self) -> dict[str, str]:
        """Symbol without bars of its own to the one whose bars it plays."""
        roles = self.plays.roles.items()
        return {role: symbol for symbol, those in roles for role in those if role != symbol}

    @property
    def sources(self) -> dict[str, str]:
        """Symbol to the source, feed and adjustment that it plays."""
        return {role: str(track) for track in self.tracks for role in self.plays.roles[track.symbol]}

    def reel(self) -> Reel:
        """What a replay plays: acts read one ahead, in a thread of its own."""
        timeline = Timeline()
        return Reel(
            self.symbols,
            timeline,
            lambda place: Playing(self, timeline, place).acts(),
            timeframe=self.plays.timeframe,
            proxies=self.proxies,
            sources=self.sources,
            closes=self.closes,
            end=self.end,
            turns=self.days,
        )

    def turns(self, place: Place | None = None) -> Iterator[Turn]:
        """What is played, from the beginning or from a place on."""
        begin = place.loop if place else 0
        for loop in count(begin) if self.loops is None else range(begin, self.loops):
            turns = self._loop(loop)
            yield from self._from(turns, place) if place and loop == begin else turns

    def columns(self, turn: Turn) -> tuple[Columns, Columns | None]:
        """The bars of a turn, and the newest words on those that were revised."""
        return self.shelf.columns(self.tracks, self.symbols, self.plays, turn.first, turn.last)

    def closes(self, place: Place) -> Mapping[str, Decimal]:
        """The last closes before the act of a place, as far as the days before it tell."""
        found: dict[str, Decimal] = {}
        for turn in self._before(place):
            found = last_closes(self.columns(turn)[0]) | found
            if len(found) == len(self.symbols):
                break
        return found

    def end(self, act: Act) -> datetime:
        """The last mark of the loop that an act belongs to."""
        turn, shift = list(self._laid(act))[-1]
        return Act.of(turn.session, *self.columns(turn)).marks[-1] + shift

    def days(self, act: Act) -> Iterator[tuple[date, datetime]]:
        """The days of the loop that an act belongs to, each with its first instant in replay time."""
        return ((turn.session.day, turn.first + shift) for turn, shift in self._laid(act))

    def silence(self, turn: Turn) -> date | None:
        """The day on which bars go on, where none of the next sessions has any."""
        if self.order.laid:
            return None
        further = self.shelf.source.following(self.tracks, self.plays.timeframe, turn.first)
        day = date.max if further is None else further.astimezone(NEW_YORK).date()
        silent = list(islice(Consecutive(turn.session.day, LAST_DAY).sessions(0), LONGEST_SILENCE + 1))
        return day if len(silent) > LONGEST_SILENCE and silent[-1].day < day else None

    def _laid(self, act: Act) -> Iterator[tuple[Turn, timedelta]]:
        """The turns of the loop of an act, and how much later than in the store they are played."""
        turns = list(self._loop(act.loop))
        if not self.order.laid:
            return ((turn, act.offset) for turn in turns)
        played = (act.session.open - act.offset).astimezone(NEW_YORK).date()
        targets = successive(played, -act.number, len(turns))
        return ((turn, to.open - turn.session.open + act.offset) for turn, to in zip(turns, targets, strict=True))

    def _loop(self, loop: int) -> Iterator[Turn]:
        following = chain(self.order.sessions(loop), [None])
        session = next(following)
        for number, coming in enumerate(following):
            if session is None:
                return
            over = session.day + DAY if self.order.laid or coming is None else coming.day
            yield Turn(loop, number, session, midnight(session.day), midnight(over))
            session = coming

    def _from(self, turns: Iterator[Turn], place: Place) -> Iterator[Turn]:
        for turn in turns:
            if self.order.laid and turn.number == place.number and turn.session.day != place.day:
                yield self._in_place_of(turn, place.day)
            elif turn.number >= place.number if self.order.laid else turn.session.day >= place.day:
                yield turn

    def _in_place_of(self, turn: Turn, day: date) -> Turn:
        session = Calendar().session(day)
        if session is None:
            return turn
        return replace(turn, session=session, first=midnight(day), last=midnight(day + DAY))

    def _before(self, place: Place) -> Iterator[Turn]:
        loops = [loop for loop in (place.loop, place.loop - 1) if loop >= 0]
        earlier = chain.from_iterable(reversed(list(self._loop(loop))) for loop in loops)
        stops = (turn for turn in earlier if turn.loop < place.loop or self._is_before(turn, place))
        return islice(stops, LOOKED_BACK)

    def _is_before(self, turn: Turn, place: Place) -> bool:
        return turn.number < place.number if self.order.laid else turn.session.day < place.day


def programme_of(options: Options, shelf: Shelf, clock: Now) -> Programme:
    """What a recycler with these options plays from this shelf.

    Args:
        clock: the wall clock; asked for the start of each loop where timestamps are current.

    Raises:
        RecyclerError: no bars for a symbol that has no proxy either, or none but simulated ones; a date to splice
            without bars or trading.
        StoreError: the store is away.
    """
    tracks, roles = cast(options, shelf)
    return Programme(
        shelf,
        tracks,
        Plays(options.timeframe, roles),
        tuple(sorted(options.symbols)),
        running_order(options, shelf, tracks),
        _loops(options),
        clock if options.timestamps == "current" else None,
    )


def replay_of(options: Options, shelf: Shelf, clock: Now, place: Place | None = None) -> Replay:
    """A replay of stored bars with a new account, at its beginning or where another one stood.

    Where bars keep their times and the reel starts over, the account of the next loop's world is a new one.

    Args:
        clock: the wall clock.
        place: where to go on.

    Raises:
        RecyclerError: see `programme_of`.
        StoreError: the store is away.
    """
    reel = programme_of(options, shelf, clock).reel()
    begin = options.world.loop - (place.loop if place else 0)

    def account(loop: int) -> Engine:
        world = replace(options.world, loop=begin + loop)
        prices = Prices(reel.symbols)
        return Engine(world, options.cash, options.costs, prices, fills=options.fills, seed=options.fills_seed)

    return Replay(reel, account(place.loop if place else 0), place, account)


def _loops(options: Options) -> int | None:
    if options.mode not in REPEATING:
        return 1
    return None if options.loop_count == -1 else max(options.loop_count, 1)
