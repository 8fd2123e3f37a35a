"""What a request for bars asks, and where its next page begins."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from tandem.market import NEW_YORK, Span
from tandem.matching import Rejected
from tandem.recycler.history.past import EARLIEST, EPOCH, TICK, Wanted
from tandem.recycler.rest.asked import Asked

USUAL: Final = 1000
MOST: Final = 10_000
SYMBOL: Final = re.compile(r"[A-Z][A-Z0-9./\-]{0,31}")
BARE_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
FEEDS: Final = ("sip", "iex", "otc", "boats", "delayed_sip", "overnight")
ADJUSTMENTS: Final = {"raw", "split", "dividend", "spin-off", "all"}
NANOSECONDS: Final = 1000

Token = tuple[str, int]


def wrong(what: str) -> Rejected:
    """400: a parameter that means nothing."""
    return Rejected(what, status=400, code=40010001)


def asked_of(fields: Mapping[str, str]) -> Asked:
    """The parameters of a request for market data."""
    return Asked(fields, wrong)


def wanted_of(asked: Asked, symbols: Sequence[str], now: datetime) -> Wanted:
    """The bars that a request means, as far as its range reaches.

    Args:
        asked: its parameters.
        symbols: tickers that it names.
        now: where the replay's clock stands, UTC.

    Raises:
        Rejected: 400, in Alpaca's words.
    """
    accepted(asked)
    first, last = bounds(asked, now)
    return Wanted(
        symbols=tuple(sorted(set(symbols))),
        span=span_of(asked),
        first=max(first, EARLIEST),
        last=min(last, now),
        now=now,
        limit=limit_of(asked),
        descending=asked.one_of("sort", ("asc", "desc"), "asc") == "desc",
        after=token_of(asked),
    )


def span_of(asked: Asked) -> Span:
    """The timeframe asked for."""
    text = asked.text("timeframe")
    if text is None:
        raise wrong("timeframe is required")
    try:
        return Span.parse(text)
    except ValueError as error:
        raise wrong(f"invalid timeframe: {_shown(text)}") from error


def bounds(asked: Asked, now: datetime) -> tuple[datetime, datetime]:
    """Start and end: from the beginning of today to now where they are not given; a bare date is all of its day."""
    last = _moment(asked, "end", date_is=timedelta(days=1)) or now
    first = _moment(asked, "start", date_is=timedelta()) or _midnight(min(last, now).astimezone(NEW_YORK).date())
    if last < first and asked.has("start") and asked.has("end"):
        raise wrong("end should not be before start")
    return first, last


def limit_of(asked: Asked) -> int:
    """Bars on a page."""
    text = asked.text("limit")
    if text is None:
        return USUAL
    if not (text.isascii() and text.lstrip("-").isdigit()) or len(text) > 18:
        raise wrong(f"invalid limit: {_shown(text)}")
    if int(text) > MOST:
        raise wrong(f"invalid limit: larger than the allowed maximum of {MOST}")
    if int(text) < 1:
        raise wrong("invalid limit: smaller than the allowed minimum of 1")
    return int(text)


def accepted(asked: Asked) -> None:
    """Refuse parameters that Alpaca does not know; those that it does and that change nothing here pass."""
    asked.one_of("feed", FEEDS, "iex")
    asked.one_of("currency", ("USD",), "USD")
    if asked.text("asof") != "-":
        asked.day("asof")
    for adjustment in (asked.text("adjustment") or "raw").split(","):
        if adjustment not in ADJUSTMENTS:
            raise wrong(f"invalid adjustment: {_shown(adjustment)}")


def symbols_of(asked: Asked) -> list[str]:
    """The tickers of `symbols`, in the order given, each once."""
    names = list(dict.fromkeys(asked.names("symbols") or []))
    if not names:
        raise wrong("symbols is required")
    return [symbol_of(name) for name in names]


def symbol_of(name: str) -> str:
    """A ticker, or 400."""
    if not SYMBOL.fullmatch(name):
        raise wrong(f"invalid symbol: {_shown(name)}")
    return name


def token_of(asked: Asked) -> Token | None:
    """Where the page before ended: symbol, and microseconds since 1970."""
    text = asked.text("page_token")
    if text is None:
        return None
    try:
        symbol, _, nanoseconds = base64.b64decode(text, validate=True).decode().split("|")
        tick = int(nanoseconds) // NANOSECONDS
        if SYMBOL.fullmatch(symbol) and EPOCH + tick * TICK >= EPOCH:
            return symbol, tick
    except (binascii.Error, ValueError, OverflowError):
        pass
    raise wrong("invalid page_token")


def token(after: Token | None, span: Span) -> str | None:
    """The opaque text that `token_of` reads."""
    if after is None:
        return None
    return base64.b64encode(f"{after[0]}|{span.unit[0]}|{after[1] * NANOSECONDS}".encode()).decode()


def _moment(asked: Asked, name: str, *, date_is: timedelta) -> datetime | None:
    text = asked.text(name)
    if text is None:
        return None
    if not BARE_DATE.fullmatch(text):
        return asked.moment(name)
    day = asked.day(name)
    return None if day is None else _midnight(day, date_is)


def _midnight(day: date, later: timedelta = timedelta()) -> datetime:
    """The first instant of a New York date, or of the next one but for a microsecond."""
    try:
        midnight = datetime.combine(day + later, time(), NEW_YORK).astimezone(UTC)
        return midnight - TICK if later else midnight
    except OverflowError as error:
        raise wrong(f"invalid date: {day}") from error


def _shown(value: object) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in str(value)[:100])
