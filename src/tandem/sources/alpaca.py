"""History from Alpaca, or from a local server that speaks its protocol."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import groupby
from math import ceil
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from tandem.config import AlpacaSettings, own_certificate
from tandem.market import NEW_YORK, Calendar, ConfigError, DataError, Session, Timeframe, resample
from tandem.sources.tally import together

if TYPE_CHECKING:
    import pandas as pd

    from tandem.store import Loaded, Store

SOURCE: Final = "alpaca"
PAGE: Final = 10_000
CALLS_PER_MINUTE: Final = 200
PAGES_PER_CHUNK: Final = 5
EXTENDED_DAY: Final = timedelta(hours=16)
ATTEMPTS: Final = 6
PATIENCE_SECONDS: Final = 30
PASSING: Final = (429, 500, 502, 503, 504)
LOCAL: Final = "local"
AGAIN: Final = "Run the same command again: it goes on where it stopped."
NAMES: Final = {
    "symbol": "symbol",
    "t": "start",
    "o": "open",
    "h": "high",
    "l": "low",
    "c": "close",
    "v": "volume",
    "n": "trade_count",
    "vw": "vwap",
}

INVALID: Final = "invalid symbol"
REQUEST: Final = 400
RENAMED: Final = "See whether it was renamed, else take it out of its sector and of websocket.symbols"
Progress = Callable[[int, int], None]
Unknown = Callable[[str], None]
Span = tuple[datetime, datetime]


def refused(symbol: str) -> None:
    """What becomes of a symbol that Alpaca does not know, where nobody says otherwise.

    Raises:
        DataError: always.
    """
    raise DataError(f"Alpaca does not know the symbol {symbol}", RENAMED)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a download will cost, at most.

    Attributes:
        calls: pages of 10,000 bars.
        minutes: how long they take at 200 calls a minute, which is the free plan's limit.
    """

    calls: int
    minutes: float


def estimate(symbols: int, sessions: int, timeframe: Timeframe) -> Estimate:
    """The cost of bars of `symbols` names over `sessions` trading days, hours before and after the market included."""
    at_once = _symbols_per_chunk(sessions, timeframe)
    chunks = [min(at_once, symbols - done) for done in range(0, symbols, at_once)]
    calls = sum(ceil(size * sessions * _bars_per_day(timeframe) / PAGE) for size in chunks)
    return Estimate(calls, calls / CALLS_PER_MINUTE)


def load(
    store: "Store",
    symbols: Sequence[str],
    timeframe: Timeframe,
    *,
    first: date,
    last: date,
    now: datetime,
    account: AlpacaSettings,
    url: str | None = None,
    adjustment: str = "split",
    progress: Progress = lambda done, total: None,
    unknown: Unknown = refused,
) -> "Loaded":
    """Bring the store's bars of these symbols up to `last`; only what is missing is asked for.

    An interrupted download goes on where it stopped: each chunk is stored before the next is asked for.
    Only bars of the regular session that have ended by `now` are kept. Hourly bars are made from half
    hours, because Alpaca's own hour of the open mixes in trades before it.

    Args:
        symbols: as Alpaca spells them.
        first, last: New York dates, both included.
        now: market time; nothing that ends later is stored.
        account: keys and feed.
        url: base of another server that speaks Alpaca's protocol; no keys are needed there.
        adjustment: `raw`, `split`, `dividend` or `all`.
        progress: called with symbols done and symbols in all.
        unknown: told each symbol that Alpaca does not know, and the others are loaded.

    Raises:
        ConfigError: no keys, or Alpaca refuses them.
        DataError: no trading day in the range, a symbol Alpaca does not know, or no answer after several attempts.
    """
    days = Calendar().sessions(first, last)
    if not days:
        raise DataError(f"no trading day from {first} to {last}", "Choose other dates.")
    client = _client(account, url)
    held = _held(store, timeframe, account.data_feed, adjustment)
    wants = list(_missing(held, symbols, timeframe, days, min(now, days[-1].close)))
    done = 0
    loaded = []
    for chunk in _chunks(wants, timeframe, len(days)):
        asked = _known(client, chunk, timeframe, account.data_feed, adjustment, unknown)
        bars = _usable(asked, timeframe, days, now)
        loaded.append(
            store.bars.load(bars, timeframe=timeframe, source=SOURCE, feed=account.data_feed, adjustment=adjustment)
        )
        done += len(chunk)
        progress(done, len(wants))
    return together(loaded)


