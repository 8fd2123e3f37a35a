"""Alpaca's historical data REST: what had happened when the replay's clock stands where it stands."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import isnan
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tandem.market import NEW_YORK, Session, Span, StoreError, Unit
from tandem.matching import Replay, unknown
from tandem.recycler.history.line import Line
from tandem.recycler.history.meta import CONDITIONS, EXCHANGES
from tandem.recycler.history.page import accepted, asked_of, symbol_of, symbols_of, token, wanted_of, wrong
from tandem.recycler.history.past import EPOCH, Halts, Past
from tandem.recycler.history.tick import Quote, Trade, quotes_of, trades_of
from tandem.recycler.history.today import Today
from tandem.recycler.rest.answer import reply
from tandem.recycler.rest.gate import Answer, Gate

if TYPE_CHECKING:
    from tandem.recycler.reel.shelf import Shelf

DAY: Final = Span(1, Unit.DAY)
TICKS: Final = ("quotes", "trades")
WEEKS: Final = timedelta(days=21)  # a replay may be a fortnight without a session
PROXY_HEADER: Final = "X-Tandem-Proxy"

Work = Callable[[], object]
Derive = Callable[[Line, Span, float], Sequence[Quote | Trade]]
KINDS: Final[Mapping[str, Derive]] = {"quotes": quotes_of, "trades": trades_of}


class BarBody(msgspec.Struct, gc=False):
    """A bar as the REST gives it: times, then prices in dollars, shares, trades."""

    t: datetime
    o: float
    h: float
    l: float  # noqa: E741 - Alpaca's name
    c: float
    v: int
    n: int | None
    vw: float | None


class History:
    """The endpoints under `/v2/stocks`.

    Args:
        replay: whose clock says what has happened.
        shelf: where stored bars are.
        gate: keys and rate.
        spread: dollars of spread per dollar of price; where given, trades and quotes are made up from bars.
        halts: symbol to the times at which nobody traded it, as `Past` has them.
    """

    def __init__(
        self, replay: Replay, shelf: "Shelf", gate: Gate, spread: float | None = None, halts: Halts | None = None
    ) -> None:
        self._replay = replay
        self._gate = gate
        self._spread = spread
        self._proxies = replay.reel.proxies
        self._base = Span.of(replay.reel.timeframe)
        self._past = Past(Today(shelf, replay), replay.timeline, self._proxies, halts)

    def routes(self) -> list[Route]:
        """Every endpoint, each behind the gate."""
        table: dict[str, Answer] = {
            "bars": self.bars,
            "{symbol}/bars": self.bars_of_one,
            "snapshots": self.snapshots,
            "{symbol}/snapshot": self.snapshot,
            "meta/conditions/{ticktype}": self.conditions,
            "meta/exchanges": self.exchanges,
            "{kind}/latest": self.latest,
            "{symbol}/{kind}/latest": self.latest_of_one,
            "{kind}": self.ticks,
            "{symbol}/{kind}": self.ticks_of_one,
        }
        return [
            Route(f"/v2/stocks/{path}", self._gate.opened(answer), methods=["GET"]) for path, answer in table.items()
        ]

    async def bars(self, request: Request) -> Response:
        """Bars of several symbols."""
        asked = asked_of(request.query_params)
        wanted = wanted_of(asked, symbols_of(asked), self._replay.time)

        def work() -> object:
            page = self._past.page(wanted)
            return {"bars": _merged(page.lines, bodies), "next_page_token": token(page.after, wanted.span)}

        return await self._reply(work, wanted.symbols)

    async def bars_of_one(self, request: Request) -> Response:
        """Bars of one symbol."""
        symbol = symbol_of(request.path_params["symbol"])
        wanted = wanted_of(asked_of(request.query_params), [symbol], self._replay.time)

        def work() -> object:
            page = self._past.page(wanted)
            bars = _merged(page.lines, bodies).get(symbol, [])
            return {"bars": bars, "symbol": symbol, "next_page_token": token(page.after, wanted.span)}

        return await self._reply(work, [symbol])

    async def latest(self, request: Request) -> Response:
        """The newest bar, quote or trade of several symbols."""
        kind, asked = _kind(request), asked_of(request.query_params)
        accepted(asked)
        symbols, now = symbols_of(asked), self._replay.time
        return await self._reply(lambda: {kind: self._newest(kind, symbols, now)}, symbols)

    async def latest_of_one(self, request: Request) -> Response:
        """The newest bar, quote or trade of one symbol."""
        kind, symbol, now = _kind(request), symbol_of(request.path_params["symbol"]), self._replay.time
        accepted(asked_of(request.query_params))

        def work() -> object:
            found = self._newest(kind, [symbol], now).get(symbol)
            if found is None:
                raise unknown(f"no {kind.removesuffix('s')} found for {symbol}")
            return {"symbol": symbol, kind.removesuffix("s"): found}

        return await self._reply(work, [symbol])

    async def ticks(self, request: Request) -> Response:
        """Trades or quotes of several symbols, made up from bars where that was asked for; auctions are none."""
        kind, asked = _kind(request, *TICKS, "auctions"), asked_of(request.query_params)
        symbols = symbols_of(asked)
        return await self._ticks(kind, request, symbols, lambda found: {kind: found})

    async def ticks_of_one(self, request: Request) -> Response:
        """The same of one symbol."""
        kind, symbol = _kind(request, *TICKS, "auctions"), symbol_of(request.path_params["symbol"])
        return await self._ticks(kind, request, [symbol], lambda found: {kind: found.get(symbol, []), "symbol": symbol})

    async def snapshots(self, request: Request) -> Response:
        """The newest of everything, keyed by symbol."""
        asked = asked_of(request.query_params)
        accepted(asked)
        symbols, now = symbols_of(asked), self._replay.time
        return await self._reply(lambda: self._snapshots(symbols, now), symbols)

    async def snapshot(self, request: Request) -> Response:
        """The newest of everything of one symbol."""
        symbol, now = symbol_of(request.path_params["symbol"]), self._replay.time
        accepted(asked_of(request.query_params))

        def work() -> object:
            found = self._snapshots([symbol], now).get(symbol)
            if found is None:
                raise unknown(f"no snapshot found for {symbol}")
            return {"symbol": symbol, **found}

        return await self._reply(work, [symbol])

    async def conditions(self, request: Request) -> Response:
        """What the condition letters of trades or quotes mean."""
        ticktype = request.path_params["ticktype"]
        if ticktype not in CONDITIONS:
            raise wrong("invalid ticktype: expected trade or quote")
        asked_of(request.query_params).one_of("tape", ("A", "B", "C"), "A")
        return await self._reply(lambda: CONDITIONS[ticktype], [])

    async def exchanges(self, _: Request) -> Response:
        """What the exchange letters mean."""
        return await self._reply(lambda: EXCHANGES, [])

    async def _ticks(
        self,
        kind: str,
        request: Request,
        symbols: Sequence[str],
        body: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> Response:
        fields = {**request.query_params, "timeframe": str(self._base)}
        wanted = wanted_of(asked_of(fields), symbols, self._replay.time)

        def work() -> object:
            if self._spread is None or kind not in KINDS:
                return {**body({}), "next_page_token": None}
            page = self._past.page(wanted)
            found = _merged(page.lines, lambda line: self._derived(kind, line))
            return {**body(found), "next_page_token": token(page.after, wanted.span)}

        return await self._reply(work, symbols)

    def _newest(self, kind: str, symbols: Sequence[str], now: datetime) -> dict[str, Any]:
        if kind != "bars" and self._spread is None:
            return {}
        lines = self._past.latest(symbols, self._base, now)
        return {symbol: self._last(kind, line) for symbol, line in lines.items()}

    def _last(self, kind: str, line: Line) -> object:
        return (bodies(line) if kind == "bars" else self._derived(kind, line))[-1]

    def _derived(self, kind: str, line: Line) -> Sequence[Quote | Trade]:
        return KINDS[kind](line, self._base, self._spread or 0.0)

    def _snapshots(self, symbols: Sequence[str], now: datetime) -> dict[str, dict[str, Any]]:
        minutes = self._past.latest(symbols, self._base, now)
        opened = [_midnight(session.day) for session in self._sessions(now)]
        days = self._past.lines(symbols, DAY, opened[0], now, now) if opened else {}
        pairs = {symbol: _of_two_sessions(bodies(line), opened) for symbol, line in days.items()}
        return {
            symbol: {
                "latestTrade": self._tick("trades", minutes.get(symbol)),
                "latestQuote": self._tick("quotes", minutes.get(symbol)),
                "minuteBar": self._last("bars", minutes[symbol]) if symbol in minutes else None,
                "dailyBar": pairs[symbol][0] if symbol in pairs else None,
                "prevDailyBar": pairs[symbol][1] if symbol in pairs else None,
            }
            for symbol in symbols
            if symbol in minutes or symbol in pairs
        }

    def _sessions(self, now: datetime) -> list[Session]:
        """The last three that have opened."""
        day = now.astimezone(NEW_YORK).date()
        found = self._replay.timeline.sessions(day - WEEKS, day + timedelta(days=1))
        return [session for session in found if session.open <= now][-3:]

    def _tick(self, kind: str, line: Line | None) -> object:
        return None if line is None or self._spread is None else self._last(kind, line)

    async def _reply(self, work: Work, symbols: Iterable[str]) -> Response:
        try:
            body = await asyncio.to_thread(lambda: msgspec.json.encode(work()))
        except StoreError as error:
            return reply({"code": 50010000, "message": f"internal server error occurred: {error.what}"}, 500)
        played = [f"{symbol}={self._proxies[symbol]}" for symbol in symbols if symbol in self._proxies]
        headers = {PROXY_HEADER: ",".join(played)} if played else None
        return Response(body, headers=headers, media_type="application/json")


def bodies(line: Line) -> list[BarBody]:
    """Bars as the REST gives them, in the same order; whole numbers without a fraction."""
    count = [None if isnan(n) else int(n) for n in line.trade_count.tolist()]
    times = _times(line)
    prices = [_shortest(values) for values in (line.open, line.high, line.low, line.close)]
    vwap = _shortest(line.vwap)
    return list(map(BarBody, times, *prices, line.volume.tolist(), count, vwap))


def _of_two_sessions(bars: Sequence[BarBody], opened: Sequence[datetime]) -> tuple[BarBody | None, BarBody | None]:
    """The newest daily bar, and that of the session before its own, where there was one: never an older one."""
    newest = bars[-1]
    before = [start for start in opened if start < newest.t]
    return newest, next((bar for bar in bars if before and bar.t == before[-1]), None)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), NEW_YORK).astimezone(UTC)


def _times(line: Line) -> list[datetime]:
    return [EPOCH + timedelta(microseconds=tick) for tick in line.start.tolist()]


def _shortest(values: Any) -> list[Any]:
    return [None if isnan(x) else int(x) if x.is_integer() else x for x in values.tolist()]


def _merged(lines: Iterable[tuple[str, Line]], made: Callable[[Line], Sequence[Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for symbol, line in lines:
        found.setdefault(symbol, []).extend(made(line))
    return found


def _kind(request: Request, *kinds: str) -> str:
    kind: str = request.path_params["kind"]
    if kind not in (kinds or ("bars", *TICKS)):
        raise unknown("endpoint not found.")
    return kind
