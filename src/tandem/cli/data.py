"""`tandem data`: bars into the store, and what is there."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter
from cyclopts.validators import Number

from tandem.cli.opening import open_store
from tandem.cli.quarantine import show_broken, tabled
from tandem.cli.table import show

if TYPE_CHECKING:
    import pandas as pd

    from tandem.market import Timeframe
    from tandem.store import Loaded, Store

Lengths = Literal["1Min", "5Min", "15Min", "30Min", "1Hour", "1Day"]

app = App(name="data", help="Load bars, and see what is there.")
load = App(name="load", help="Load bars: the samples that ship with Tandem, files of yours, or history from Alpaca.")
app.command(load)


@load.command
def samples() -> None:
    """Load the real bars that ship with Tandem, and their sectors."""
    from tandem.sources import samples as source

    with open_store() as store:
        loaded = source.load(store)
    print("The samples were there already." if not loaded.added else _told(loaded))


@load.default
def files(
    paths: Annotated[list[Path], Parameter(name="FILE", negative=())],
    /,
    *,
    timeframe: Lengths | None = None,
    map: str = "",
    symbol: str = "",
    timezone: str = "America/New_York",
    label: Literal["start", "end"] = "start",
    format: str = "",
    source: str = "file",
    adjustment: Literal["raw", "split", "dividend", "all"] = "raw",
) -> None:
    """Load CSV or Parquet files; rows that are no bars go to the quarantine, with file, line and reason.

    A bar that is stored stays, whatever a file says of it later; how many differ is told.

    Parameters
    ----------
    paths
        CSV or Parquet files with a header.
    timeframe
        Length of the bars; the times of each file tell it where not given.
    map
        Our columns to the files', where the names differ: symbol=ticker,start=date.
    symbol
        The symbol of files that have no such column.
    timezone
        Of times that carry no zone themselves.
    label
        Whether a time is the start or the end of its bar.
    format
        Form of the times, such as %m/%d/%Y; ISO 8601 without it.
    source
        What the bars are marked with.
    adjustment
        What the prices were adjusted for.
    """
    from tandem.market import Timeframe
    from tandem.sources import Layout
    from tandem.sources import files as source_files

    length = Timeframe(timeframe) if timeframe else None
    layout = Layout(length, _columns(map), symbol.upper(), timezone, label, format)
    with open_store() as store:
        for path in paths:
            loaded, reading = source_files.load(store, path, layout, source=source, adjustment=adjustment)
            print(f"{path}: {_told(loaded)}")
            if reading.taken and loaded.added + loaded.skipped:
                print(f"  {reading.taken}.")
            _tell_other(loaded, source)
            show_broken(loaded)


@load.command
def alpaca(
    *,
    symbols: str = "",
    sector: str = "",
    days: Annotated[int, Parameter(validator=Number(gte=1))] = 60,
    timeframe: Lengths | None = None,
    adjustment: Literal["raw", "split", "dividend", "all"] = "split",
    url: str | None = None,
    yes: bool = False,
) -> None:
    """Load history from Alpaca; what is there already is not asked for again.

    Parameters
    ----------
    symbols
        Tickers, with commas between.
    sector
        Every symbol of a sector instead.
    days
        Trading days back from today.
    timeframe
        Length of the bars; model.timeframe where not given.
    adjustment
        What the prices are adjusted for.
    url
        Base of another server that speaks Alpaca's protocol, such as the recycler's.
    yes
        Start without asking.
    """
    from tandem.config import load as load_settings
    from tandem.market import NEW_YORK, Calendar, Timeframe, WallClock
    from tandem.sources import alpaca as source

    settings, now = load_settings(), WallClock().now()
    length = Timeframe(timeframe or settings.model.timeframe)
    today = now.astimezone(NEW_YORK).date()
    with open_store() as store:
        names = _names(store, symbols, sector)
        cost = source.estimate(len(names), days, length)
        scope = f"{len(names)} symbols, {days} sessions of {length} bars"
        print(f"{scope}: at most {cost.calls} calls, {cost.minutes:.1f} minutes.")
        settings.alpaca.keys()
        if not (yes or _agreed(cost.minutes)):
            return
        first = Calendar().before(today, days)[0].day
        with _progress() as advance:
            loaded = source.load(
                store,
                names,
                length,
                first=first,
                last=today,
                now=now,
                account=settings.alpaca,
                url=url,
                adjustment=adjustment,
                progress=advance,
            )
        print(_told(loaded))
        _tell_absent(store, names, length)


@app.command(name="list")
def list_(*, json: bool = False) -> None:
    """Print what is there, one line per timeframe, source and world.

    Parameters
    ----------
    json
        Print JSON.
    """
    with open_store() as store:
        coverage = _covered(store)
    _show(_summed(coverage), "Bars", json)


@app.command
def status(*symbols: str, all: bool = False, json: bool = False) -> None:
    """Print what is there per symbol, timeframe and world; gaps are trading days with bars missing.

    Parameters
    ----------
    symbols
        Only these.
    all
        Every row, where there are so many that a summary is printed instead.
    json
        Print JSON.
    """
    with open_store() as store:
        coverage = _covered(store)
        quarantined = len(store.bars.quarantine())
    wanted = [symbol.upper() for symbol in symbols]
    if wanted and len(coverage):
        _refuse_unknown(wanted, coverage)
        coverage = coverage[coverage["symbol"].isin(wanted)]
    if len(coverage) > MANY and not (all or wanted or json):
        _show(_summed(coverage), "Bars", json)
        print(
            f"{len(coverage):,} series: `tandem data status --all` prints each, `tandem data status AAPL` those of one."
        )
    else:
        _show(coverage, "Bars per symbol", json)
    if quarantined and not json:
        print(f"{quarantined} rows that are no bars are in the quarantine: `tandem data quarantine` lists them.")


@app.command
def quarantine(*symbols: str, source: str = "", json: bool = False) -> None:
    """Print the rows that are no bars: which, and what is wrong with each.

    Parameters
    ----------
    symbols
        Only these.
    source
        Only what was marked with it.
    json
        Print JSON.
    """
    with open_store() as store:
        table = tabled(store.bars.quarantine())
    if symbols:
        table = table[table["symbol"].isin([symbol.upper() for symbol in symbols])]
    if source:
        table = table[table["source"] == source]
    show(table, f"{len(table):,} rows that are no bars", json=json, empty="No such rows are in the quarantine.")


@app.command
def remove(*, source: str, timeframe: Lengths | None = None, symbol: str = "", yes: bool = False) -> None:
    """Take loaded bars out again; what was made of 1-minute bars goes with them, and what is on record stays.

    Parameters
    ----------
    source
        What they are marked with, as `tandem data list` prints it: `file`, `sample`, `alpaca`, ...
    timeframe
        Only bars of this length.
    symbol
        Only those of this symbol.
    yes
        Do not ask.
    """
    with open_store() as store:
        found = _removable(store.bars.coverage(), source, timeframe, symbol.upper())
        count, lengths = int(found["rows"].sum()), _by_length(found)["timeframe"].drop_duplicates().to_list()
        whose = symbol.upper() or f"{found['symbol'].nunique():,} symbols"
        print(f"{count:,} bars of {whose} from {source}: {', '.join(lengths)}.")
        if not (yes or _typed(count)):
            print("Nothing is removed.")
            return
        removed = store.bars.remove(source=source, timeframes=_lengths(lengths), symbol=symbol.upper())
    print(f"Removed: {removed:,} bars. The cache follows by itself.")


@app.command
def cache(*, check: bool = False, clear: bool = False) -> None:
    """Print what is in the cache for large reads: files of closed sessions' bars, derived from PostgreSQL.

    Parameters
    ----------
    check
        Compare every bar with PostgreSQL; what differs is removed.
    clear
        Remove all of it; a large read builds what it needs again.
    """
    with open_store() as store:
        found = store.bars.cached(check=check and not clear)
        unwatched = store.bars.unwatched()
        if clear:
            store.bars.cache.clear()
    for one in found if not clear else []:
        print(f"{one.timeframe} {one.month}: {one.bars:,} bars, {_size(one.bytes)}, {STATES[check][one.state]}.")
    total = f"{len(found)} {'file' if len(found) == 1 else 'files'}, {_size(sum(one.bytes for one in found))}"
    if clear:
        print(f"Removed: {total}.")
    else:
        print(
            f"{total} in {store.bars.cache.folder}." if found else "The cache is empty; the first large read fills it."
        )
    if unwatched:
        print(f"The cache is not used: changes of {', '.join(unwatched)} leave no note.")


STATES = {
    False: {
        "current": "current",
        "stale": "stale: bars changed since, a large read builds it again",
        "broken": "damaged: a large read builds it again",
        "foreign": "of another database",
    },
    True: {
        "current": "checked: every bar is as in PostgreSQL",
        "stale": "not checked: bars changed since, a large read builds it again",
        "broken": "damaged: removed",
        "differs": "NOT as in PostgreSQL: removed",
        "foreign": "not checked: of another database",
    },
}
MANY = 60
SERIES = ["source", "feed", "adjustment", "world"]
EMPTY = "No bars yet. Run `tandem data load samples`, or `tandem data load alpaca --sector technology --days 60`."


def _size(count: int) -> str:
    return f"{count / 2**20:,.1f} MiB"


def _told(loaded: "Loaded") -> str:
    parts = [f"{loaded.added:,} bars added", f"{loaded.skipped:,} there already" if loaded.skipped else ""]
    parts.append(f"{loaded.quarantined:,} rows quarantined" if loaded.quarantined else "")
    return ", ".join(part for part in parts if part) + "."


def _tell_other(loaded: "Loaded", source: str) -> None:
    if loaded.other:
        print(
            f"  {loaded.other:,} of those differ from the bars in their places, which stay. "
            f"If the file is right, `tandem data remove --source {source}` and load it again."
        )


def _columns(text: str) -> dict[str, str]:
    from tandem.market import ConfigError

    parts = [part.partition("=") for part in text.split(",") if part.strip()]
    if bad := ["".join(part) for part in parts if not all(piece.strip() for piece in part)]:
        raise ConfigError(f"--map {bad[0]} is not OURS=THEIRS", "Write --map symbol=ticker,start=date")
    return {ours.strip(): theirs.strip() for ours, _, theirs in parts}


def _names(store: "Store", symbols: str, sector: str) -> list[str]:
    from tandem.market import DataError

    names = [name.upper() for name in re.split(r"[,\s]+", symbols) if name]
    if bool(names) == bool(sector):
        raise DataError("it is not said which symbols", "Give --symbols AAPL,MSFT or --sector technology, one of them")
    if sector and not (names := store.sectors.symbols(sector)):
        known = ", ".join(sorted(set(store.sectors.all()["sector"]))) or "none"
        mend = f"Known sectors: {known}. `tandem sectors import FILE` names symbols, or give --symbols AAPL,MSFT"
        raise DataError(f"no symbols in the sector {sector}", mend)
    return names


def _agreed(minutes: float) -> bool:
    """Short downloads start at once, and so does one that nobody watches."""
    import sys

    if minutes <= 5 or not sys.stdin.isatty():
        return True
    return input("Start? [y/N] ").strip().lower() in ("y", "yes")


def _progress() -> Any:
    from contextlib import contextmanager

    @contextmanager
    def shown() -> Any:
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True)) as bar:
            task = bar.add_task("Symbols", total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    return shown()


def _tell_absent(store: "Store", names: list[str], length: str) -> None:
    from tandem.market import Timeframe

    if absent := sorted(set(names) - set(store.bars.symbols(Timeframe(length)))):
        print(f"Without any {length} bar: {', '.join(absent)}.")


def _refuse_unknown(wanted: list[str], coverage: "pd.DataFrame") -> None:
    from difflib import get_close_matches

    from tandem.market import DataError

    known = set(coverage["symbol"])
    if absent := [symbol for symbol in wanted if symbol not in known]:
        near = get_close_matches(absent[0], sorted(known), 1)
        mend = f"Did you mean {near[0]}?" if near else f"Run `tandem data load alpaca --symbols {absent[0]}`"
        raise DataError(f"no bars of {', '.join(absent)}", mend)


def _removable(coverage: "pd.DataFrame", source: str, timeframe: str | None, symbol: str) -> "pd.DataFrame":
    """The series to remove; minutes take those with them that were made of them."""
    from tandem.market import DataError
    from tandem.sources import made_of

    sources = sorted(set(coverage["source"])) if len(coverage) else []
    if source not in sources:
        raise DataError(f"no bars from {source}", f"There are bars from: {', '.join(sources) or 'nowhere'}")
    found = coverage[coverage["source"] == source]
    if symbol:
        found = found[found["symbol"] == symbol]
    if timeframe:
        found = found[found["timeframe"].isin(made_of(timeframe))]
    if found.empty:
        which = " ".join(filter(None, [timeframe, "bars", symbol and f"of {symbol}", f"from {source}"]))
        raise DataError(f"no {which}", "`tandem data list` says what is there")
    return found


def _typed(count: int) -> bool:
    """Whether somebody has typed how many bars are to go."""
    import sys

    from tandem.market import DataError

    if not sys.stdin.isatty():
        raise DataError("nobody is there to confirm it", "Give --yes to remove them")
    return input(f"Type {count} to remove them: ").replace(",", "").strip() == str(count)


def _lengths(names: list[str]) -> "list[Timeframe]":
    from tandem.market import Timeframe

    return [Timeframe(name) for name in names]


def _covered(store: "Store") -> "pd.DataFrame":
    """Everybody's bars, then those that were seen in a world."""
    import pandas as pd

    seen = store.bars.seen()
    coverage = store.bars.coverage().assign(world="")
    return coverage if seen.empty else pd.concat([coverage, seen.assign(gaps=0)], ignore_index=True)