def between(
    symbols: Sequence[str],
    first: datetime,
    last: datetime,
    *,
    account: AlpacaSettings,
    url: str | None = None,
    adjustment: str = "raw",
    unknown: Unknown = refused,
) -> "pd.DataFrame":
    """1-minute bars that start from `first` to `last`, both included and with a zone; nothing is stored.

    Hours before and after the market are included, as a live stream has them.

    Args:
        unknown: told each symbol that Alpaca does not know, and the others are asked for.

    Raises:
        ConfigError: no keys, or Alpaca refuses them.
        DataError: a symbol Alpaca does not know, or no answer after two attempts.
    """
    client = _client(account, url)
    wants = tuple(_Want(first, last, symbol) for symbol in dict.fromkeys(symbols))
    try:
        return _known(client, wants, Timeframe.MIN_1, account.data_feed, adjustment, unknown, attempts=2)
    finally:
        client._session.close()


@dataclass(frozen=True, slots=True, order=True)
class _Want:
    """Bars of one symbol that the store does not have: from the first start to the last end."""

    first: datetime
    last: datetime
    symbol: str


def _missing(
    held: dict[str, Span], symbols: Sequence[str], timeframe: Timeframe, days: list[Session], until: datetime
) -> Iterator[_Want]:
    start = _from(days[0], timeframe)
    for symbol in dict.fromkeys(symbols):
        if symbol not in held:
            yield _Want(start, until, symbol)
            continue
        oldest, newest = held[symbol]
        if days[0].day < oldest.astimezone(NEW_YORK).date():
            yield _Want(start, min(oldest, until), symbol)
        if (after := newest + timeframe.length) < until:
            yield _Want(max(start, after), until, symbol)


def _held(store: "Store", timeframe: Timeframe, feed: str, adjustment: str) -> dict[str, Span]:
    """First and last start of what came from Alpaca before, by symbol."""
    coverage = store.bars.coverage()
    series = coverage[["timeframe", "source", "feed", "adjustment"]].eq([str(timeframe), SOURCE, feed, adjustment])
    ours = coverage[series.all(axis=1)]
    return {
        symbol: (first, last) for symbol, first, last in zip(ours["symbol"], ours["first"], ours["last"], strict=True)
    }


def _chunks(wants: list[_Want], timeframe: Timeframe, days: int) -> Iterator[tuple[_Want, ...]]:
    span = attrgetter("first", "last")
    for _, same in groupby(sorted(wants), key=span):
        group, size = tuple(same), _symbols_per_chunk(days, timeframe)
        yield from (group[done : done + size] for done in range(0, len(group), size))


