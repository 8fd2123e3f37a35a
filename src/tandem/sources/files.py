"""Bars, and sectors, from files of any layout."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tandem.market import NEW_YORK, DataError, Timeframe
from tandem.sources.length import Spacing, check, taken
from tandem.sources.longer import keep_longer

if TYPE_CHECKING:
    import pandas as pd

    from tandem.store import Loaded, Store

SOURCE: Final = "file"
PRICES: Final = ("open", "high", "low", "close")
NEEDED: Final = ("symbol", "start", *PRICES, "volume")
OPTIONAL: Final = ("trade_count", "vwap")
ALIASES: Final = {
    "symbol": ("ticker", "s"),
    "start": ("timestamp", "datetime", "date", "time", "t"),
    "open": ("o",),
    "high": ("h",),
    "low": ("l",),
    "close": ("c",),
    "volume": ("vol", "v"),
    "trade_count": ("n",),
    "vwap": ("vw",),
}
ZONED: Final = r"(?:[zZ]|[+-]\d{2}:?\d{2})$"
YEARS: Final = (1900, 2200)
MISSING: Final = ("", "nan", "None", "NaT", "<NA>")
TICKER: Final = r"[A-Z][A-Z0-9.\-]*"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file says what a bar is.

    Attributes:
        timeframe: length of the bars; None where the file's times are to tell it.
        columns: our name to the file's, where the names differ (`symbol` -> `ticker`).
        symbol: the one symbol of a file that has no such column.
        timezone: of times that carry no zone themselves.
        label: whether a time is the start or the end of its bar.
        format: strptime's form of the times; ISO 8601 where empty.
    """

    timeframe: Timeframe | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    symbol: str = ""
    timezone: str = "America/New_York"
    label: Literal["start", "end"] = "start"
    format: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a file held.

    Attributes:
        bars: the rows that could be read, a bars frame with a column `line` besides.
        broken: the rows that could not: `line` (the header is 1; of Parquet the row), `flaw`, `text`, and `symbol` and
            `start` where they could be read.
        timeframe: length of the bars, given or told by their times.
        taken: how the times told it, in words; empty where it was given.
    """

    bars: "pd.DataFrame"
    broken: "pd.DataFrame"
    timeframe: Timeframe
    taken: str = ""


def read(path: Path, layout: Layout) -> Reading:
    """The bars of a file, and the rows that are none.

    A row is broken when a figure or a time cannot be read, or when it has another number of fields than the header.
    Rows that can be read but break a law of prices are bars here: the store quarantines them.

    Raises:
        DataError: the file is missing, not CSV or Parquet, without rows, or without a column that is needed; or its
            times tell no length of bars, or another than the one given.
    """
    zone = _zone(layout.timezone)
    rows, broken = _rows(path)
    found = _columns(path, list(rows.columns.drop("line")), layout)
    text = rows[["line", *found.values()]].set_axis(["line", *found], axis=1)
    if layout.symbol:
        text.insert(1, "symbol", layout.symbol)
    return _reading(path, text, broken, layout, zone)


def load(
    store: "Store", path: Path, layout: Layout, *, source: str = SOURCE, adjustment: str = "raw"
) -> tuple["Loaded", Reading]:
    """Put a file's bars into the store, and its broken rows into the quarantine with file, line and flaw.

    Beside 1-minute bars the 5-minute and hourly ones that they make are kept too.

    Args:
        store: where to.
        path: the file.
        layout: how it says what a bar is.
        source: what the bars are marked with.
        adjustment: `raw`, `split`, ...

    Raises:
        DataError: as `read`; then nothing is stored.
    """
    import pandas as pd

    reading = read(path, layout)
    rows = pd.concat([reading.bars.assign(flaw="", text=""), reading.broken]).assign(file=str(path))
    loaded = store.bars.load(rows, timeframe=reading.timeframe, source=source, adjustment=adjustment)
    if reading.timeframe is Timeframe.MIN_1:
        keep_longer(store, reading.bars, source=source, adjustment=adjustment)
    return loaded, reading


def sectors(path: Path) -> "pd.DataFrame":
    """Columns `symbol` (upper case), `sector`, `industry` (lower case, empty where unknown), `source` (the file).

    Raises:
        DataError: the file is missing or no CSV, lacks a column, or has a row without symbol or sector.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path, dtype="str", keep_default_na=False)
    except FileNotFoundError:
        raise DataError(f"{path} is missing", "Check the path") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {str(error).splitlines()[0]}", "Give a CSV file") from None
    table.columns = table.columns.str.strip().str.lower()
    for name in ("symbol", "sector"):
        if name not in table:
            raise DataError(f"{path} has no column {name}; it has {', '.join(table.columns)}", "Give symbol and sector")
        if (empty := table[name].str.strip() == "").any():
            raise DataError(
                f"{path} line {int(empty.to_numpy().argmax()) + 2}: no {name}", "Fill it in, or leave the row out"
            )
    return pd.DataFrame(
        {
            "symbol": table["symbol"].str.strip().str.upper(),
            "sector": table["sector"].str.strip().str.lower(),
            "industry": table["industry"].str.strip().str.lower() if "industry" in table else "",
            "source": path.name,
        }
    )


