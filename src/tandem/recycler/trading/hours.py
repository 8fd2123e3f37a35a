"""Clock and calendar of the replay: `/v2/clock`, `/v2/calendar` and their third version."""

import asyncio
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from tandem.market import NEW_YORK, Calendar, DataError, Session
from tandem.matching import unknown, unprocessable
from tandem.recycler.rest.answer import reply
from tandem.recycler.rest.asked import Asked
from tandem.recycler.rest.gate import Answer
from tandem.recycler.trading.broker import Broker
from tandem.recycler.trading.equity import EARLIER, LATER

FIRST_DAY: Final = date(1990, 1, 1)
LAST_DAY: Final = date(2100, 12, 31)
YEARS_AHEAD: Final = 10
MARKETS: Final = {
    "NYSE": ("XNYS", "New York Stock Exchange"),
    "NASDAQ": ("XNAS", "Nasdaq"),
    "IEX": ("IEXG", "Investors Exchange"),
}


class Hours:
    """When the market is open, where the replay's clock stands."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def endpoints(self) -> list[tuple[str, str, Answer]]:
        """Method, path, answer."""
        return [
            ("GET", "/v2/clock", self.clock),
            ("GET", "/v2/calendar", self.calendar),
            ("GET", "/v3/clock", self.clocks),
            ("GET", "/v3/calendar/{market}", self.market_calendar),
        ]

    async def clock(self, _: Request) -> Response:
        """Market time of the replay, in New York."""
        now = self._broker.replay.time
        opens, closes = self._next(now)
        return reply(
            {
                "timestamp": _local(now),
                "is_open": self._broker.is_open,
                "next_open": _local(opens),
                "next_close": _local(closes),
            }
        )

    async def calendar(self, request: Request) -> Response:
        """Trading days; the year around the clock where no dates are asked for."""
        span = self._span(Asked.query(request))
        return reply(await asyncio.to_thread(lambda: [_day(session) for session in self._sessions(*span)]))

    async def clocks(self, request: Request) -> Response:
        """The clock of each market asked for."""
        asked = Asked.query(request)
        now = _within_years(asked.moment("time") or self._broker.replay.time)
        return reply({"clocks": [self._market_clock(name, now) for name in asked.names("markets") or ["NYSE"]]})

    async def market_calendar(self, request: Request) -> Response:
        """Trading days of one market, with their early and late hours."""
        name, span = _market(request.path_params["market"]), self._span(Asked.query(request))
        days = await asyncio.to_thread(lambda: [_long_day(session) for session in self._sessions(*span)])
        return reply({"market": _shown_market(name), "calendar": days})

    def _next(self, now: datetime) -> tuple[datetime, datetime]:
        timeline = self._broker.timeline
        open_now = timeline.session_at(now)
        following = timeline.session_after(now)
        return following.open, (open_now or following).close

    def _span(self, asked: Asked) -> tuple[date, date]:
        year = self._broker.replay.time.astimezone(NEW_YORK).year
        end = date(min(year + YEARS_AHEAD, LAST_DAY.year), 12, 31)
        first = asked.day("start") or date(year, 1, 1)
        last = asked.day("end") or date(max(year, first.year), 12, 31)
        return max(first, FIRST_DAY), min(last, end)

    def _sessions(self, first: date, last: date) -> list[Session]:
        found: list[Session] = []
        for year in range(first.year, last.year + 1):
            with suppress(DataError):  # a year that lies, where it is moved to, outside every calendar
                days = max(first, date(year, 1, 1)), min(last, date(year, 12, 31))
                found += self._broker.timeline.sessions(*days)
        return found

    def _market_clock(self, market: str, now: datetime) -> dict[str, Any]:
        name = _market(market)
        opens, closes = self._next(now)
        phase, until = self._phase(now)
        return {
            "market": _shown_market(name),
            "timestamp": _local(now),
            "is_market_day": self._day_of(now) is not None,
            "next_market_open": _local(opens),
            "next_market_close": _local(closes),
            "phase": phase,
            "phase_until": _local(until),
        }

    def _day_of(self, now: datetime) -> Session | None:
        day = now.astimezone(NEW_YORK).date()
        return next(iter(self._broker.timeline.sessions(day, day)), None)

    def _phase(self, now: datetime) -> tuple[str, datetime]:
        if session := self._day_of(now):
            ends = ("closed", _early(session)), ("pre", session.open), ("core", session.close), ("post", _late(session))
            for phase, end in ends:
                if now < end:
                    return phase, end
        return "closed", _early(self._broker.timeline.session_after(now))


def _within_years(moment: datetime) -> datetime:
    if not FIRST_DAY.year < moment.year < LAST_DAY.year:
        raise unprocessable(f"invalid time: {moment}")
    return moment


def _market(name: str) -> str:
    known = name.upper()
    by_mic = {mic: market for market, (mic, _) in MARKETS.items()}
    if by_mic.get(known, known) not in MARKETS:
        raise unknown(f"market not found for {name[:100]}")
    return by_mic.get(known, known)


def _shown_market(name: str) -> dict[str, str | None]:
    mic, full = MARKETS[name]
    return {"mic": mic, "bic": None, "acronym": name, "name": full, "timezone": "America/New_York"}


def _day(session: Session) -> dict[str, str]:
    return {
        "date": session.day.isoformat(),
        "open": f"{_local(session.open):%H:%M}",
        "close": f"{_local(session.close):%H:%M}",
        "session_open": f"{_early(session):%H%M}",
        "session_close": f"{_late(session):%H%M}",
        "settlement_date": _settlement(session),
    }


def _long_day(session: Session) -> dict[str, Any]:
    return {
        "date": session.day.isoformat(),
        "pre_start": _early(session),
        "pre_end": _local(session.open),
        "core_start": _local(session.open),
        "core_end": _local(session.close),
        "lunch_start": None,
        "lunch_end": None,
        "post_start": _local(session.close),
        "post_end": _late(session),
        "settlement_date": _settlement(session),
    }


def _settlement(session: Session) -> str:
    return Calendar().after(min(session.day, LAST_DAY - timedelta(days=10))).day.isoformat()


def _early(session: Session) -> datetime:
    return _local(session.open - EARLIER)


def _late(session: Session) -> datetime:
    return _local(session.close + LATER)


def _local(moment: datetime) -> datetime:
    return moment.astimezone(NEW_YORK)
