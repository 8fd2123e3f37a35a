"""`tandem symbols`: which symbols are played and traded, and whether there are bars of them."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cyclopts import App

from tandem.market import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from tandem.config import Settings

PAIRS: Final = ("AAPL", "PDFS", "ROG")
TESTING: Final = ("AAPL", "IBM", "MSFT", "NVDA")
KEYS: Final = ("websocket.symbols", "websocket.recycler.symbols")
SYMBOL: Final = re.compile(r"[A-Z][A-Z0-9.\-]*")
SIMULATED: Final = "simulated"

app = App(name="symbols", help="Which symbols are played and traded, and whether there are bars of them.")


@app.command
def status() -> None:
    """Print the settings of the stream, and of each symbol how many bars there are or whose it borrows."""
    from tandem.config import load

    settings = load()
    print("\n".join([*_configuration(settings), "", *_data(settings)]))


@app.command
def pairs() -> None:
    """Switch to the symbols of pairs trading: AAPL, PDFS and ROG."""
    _write(PAIRS)


@app.command
def testing() -> None:
    """Switch to the symbols whose bars ship with Tandem: AAPL, IBM, MSFT and NVDA."""
    _write(TESTING)


@app.command
def add(*symbols: str) -> None:
    """Add symbols to those subscribed to and those replayed.

    Parameters
    ----------
    symbols
        Tickers.
    """
    names = _tickers(symbols)
    subscribed, replayed = _in_file()
    if set(names) <= set(subscribed) & set(replayed):
        print(f"{', '.join(names)}: there already.")
        return
    _write(*([*held, *(name for name in names if name not in held)] for held in (subscribed, replayed)))
    _tell_unknown(names)


@app.command
def remove(*symbols: str) -> None:
    """Remove symbols from those subscribed to and those replayed.

    Parameters
    ----------
    symbols
        Tickers.
    """
    names = _tickers(symbols)
    lists = _in_file()
    if absent := [name for name in names if not any(name in held for held in lists)]:
        raise ConfigError(f"{', '.join(absent)} is not among the symbols", "`tandem symbols status` lists them.")
    left = [[name for name in held if name not in names] for held in lists]
    if not all(left):
        raise ConfigError("no symbol would be left", "Add another one first: `tandem symbols add SYMBOL`.")
    _write(*left)


def _file() -> Path:
    return Path(os.environ.get("TANDEM_CONFIG") or "config.yaml").expanduser()


def _in_file() -> tuple[list[str], list[str]]:
    """Both lists without what the environment overrides."""
    from tandem.config import load

    return _lists(load(_file() if _file().exists() else None, {}))


def _lists(settings: "Settings") -> tuple[list[str], list[str]]:
    return settings.websocket.symbols, settings.websocket.recycler.symbols


def _tickers(given: Sequence[str]) -> list[str]:
    names = list(dict.fromkeys(name.upper() for text in given for name in text.split(",") if name))
    if wrong := [name for name in names if not SYMBOL.fullmatch(name)]:
        raise ConfigError(f"{wrong[0]} is no ticker", "A ticker looks like AAPL or BRK.B.")
    if not names:
        raise ConfigError("no symbol is named", "Name one or more, such as MSFT.")
    return names


def _write(subscribed: Sequence[str], replayed: Sequence[str] | None = None) -> None:
    """Both lists, into the file that the settings are read from."""
    from tandem.config import edit_lists

    file = _file()
    lists = dict(zip(KEYS, (subscribed, subscribed if replayed is None else replayed), strict=True))
    edit_lists(file, lists)
    print(f"{file}: symbols {', '.join(subscribed)}")
    if replayed not in (None, subscribed):
        print(f"{file}: replayed {', '.join(lists[KEYS[1]])}")
    _tell_overridden()


def _tell_unknown(names: Sequence[str]) -> None:
    from tandem.cli.opening import open_store
    from tandem.config import load
    from tandem.market import StoreError

    proxies = load().websocket.recycler.proxies
    try:
        with open_store() as store:
            counts = store.bars.counts(names, load().websocket.recycler.timeframe)
    except StoreError:
        return
    if absent := [name for name in names if not counts[name]]:
        borrowed = [f"{name} plays {proxies[name]}'s" for name in absent if name in proxies]
        instead = ", ".join(borrowed) or "the recycler plays those of another symbol instead"
        print(f"No bars of {', '.join(absent)} are stored: {instead}. `tandem data load` brings some.")


def _tell_overridden() -> None:
    from tandem.config import load

    settings = load()
    for key, held in zip(KEYS, _lists(settings), strict=True):
        variable = "TANDEM_" + key.upper().replace(".", "__")
        if variable in os.environ:
            print(f"{variable} in the environment overrides it: {', '.join(held)}")


def _configuration(settings: "Settings") -> list[str]:
    websocket, recycler = settings.websocket, settings.websocket.recycler
    told = ["=== Current Configuration ===", f"WebSocket Mode: {websocket.mode}"]
    if websocket.mode == "alpaca":
        return [*told, f"  Feed: {settings.alpaca.data_feed}", f"  Symbols: {websocket.symbols}"]
    speed = "max" if recycler.replay_speed == "max" else f"{recycler.replay_speed}x"
    told += [f"  Server URL: {recycler.server_url}", f"  Replay Mode: {recycler.replay_mode}"]
    told += [f"  Replay Speed: {speed}", f"  Symbols: {recycler.symbols}"]
    return told if websocket.symbols == recycler.symbols else [*told, f"  Subscribed: {websocket.symbols}"]


def _data(settings: "Settings") -> list[str]:
    from tandem.cli.opening import open_store
    from tandem.market import Timeframe

    recycler = settings.websocket.recycler
    replayed = settings.websocket.mode == "recycler"
    symbols = recycler.symbols if replayed else settings.websocket.symbols
    with open_store() as store:
        timeframe = recycler.timeframe if replayed else Timeframe.MIN_1
        counts = store.bars.counts([*symbols, *recycler.proxies.values()], timeframe)
        seen = store.bars.seen()
    real = {symbol: _playable(by_source, recycler.allow_simulated) for symbol, by_source in counts.items()}
    first = next((symbol for symbol in symbols if real[symbol]), "")
    return (
        ["=== Quick Data Check ==="]
        + [
            f"✅ {symbol}: {real[symbol]} records available"
            if real[symbol]
            else f"❌ {symbol}: No {'real ' if counts[symbol] else ''}data{_instead(settings, symbol, real, first)}"
            for symbol in symbols
        ]
        + _recorded(seen[seen["symbol"].isin(symbols)])
    )


def _recorded(seen: "pd.DataFrame") -> list[str]:
    """What `tandem stream` has kept, world by world."""
    counts = seen.groupby("world", sort=True)["rows"].sum()
    return [
        f"📼 {world}: {count} records kept by `tandem stream` (`tandem data status` shows them)"
        for world, count in counts.items()
    ]


def _playable(by_source: dict[str, int], simulated: bool) -> int:
    real = max((count for source, count in by_source.items() if source != SIMULATED), default=0)
    return real or (by_source.get(SIMULATED, 0) if simulated else 0)


def _instead(settings: "Settings", symbol: str, real: dict[str, int], first: str) -> str:
    if settings.websocket.mode == "alpaca":
        return ""
    named = settings.websocket.recycler.proxies.get(symbol, "")
    proxy = named if real.get(named) else first
    return f" (will use {proxy} as proxy)" if proxy else " (`tandem data load samples` brings some)"