def _rows(path: Path) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    import pyarrow as pa

    reader = _parquet if path.suffix.lower() in (".parquet", ".pq") else _csv
    try:
        rows, broken = reader(path)
    except FileNotFoundError:
        raise DataError(f"{path} is missing", "Check the path.") from None
    except (OSError, pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read: {str(error).splitlines()[0]}", "Give a CSV or a Parquet file."
        ) from None
    if rows.empty and broken.empty:
        raise DataError(f"{path} has no rows", "Give a file with a header and bars.")
    return rows, broken


def _parquet(path: Path) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    import pandas as pd

    rows = pd.read_parquet(path).reset_index(drop=True).drop(columns="line", errors="ignore")
    rows.insert(0, "line", rows.index + 1)
    return rows, _broken([], [], [])


def _csv(path: Path) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """Everything as text, so that nothing is guessed: a ticker may be NA or TRUE."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv as arrow

    uneven: list[Any] = []

    def note(row: Any) -> str:
        uneven.append(row)
        return "skip"

    names, mark = _header(path)
    table = arrow.read_csv(
        path,
        arrow.ReadOptions(use_threads=False),
        arrow.ParseOptions(delimiter=mark, invalid_row_handler=note, ignore_empty_lines=False),
        arrow.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
    )
    lost = np.array([row.number for row in uneven], dtype=np.int64)
    lines = np.setdiff1d(np.arange(2, len(table) + len(lost) + 2), lost, assume_unique=True)
    rows = table.to_pandas().drop(columns="line", errors="ignore")
    rows.insert(0, "line", lines)
    blank = (rows.drop(columns="line") == "").all(axis=1)
    reasons = [f"{row.actual_columns} fields where the header has {row.expected_columns}" for row in uneven]
    return rows[~blank], _broken(lost.tolist(), reasons, [row.text for row in uneven])


def _header(path: Path) -> tuple[list[str], str]:
    """The names of the columns, and what stands between them."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        line = lines.readline()
    mark = max(",;\t|", key=line.count)
    return next(csv.reader([line], delimiter=mark), []), mark


def _columns(path: Path, there: list[str], layout: Layout) -> dict[str, str]:
    """Our names to the file's: as the layout says, else the same name, else a usual one, whatever its case."""
    if unknown := [name for name in layout.columns if name not in (*NEEDED, *OPTIONAL)]:
        raise DataError(f"{unknown[0]} is not a column of a bar", f"Map {', '.join((*NEEDED, *OPTIONAL))}.")
    folded = {name.strip().lower(): name for name in reversed(there)}
    found: dict[str, str] = {}
    for name in (*NEEDED, *OPTIONAL):
        if name == "symbol" and layout.symbol:
            continue
        wanted = [layout.columns[name]] if name in layout.columns else [name, *ALIASES[name]]
        match = next((folded[one.lower()] for one in wanted if one.lower() in folded), None)
        if match is not None:
            found[name] = match
        elif name in NEEDED or name in layout.columns:
            raise DataError(f"{path} has no column {wanted[0]}; it has {', '.join(there)}", _mend(name))
    if twice := [name for name in found.values() if there.count(name) > 1]:
        raise DataError(f"{path} has more than one column {twice[0]}", "Rename those that are not meant.")
    return found


def _mend(name: str) -> str:
    return f"Name it with --map {name}=COLUMN" + (", or give --symbol." if name == "symbol" else ".")


def _reading(path: Path, text: "pd.DataFrame", broken: "pd.DataFrame", layout: Layout, zone: ZoneInfo) -> Reading:
    import pandas as pd

    bars = pd.DataFrame({"symbol": text["symbol"].astype("str").str.strip().str.upper()})
    bars["start"] = _moments(text["start"], layout, zone)
    for name in (*PRICES, "volume", *OPTIONAL):
        if name in text:
            bars[name] = pd.to_numeric(text[name], errors="coerce").astype("float64")
    reason = _reasons(text, bars)
    bad = reason != ""
    wall = _wall(bars["start"], zone)
    timeframe, told = _length(path, bars["symbol"][~bad], wall[~bad], layout)
    bars["start"] = _starts(bars["start"], wall, timeframe, layout)
    given = [",".join(map(str, row)) for row in text[bad].drop(columns="line").itertuples(index=False)]
    unread = _broken(text.loc[bad, "line"].to_list(), reason[bad].to_list(), given)
    unread = unread.assign(symbol=bars.loc[bad, "symbol"].to_list(), start=bars.loc[bad, "start"].to_list())
    good = bars[~bad].assign(line=text.loc[~bad, "line"], volume=bars.loc[~bad, "volume"].round().astype("int64"))
    return Reading(
        good.sort_values(["symbol", "start"], ignore_index=True, kind="stable"),
        pd.concat([broken, unread]).sort_values("line", ignore_index=True),
        timeframe,
        told,
    )


