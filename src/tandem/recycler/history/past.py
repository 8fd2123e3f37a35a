"""What had happened by a moment of the replay, as bars of any length."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tandem.market import NEW_YORK, Session, Span, Timeframe, Unit, new_york_midnight, new_york_offsets
from tandem.recycler.history.line import Line, joined, lines_of, nothing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tandem.matching import Piece, Timeline
    from tandem.recycler.history.today import Bars

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY: Final = EPOCH.date()
TICK: Final = timedelta(microseconds=1)
DAY: Final = timedelta(days=1) // TICK
TO_THE_OPEN: Final = timedelta(hours=9, minutes=30) // TICK
SLACK: Final = timedelta(hours=18)  # a replayed session may cross midnight, and a day may have 25 hours
EARLIEST: Final = datetime(1990, 1, 2, tzinfo=UTC)
BACK: Final = (timedelta(minutes=30), timedelta(hours=18), timedelta(days=4), timedelta(days=40), timedelta(days=400))
SESSION_MINUTES: Final = 390
AT_ONCE: Final = 100_000

Times = Sequence[tuple[int, int]]
Halts = Mapping[str, Times]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one request asks for.

    Attributes:
        symbols: tickers, in alphabetical order, each once.
        span: length of the bars.
        first, last: the earliest and the latest start of a bar, UTC.
        now: where the clock stands, UTC: what ends later has not happened.
        limit: bars of all symbols together.
        descending: newest first, symbol by symbol.
        after: where the page before ended: symbol and start in microseconds since 1970.
    """

    symbols: tuple[str, ...]
    span: Span
    first: datetime
    last: datetime
    now: datetime
    limit: int = 1000
    descending: bool = False
    after: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Part of an answer.

    Attributes:
        lines: symbol by symbol, in the order asked for; one with many bars may come in several lines.
        after: where the next page goes on, None at the end.
    """

    lines: list[tuple[str, Line]]
    after: tuple[str, int] | None


class Past:
    """Bars by the times of a replay, made of stored ones that had ended when its clock stood somewhere.

    One-minute bars are the base. On days on which a symbol has none, the longest stored bars that the
    asked ones can be made of take their place. Bars of a day and longer hold sessions alone. A bar that is
    still going on holds what has happened of it so far.

    Args:
        shelf: where stored bars are.
        timeline: which stored time each moment of the replay plays.
        proxies: symbol to the one whose bars it plays.
        halts: symbol to when nobody traded it: pairs of the first moment without trade and the first with it again,
            in microseconds since 1970. It may grow.
    """

    def __init__(
        self, shelf: "Bars", timeline: "Timeline", proxies: Mapping[str, str], halts: Halts | None = None
    ) -> None:
        self._shelf = shelf
        self._timeline = timeline
        self._proxies = proxies
        self._halts: Halts = {} if halts is None else halts

    def page(self, wanted: Wanted) -> Page:
        """The bars that were asked for, from where the page before ended.

        Raises:
            StoreError: the store is away.
        """
        found: list[tuple[str, Line]] = []
        left = wanted.limit + 1
        for symbol, line in self._in_order(wanted):
            found.append((symbol, line.where(slice(left))))
            left -= len(line)
            if left <= 0:
                return _without_last(found)
        return Page(found, None)

    def latest(self, symbols: Sequence[str], span: Span, now: datetime, count: int = 1) -> dict[str, Line]:
        """The newest bars of each symbol, at most `count`, oldest first; no symbol without any."""
        found: dict[str, Line] = {}
        enough: dict[str, Line] = {}
        for first in (*(now - count * max(back, span.longest) for back in BACK), EARLIEST):
            missing = [symbol for symbol in symbols if symbol not in enough]
            found |= self.lines(missing, span, max(first, EARLIEST), now, now) if missing else {}
            enough = {symbol: line for symbol, line in found.items() if len(line) >= count}
        return {symbol: line.where(slice(-count, None)) for symbol, line in found.items()}

    def lines(
        self, symbols: Sequence[str], span: Span, first: datetime, last: datetime, now: datetime
    ) -> dict[str, Line]:
        """All bars of these symbols that start from `first` to `last`, as far as they were known at `now`."""
        if min(last, now) < first:
            return {}
        step = span if span.intraday else Span(1, Unit.DAY)
        until = min(now, last + span.longest + (timedelta() if span.intraday else SLACK))
        halted = [symbol for symbol in symbols if symbol in self._halts]
        whole = sorted({self._proxies.get(s, s) for s in symbols if s not in halted})
        steps = self._steps(whole, step, first, until, now)
        lines = {s: line for s in symbols if (line := steps.get(self._proxies.get(s, s))) is not None}
        for symbol in halted:
            name = self._proxies.get(symbol, symbol)
            made = self._steps([name], step, first, until, now, self._halts.get(symbol, ()))
            lines[symbol] = made.get(name, nothing())
        return {
            symbol: bars
            for symbol in symbols
            if (line := lines.get(symbol)) is not None
            and len(bars := _between(_of_span(line, span), _tick(first), _tick(last)))
        }

    def _in_order(self, wanted: Wanted) -> Iterator[tuple[str, Line]]:
        if wanted.last < wanted.first:
            return
        symbols = [s for s in wanted.symbols if wanted.after is None or s >= wanted.after[0]]
        if symbols and wanted.after is not None and symbols[0] == wanted.after[0]:
            yield from self._one(symbols.pop(0), _after(wanted, wanted.after[1]))
        each, size = _at_most(wanted), -(-(wanted.limit + 1) // _at_most(wanted))
        while symbols:
            batch, symbols = symbols[:size], symbols[size:]
            yield from self._one(batch[0], wanted) if size == 1 else self._many(batch, wanted)
            size = max(size, min(2 * size, AT_ONCE // each))  # those so far had fewer bars than there may be

    def _many(self, symbols: Sequence[str], wanted: Wanted) -> Iterator[tuple[str, Line]]:
        found = self.lines(symbols, wanted.span, wanted.first, wanted.last, wanted.now)
        for symbol in symbols:
            if symbol in found:
                yield symbol, _directed(found[symbol], wanted.descending)

    def _one(self, symbol: str, wanted: Wanted) -> Iterator[tuple[str, Line]]:
        for first, last in _windows(wanted):
            yield from self._many([symbol], replace(wanted, first=first, last=last))

    def _steps(
        self,
        names: Sequence[str],
        step: Span,
        first: datetime,
        until: datetime,
        now: datetime,
        halts: Times = (),
    ) -> dict[str, Line]:
        if not names:
            return {}
        pieces = self._timeline.pieces(first, until)
        found = self._made_of(Timeframe.MIN_1, names, step, pieces, now, halts)
        for part in step.parts:
            gaps = [name for name in names if _has_gaps(found.get(name), first, until)]
            more = self._made_of(part, gaps, step, pieces, now, halts) if gaps else {}
            found |= {name: _filled(found.get(name), line) for name, line in more.items()}
        return found

    def _made_of(
        self,
        timeframe: Timeframe,
        names: Sequence[str],
        step: Span,
        pieces: Iterable["Piece"],
        now: datetime,
        halts: Times,
    ) -> dict[str, Line]:
        parts: dict[str, list[tuple[Line, NDArray[Any]]]] = {}
        for piece in pieces:
            strip = self._shelf.strip(names, timeframe, piece.first, _ends(piece, timeframe))
            for name, line in lines_of(strip).items():
                shift = piece.shift // TICK
                known = self._known(_traded(line, shift, halts), timeframe, step, shift, _tick(now))
                parts.setdefault(name, []).append(known)
        return {name: made for name, known in parts.items() if len(made := _made(known))}

    def _known(self, line: Line, timeframe: Timeframe, step: Span, shift: int, now: int) -> "tuple[Line, NDArray[Any]]":
        replayed = line.at(line.start + shift)
        if timeframe is Timeframe.DAY_1:
            return self._whole_days(replayed, now)
        length = timeframe.length // TICK
        ended = replayed.start + length <= now
        if step.intraday:
            return replayed.where(ended), step.starts(line.start[ended]) + shift
        return self._in_session(replayed.where(ended), length)

    def _whole_days(self, line: Line, now: int) -> "tuple[Line, NDArray[Any]]":
        import numpy as np

        opened = line.start + TO_THE_OPEN
        days = [EPOCH_DAY + timedelta(days=n) for n in ((opened + new_york_offsets(opened)) // DAY).tolist()]
        ended = np.array([self._is_over(day, now) for day in days], dtype=bool)
        labels = np.array([new_york_midnight(day) for day in days], dtype=np.int64)[ended]
        return line.where(ended), labels

    def _in_session(self, line: Line, length: int) -> "tuple[Line, NDArray[Any]]":
        import numpy as np

        sessions = self._sessions_of(line.start)
        if not sessions:
            return nothing(), nothing().start
        opens = np.array([_tick(session.open) for session in sessions], dtype=np.int64)
        closes = np.array([_tick(session.close) for session in sessions], dtype=np.int64)
        days = np.array([new_york_midnight(session.day) for session in sessions], dtype=np.int64)
        which = np.searchsorted(opens, line.start + length, side="left") - 1
        inside = (which >= 0) & (line.start < closes[which])
        return line.where(inside), days[which[inside]]

    def _sessions_of(self, ticks: "NDArray[Any]") -> list[Session]:
        import numpy as np

        numbers = np.unique((ticks + new_york_offsets(ticks)) // DAY).tolist() if len(ticks) else []
        days = sorted({EPOCH_DAY + timedelta(days=n - before) for n in numbers for before in (0, 1)})
        return [session for day in days for session in self._timeline.sessions(day, day)]

    def _is_over(self, day: date, now: int) -> bool:
        if new_york_midnight(day) + 2 * DAY < now:
            return True
        return any(_tick(session.close) <= now for session in self._timeline.sessions(day, day))


def _tick(moment: datetime) -> int:
    return (moment - EPOCH) // TICK


def _moment(tick: int) -> datetime:
    return EPOCH + tick * TICK


def _new_york(tick: int) -> date:
    return _moment(tick).astimezone(NEW_YORK).date()


def _ends(piece: "Piece", timeframe: Timeframe) -> datetime:
    """A stored day counts 24 hours, and is known at its close."""
    return piece.last + timeframe.length if timeframe is Timeframe.DAY_1 else piece.last


def _traded(line: Line, shift: int, halts: Times) -> Line:
    for halt, resumption in halts:
        start = line.start + shift
        line = line.where((start < halt) | (start >= resumption))
    return line


def _made(known: "Sequence[tuple[Line, NDArray[Any]]]") -> Line:
    import numpy as np

    line = joined([line for line, _ in known])
    return line.longer(np.sort(np.concatenate([labels for _, labels in known])))


def _of_span(days: Line, span: Span) -> Line:
    if span.intraday or span.unit is Unit.DAY:
        return days
    import numpy as np

    labels = [new_york_midnight(span.day_of(_new_york(tick))) for tick in days.start.tolist()]
    return days.longer(np.array(labels, dtype=np.int64))


def _between(line: Line, first: int, last: int) -> Line:
    a, b = line.start.searchsorted(first), line.start.searchsorted(last, side="right")
    return line.where(slice(a, b))


def _has_gaps(line: Line | None, first: datetime, until: datetime) -> bool:
    import numpy as np

    if line is None:
        return True
    weekdays = np.busday_count(_new_york(_tick(first)), _new_york(_tick(until)) + timedelta(days=1))
    return bool(len(np.unique(_days(line.start))) < weekdays)


def _filled(line: Line | None, more: Line) -> Line:
    import numpy as np

    if line is None:
        return more
    return joined([line, more.where(~np.isin(_days(more.start), _days(line.start)))])


def _days(ticks: "NDArray[Any]") -> "NDArray[Any]":
    days: NDArray[Any] = (ticks + new_york_offsets(ticks)) // DAY
    return days


def _at_most(wanted: Wanted) -> int:
    """How many bars a symbol may have in the range."""
    return int((wanted.last - wanted.first) / _per_bar(wanted.span)) + 1


def _per_bar(span: Span) -> timedelta:
    """Time on the calendar that one bar takes on average, nights and weekends included."""
    if not span.intraday:
        return span.longest
    per_day = -(-SESSION_MINUTES // (span.longest // timedelta(minutes=1)))
    return timedelta(days=1.4) / per_day


def _windows(wanted: Wanted) -> Iterator[tuple[datetime, datetime]]:
    """Parts of the range from the end at which reading starts, each twice as long as the one before."""
    length = (wanted.limit + 1) * _per_bar(wanted.span) + timedelta(days=4)
    first, last = wanted.first, wanted.last
    while first <= last:
        if wanted.descending:
            yield max(first, last - length), last
            last -= length + TICK
        else:
            yield first, min(last, first + length)
            first += length + TICK
        length *= 2


def _after(wanted: Wanted, tick: int) -> Wanted:
    if wanted.descending:
        return replace(wanted, last=min(wanted.last, _moment(tick) - TICK))
    return replace(wanted, first=max(wanted.first, _moment(tick) + TICK))


def _directed(line: Line, descending: bool) -> Line:
    return line.where(slice(None, None, -1)) if descending else line


def _without_last(found: list[tuple[str, Line]]) -> Page:
    symbol, line = found.pop()
    if len(line) > 1:
        found.append((symbol, line.where(slice(-1))))
    last, kept = found[-1]
    return Page(found, (last, int(kept.start[-1])))
