"""`/v2/account/portfolio/history`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tandem.market import NEW_YORK, Session
from tandem.matching import unprocessable
from tandem.recycler.rest.asked import Asked
from tandem.recycler.rest.gate import Answer
from tandem.recycler.trading.broker import Broker
from tandem.recycler.trading.equity import EARLIER, LATER

DAY: Final = "1D"
FRAMES: Final = {
    "1Min": timedelta(minutes=1),
    "5Min": timedelta(minutes=5),
    "15Min": timedelta(minutes=15),
    "1H": timedelta(hours=1),
    DAY: timedelta(days=1),
}
LONGEST: Final = {"1Min": timedelta(days=7), DAY: timedelta(days=36600)}
USUAL_LONGEST: Final = timedelta(days=31)
PERIOD: Final = re.compile(r"([1-9][0-9]{0,3})([DWMAY])")
LONGEST_PERIOD: Final = 36_500
DAYS: Final = {"W": 7, "M": 30, "A": 365, "Y": 365}
REPORTING: Final = ("market_hours", "extended_hours", "continuous")
RESETS: Final = ("no_reset", "per_day")
BEFORE_OPEN: Final = timedelta(hours=9, minutes=30)
RATIO: Final = Decimal("0.000001")

_encoder: Final = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Window:
    """One element of the answer: starts at `start`, is worth what the account was at `end`, of the session `day`."""

    start: datetime
    end: datetime
    day: date


class Portfolio:
    """The account's equity over time, as the replay's clock has seen it."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def endpoints(self) -> list[tuple[str, str, Answer]]:
        """Method, path, answer."""
        return [("GET", "/v2/account/portfolio/history", self.history)]

    async def history(self, request: Request) -> Response:
        """Equity, profit and loss for each window of the period."""
        asked = Asked.query(request)
        if all(map(asked.has, ("start", "end", "period"))):
            raise unprocessable("only two of start, end and period may be given")
        first, end = self._span(asked)
        frame = asked.one_of("timeframe", tuple(FRAMES), _usual_frame(end - first))
        if end - first > LONGEST.get(frame, USUAL_LONGEST):
            raise unprocessable(f"invalid timeframe: {frame} windows reach no further than {_reach(frame)} days")
        windows = list(self._windows(first, end, frame, _reporting(asked)))
        per_day = asked.one_of("pnl_reset", RESETS, RESETS[0]) == "per_day" and frame != DAY
        return Response(_encoder.encode(self._told(windows, first, frame, per_day)), media_type="application/json")

    def _span(self, asked: Asked) -> tuple[datetime, datetime]:
        now, opened = self._broker.replay.time, self._broker.opened
        end = min(asked.moment("end") or self._end_of(asked.day("date_end")) or now, now)
        start = asked.moment("start")
        if start is None:
            start = self._before(end, asked.text("period") or "1M")
        elif start > now:
            start = now
        elif asked.has("period") and not asked.has("end"):
            end = min(end, start + _length(asked.text("period") or "1M"))
        return max(start, opened), max(end, opened)

    def _end_of(self, day: date | None) -> datetime | None:
        if day is None:
            return None
        if not 1990 <= day.year <= 2100:
            raise unprocessable(f"invalid date_end: {day}")
        return datetime.combine(day, time(23, 59, 59), NEW_YORK)

    def _before(self, end: datetime, period: str) -> datetime:
        length = _length(period)
        day = end.astimezone(NEW_YORK).date()
        if not period.endswith("D"):
            return self._midnight(max(day.toordinal() - length.days, self._opened_day().toordinal()))
        earliest = max(day - 2 * length - timedelta(days=10), self._opened_day())
        sessions = self._broker.timeline.sessions(earliest, day)[-length.days :]
        return self._midnight(sessions[0].day.toordinal() if sessions else day.toordinal())

    def _opened_day(self) -> date:
        return self._broker.opened.astimezone(NEW_YORK).date()

    def _midnight(self, day: int) -> datetime:
        return datetime.combine(date.fromordinal(day), time(), NEW_YORK)

    def _windows(self, first: datetime, end: datetime, frame: str, reporting: str) -> Iterator[Window]:
        days = first.astimezone(NEW_YORK).date(), end.astimezone(NEW_YORK).date()
        for session in self._broker.timeline.sessions(*days):
            starts, ends = _hours(session, "market_hours" if frame == DAY else reporting)
            step = ends - starts if frame == DAY else FRAMES[frame]
            while starts < ends and starts <= end:
                if starts >= first or frame == DAY:
                    yield Window(starts, min(starts + step, ends, end), session.day)
                starts += step

    def _told(self, windows: Sequence[Window], first: datetime, frame: str, per_day: bool) -> dict[str, Any]:
        curve = self._broker.curve
        base = curve.at(first)
        bases = {w.day: curve.at(w.start) for w in reversed(windows)} if per_day else {}
        equity = [curve.at(window.end) for window in windows]
        against = [bases.get(window.day, base) for window in windows]
        return {
            "timestamp": [int(window.start.timestamp()) for window in windows],
            "equity": equity,
            "profit_loss": [now - then for now, then in zip(equity, against, strict=True)],
            "profit_loss_pct": [_ratio(now, then) for now, then in zip(equity, against, strict=True)],
            "base_value": base,
            "base_value_asof": first.astimezone(NEW_YORK).date().isoformat(),
            "timeframe": frame,
            "cashflow": {},
        }


def _ratio(now: Decimal, then: Decimal) -> Decimal | None:
    return (now / then - 1).quantize(RATIO) if then else None


def _reporting(asked: Asked) -> str:
    usual = REPORTING[1] if asked.flag("extended_hours") else REPORTING[0]
    return asked.one_of("intraday_reporting", REPORTING, usual)


def _hours(session: Session, reporting: str) -> tuple[datetime, datetime]:
    if reporting == "extended_hours":
        return session.open - EARLIER, session.close + LATER
    if reporting == "continuous":
        return session.open - BEFORE_OPEN, session.open - BEFORE_OPEN + FRAMES[DAY]
    return session.open, session.close


def _length(period: str) -> timedelta:
    match = PERIOD.fullmatch(period)
    if match is None:
        raise unprocessable(f"invalid period: {period[:100]}")
    return timedelta(days=min(int(match[1]) * DAYS.get(match[2], 1), LONGEST_PERIOD))


def _usual_frame(length: timedelta) -> str:
    if length < timedelta(days=7):
        return "1Min"
    return "15Min" if length < timedelta(days=30) else DAY


def _reach(frame: str) -> int:
    return LONGEST.get(frame, USUAL_LONGEST).days