def _length(path: Path, symbols: "pd.Series[Any]", wall: "pd.Series[Any]", layout: Layout) -> tuple[Timeframe, str]:
    """Of the bars, and how the times told it; a minute where no row can be read at all."""
    if symbols.empty:
        return layout.timeframe or Timeframe.MIN_1, ""
    spacing = Spacing.of(symbols, wall)
    if layout.timeframe is None:
        return taken(path, spacing)
    check(path, spacing, layout.timeframe)
    return layout.timeframe, ""


def _moments(times: "pd.Series[Any]", layout: Layout, zone: ZoneInfo) -> "pd.Series[Any]":
    """Times in UTC; NaT for one that cannot be read or that a change of the clocks leaves out or doubles."""
    import pandas as pd

    if not pd.api.types.is_datetime64_any_dtype(times):
        times = _parsed(times.astype("str").str.strip(), layout.format, zone)
    elif getattr(times.dt, "tz", None) is None:
        times = _within_reason(times).dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    return pd.Series(_within_reason(times).dt.tz_convert("UTC").dt.as_unit("us"))


def _wall(moments: "pd.Series[Any]", zone: ZoneInfo) -> "pd.Series[Any]":
    """What a clock of the zone showed; days that are written as midnights of UTC are those days everywhere."""
    import pandas as pd

    plain = moments.dt.tz_localize(None)
    if (plain.dropna() == plain.dropna().dt.normalize()).all():
        return pd.Series(plain)
    return pd.Series(moments.dt.tz_convert(zone).dt.tz_localize(None))


def _starts(
    moments: "pd.Series[Any]", wall: "pd.Series[Any]", timeframe: Timeframe, layout: Layout
) -> "pd.Series[Any]":
    """Starts of the bars in UTC."""
    import pandas as pd

    if timeframe is Timeframe.DAY_1:
        return pd.Series(wall.dt.normalize().dt.tz_localize(NEW_YORK).dt.tz_convert("UTC").dt.as_unit("us"))
    shift = timeframe.length if layout.label == "end" else pd.Timedelta(0)
    return pd.Series((moments - shift).dt.as_unit("us"))


def _parsed(times: "pd.Series[Any]", form: str, zone: ZoneInfo) -> "pd.Series[Any]":
    import pandas as pd

    zoned = times.str.contains(ZONED) & times.str.contains(":")
    form = form or "ISO8601"
    try:
        aware = pd.to_datetime(times.where(zoned), format=form, errors="coerce", utc=True)
        naive = _within_reason(pd.to_datetime(times.where(~zoned), format=form, errors="coerce"))
    except ValueError:
        raise DataError(f"{form} is not the form of a time", "Write --format as in %m/%d/%Y %H:%M.") from None
    if getattr(naive.dt, "tz", None) is not None:
        utc = naive.dt.tz_convert("UTC")
    else:
        utc = naive.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC")
    return pd.Series(utc.fillna(aware))


def _within_reason(times: "pd.Series[Any]") -> "pd.Series[Any]":
    """NaT for a year that no exchange trades in and that conversions may overflow on."""
    return times.where(times.dt.year.between(*YEARS))


def _reasons(text: "pd.DataFrame", bars: "pd.DataFrame") -> "pd.Series[Any]":
    """Why a row cannot be read; empty where it can. Columns count in their order."""
    import numpy as np
    import pandas as pd

    reason = pd.Series("", index=text.index, dtype="object")
    named = bars["symbol"].str.fullmatch(TICKER)
    tests = [("symbol", "a ticker", ~named), ("start", "a time", bars["start"].isna())]
    tests += [(name, "a number", bars[name].isna()) for name in (*PRICES, "volume")]
    tests += [("volume", "a number of shares", bars["volume"].abs().gt(2**62))]
    for name, what, wrong in tests:
        new = wrong & (reason == "")
        flaws = [_unread(name, what, value) for value in text.loc[new, name]]
        reason[new] = np.array(flaws, dtype=object)
    return reason


def _unread(name: str, what: str, value: object) -> str:
    given = str(value).strip()
    return f"{name} is missing" if given in MISSING else f"{name} is not {what}: {given}"


def _broken(lines: list[int], flaws: list[str], texts: list[str]) -> "pd.DataFrame":
    import pandas as pd

    types = {"line": "int64", "flaw": "str", "text": "str", "symbol": "str", "start": "datetime64[us, UTC]"}
    return pd.DataFrame({"line": lines, "flaw": flaws, "text": texts, "symbol": None, "start": None}).astype(types)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise DataError(f"{name} is not a timezone", "Name one such as America/New_York or UTC.") from None