def _summed(coverage: "pd.DataFrame") -> "pd.DataFrame":
    series = coverage.groupby(["timeframe", *SERIES], as_index=False, sort=False)
    return series.agg(symbols=("symbol", "size"), rows=("rows", "sum"), first=("first", "min"), last=("last", "max"))


def _show(table: "pd.DataFrame", title: str, json: bool) -> None:
    """On paper 80 columns wide: where bars come from is one column, and times are New York dates."""
    table = _by_length(table)
    if json or table.empty:
        show(table, title, json=json, empty=EMPTY)
        return
    whole = table[SERIES].replace("raw", "").apply(lambda row: " ".join(filter(None, row)), axis=1)
    dates = {name: table[name].dt.tz_convert("America/New_York").dt.strftime("%Y-%m-%d") for name in ("first", "last")}
    shown = (
        table.assign(source=whole, **dates)
        .drop(columns=SERIES[1:])
        .rename(columns={"sessions": "days", "timeframe": "length"})
    )
    show(shown, title, json=json, empty=EMPTY)


def _by_length(table: "pd.DataFrame") -> "pd.DataFrame":
    from tandem.market import Timeframe

    order = {str(timeframe): place for place, timeframe in enumerate(Timeframe)}
    return table.assign(place=table["timeframe"].map(order)).sort_values("place", kind="stable").drop(columns="place")