def _symbols_per_chunk(days: int, timeframe: Timeframe) -> int:
    return max(1, PAGES_PER_CHUNK * PAGE // (max(days, 1) * _bars_per_day(timeframe)))


def _bars_per_day(timeframe: Timeframe) -> int:
    return 1 if timeframe is Timeframe.DAY_1 else EXTENDED_DAY // _asked(timeframe).length


class _UnknownSymbol(Exception):
    """A request was refused for one symbol: without it the same request is answered."""


def _known(
    client: Any,
    chunk: tuple[_Want, ...],
    timeframe: Timeframe,
    feed: str,
    adjustment: str,
    unknown: Unknown,
    attempts: int = ATTEMPTS,
) -> "pd.DataFrame":
    """The same without the symbols that Alpaca refuses as none: it names only one at a time, and answers for none."""
    while chunk:
        try:
            return _ask(client, chunk, timeframe, feed, adjustment, attempts)
        except _UnknownSymbol as error:
            unknown(str(error))
            chunk = tuple(want for want in chunk if want.symbol != str(error))
    return _frame({})


def _ask(
    client: Any,
    chunk: tuple[_Want, ...],
    timeframe: Timeframe,
    feed: str,
    adjustment: str,
    attempts: int = ATTEMPTS,
) -> "pd.DataFrame":
    """Every page of one chunk as a bars frame; faults outside of us are tried again."""
    import stamina
    from alpaca.common.exceptions import APIError
    from alpaca.data.enums import Adjustment, DataFeed
    from alpaca.data.requests import StockBarsRequest
    from requests import RequestException

    request = StockBarsRequest(
        symbol_or_symbols=[want.symbol for want in chunk],
        timeframe=_theirs(timeframe),
        start=chunk[0].first,
        end=chunk[0].last,
        feed=DataFeed(feed),
        adjustment=Adjustment(adjustment),
    )
    stamina.instrumentation.set_on_retry_hooks([])  # they would talk into the progress
    try:
        for attempt in stamina.retry_context(on=_is_passing, attempts=attempts, wait_max=PATIENCE_SECONDS):
            with attempt:
                return _frame(client.get_stock_bars(request))
    except APIError as error:
        if name := _named(error, chunk):
            raise _UnknownSymbol(name) from error
        raise _refusal(error) from error
    except RequestException as error:
        raise DataError(f"Alpaca does not answer: {type(error).__name__}", AGAIN) from error
    raise AssertionError("the last attempt either returns or raises")


def _frame(raw: dict[str, list[dict[str, Any]]]) -> "pd.DataFrame":
    import pandas as pd

    rows = [{"symbol": symbol, **bar} for symbol, bars in raw.items() for bar in bars]
    bars = pd.DataFrame(rows, columns=list(NAMES)).rename(columns=NAMES)
    bars["start"] = pd.to_datetime(bars["start"], format="ISO8601", utc=True).dt.as_unit("us")
    kinds = dict.fromkeys(["open", "high", "low", "close", "trade_count", "vwap"], "float64")
    return bars.astype({"symbol": "str", **kinds, "volume": "int64"})


def _usable(bars: "pd.DataFrame", timeframe: Timeframe, days: list[Session], now: datetime) -> "pd.DataFrame":
    """Regular hours only, in the length that was wanted, and nothing that still goes on."""
    import pandas as pd

    hours = pd.DataFrame(
        {"open": [d.open for d in days], "close": [d.close for d in days]}, index=[d.day for d in days]
    )
    session = hours.reindex(bars["start"].dt.tz_convert(NEW_YORK).dt.date).set_axis(bars.index)
    if timeframe is Timeframe.DAY_1:
        return bars[session["close"] <= now]
    regular = bars[(bars["start"] >= session["open"]) & (bars["start"] < session["close"])]
    if timeframe is not _asked(timeframe):
        regular = resample(regular, timeframe)
    return regular[regular["start"] + timeframe.length <= now]


def _asked(timeframe: Timeframe) -> Timeframe:
    return Timeframe.MIN_30 if timeframe is Timeframe.HOUR_1 else timeframe


def _theirs(timeframe: Timeframe) -> Any:
    from alpaca.data.timeframe import TimeFrame, TimeFrameUnit

    if timeframe is Timeframe.DAY_1:
        return TimeFrame(1, TimeFrameUnit.Day)
    return TimeFrame(_asked(timeframe).length // timedelta(minutes=1), TimeFrameUnit.Minute)


def _from(day: Session, timeframe: Timeframe) -> datetime:
    """The first start that a bar of this session can have."""
    return datetime.combine(day.day, time(), NEW_YORK).astimezone(UTC) if timeframe is Timeframe.DAY_1 else day.open


def _client(account: AlpacaSettings, url: str | None) -> Any:
    from alpaca.data.historical import StockHistoricalDataClient

    key, secret = account.keys() if url is None or account.has_keys else (LOCAL, LOCAL)
    client = StockHistoricalDataClient(key, secret, raw_data=True, url_override=url)
    client._session.verify = str(own_certificate(url) or "") or True
    # The library never gives up on a silent server.
    client._session.request = partial(client._session.request, timeout=PATIENCE_SECONDS)  # type: ignore[method-assign]
    return client


def _is_passing(error: Exception) -> bool:
    """Whether the same question may well be answered a little later."""
    from alpaca.common.exceptions import APIError
    from requests import RequestException

    if isinstance(error, APIError):
        return error.status_code in PASSING
    return isinstance(error, RequestException) and not isinstance(error, ValueError)


def _named(error: Any, chunk: tuple[_Want, ...]) -> str:
    """The one of the symbols asked for that a refusal calls invalid; empty where it is refused for something else."""
    said = str(error)
    if error.status_code != REQUEST or INVALID not in said:
        return ""
    words = re.split(r"[^\w./\-]+", said.partition(INVALID)[2])
    return next((want.symbol for want in chunk if want.symbol in words), "")


def _refusal(error: Any) -> ConfigError | DataError:
    said = " ".join(str(error).split())[:200]
    if error.status_code == 401:
        return ConfigError("Alpaca refuses the keys", "Check TANDEM_ALPACA__KEY_ID and TANDEM_ALPACA__SECRET_KEY.")
    if error.status_code in PASSING:
        return DataError(f"Alpaca is busy: {said}", AGAIN)
    return DataError(f"Alpaca refuses: {said}", "Check symbols, dates and alpaca.data_feed.")
