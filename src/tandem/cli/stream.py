"""`tandem stream`: live bars into the store, from Alpaca or the recycler."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter
from cyclopts.validators import Number

from tandem.cli.opening import open_store

if TYPE_CHECKING:
    from tandem.config import Settings
    from tandem.execution import LiveFeed, Origin, Tally
    from tandem.market import Bar

BEAT_SECONDS: Final = 0.5
EVER: Final = datetime.max.replace(tzinfo=UTC)


def stream(
    *,
    symbols: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    silence: Annotated[float, Parameter(validator=Number(gte=0))] = 3.0,
    count: Annotated[int, Parameter(validator=Number(gte=0))] = 0,
    quiet: bool = False,
) -> None:
    """Keep live bars in the store until Ctrl-C, from Alpaca or the recycler as websocket.mode says.

    Bars are marked with their source (alpaca, or recycled and the recycler's world). What was missed, at the start and
    after every interruption, is filled in from the server's history; revised bars are kept beside the first ones;
    what is no bar goes to the quarantine.

    Parameters
    ----------
    symbols
        Tickers; websocket.symbols where not given.
    silence
        Minutes of market time without any bar after which to connect again; 0 for never.
    count
        End after so many bars; 0 for never.
    quiet
        Say nothing but the sum at the end.
    """
    from tandem.config import load
    from tandem.execution import LiveFeed

    settings = load()
    origin, names = origin_of(settings), _names(settings, symbols)
    line = _Line(quiet)
    with _until_told() as ended, open_store() as store:
        feed = LiveFeed(store, origin, names, silence=timedelta(minutes=silence), said=line.say)
        with feed:
            line.say(f"{origin.name}: {', '.join(feed.symbols)}. Ctrl-C ends it.")
            _follow(feed, line, ended, count)
        line.end(_summary(feed.tally, feed.connections))
    if feed.refusal is not None:
        raise feed.refusal


def origin_of(settings: "Settings") -> "Origin":
    """Where `websocket.mode` says that bars come from.

    Raises:
        ConfigError: there are no keys for Alpaca.
        RecyclerError: no recycler answers.
    """
    from tandem.execution import at_alpaca

    if settings.websocket.mode == "alpaca":
        origin = at_alpaca(settings.alpaca)
        _ = origin.keys
        return origin
    return recycler_at(settings, settings.websocket.recycler.server_url)


def recycler_at(settings: "Settings", url: str) -> "Origin":
    """A recycler, with the keys and the token of the environment."""
    from tandem.execution import at_recycler

    given = {name: os.environ.get(f"TANDEM_RECYCLER_{name.upper()}", "") for name in ("key_id", "secret_key", "token")}
    return at_recycler(url, settings.alpaca.data_feed, **given)


def _names(settings: "Settings", symbols: Sequence[str] | None) -> list[str]:
    given = [name.upper() for text in symbols or () for name in text.split(",") if name]
    return given or settings.websocket.symbols


@contextmanager
def _until_told() -> "Iterator[threading.Event]":
    """An event that Ctrl-C or a termination sets; a second one ends the process at once."""
    ended = threading.Event()

    def end(number: int, _: Any) -> None:
        ended.set()
        signal.signal(number, usual[signal.Signals(number)])

    usual = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ended
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def _follow(feed: "LiveFeed", line: "_Line", ended: threading.Event, count: int) -> None:
    while not (ended.wait(BEAT_SECONDS) or feed.refusal):
        line.show(feed.taken(EVER), feed.tally)
        if 0 < count <= feed.tally.heard:
            return


class _Line:
    """One line that is written over on a terminal, and lines that stay."""

    def __init__(self, quiet: bool) -> None:
        self._live = sys.stdout.isatty() and not quiet
        self._quiet = quiet
        self._closes: dict[str, Bar] = {}
        self._writing = threading.Lock()

    def say(self, text: str) -> None:
        """A line that stays."""
        if self._quiet:
            return
        with self._writing:
            self._clear()
            print(text, flush=True)

    def show(self, bars: "Sequence[Bar]", tally: "Tally") -> None:
        """The newest bars, on a terminal."""
        self._closes |= {bar.symbol: bar for bar in bars}
        if self._live and self._closes:
            with self._writing:
                self._clear()
                print(_shown(self._closes, tally), end="", flush=True)

    def end(self, text: str) -> None:
        """The last line."""
        self._clear()
        print(text, flush=True)

    def _clear(self) -> None:
        if self._live:
            print("\r\x1b[2K", end="")


def _shown(closes: "dict[str, Bar]", tally: "Tally") -> str:
    import shutil

    from tandem.market import NEW_YORK

    newest = max(bar.end for bar in closes.values()).astimezone(NEW_YORK)
    prices = "  ".join(f"{symbol} {bar.close:g}" for symbol, bar in sorted(closes.items()))
    return f"{newest:%H:%M}  {tally.heard:,} bars  {prices}"[: shutil.get_terminal_size().columns - 1]


def _summary(tally: "Tally", connections: int) -> str:
    parts = [
        f"{tally.heard:,} bars, {tally.stored:,} of them new in the store",
        f"{tally.filled:,} filled in" if tally.filled else "",
        f"{tally.repeated:,} repeated" if tally.repeated else "",
        f"{tally.revised:,} revised" if tally.revised else "",
        f"{tally.malformed:,} malformed, in the quarantine" if tally.malformed else "",
        f"{connections - 1} reconnections" if connections > 1 else "",
    ]
    return ", ".join(part for part in parts if part) + "."
