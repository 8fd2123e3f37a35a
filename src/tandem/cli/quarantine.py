"""Rows that are no bars, named: symbol, time and what is wrong."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd

    from tandem.store import Loaded

KINDS: Final = 5
NAMED: Final = 3
# What differs between rows of one kind: figures, and which of the prices it is.
DETAIL: Final = re.compile(r"^(?:open|high|low|close) |-?\d[\d.]*(?:e[+-]?\d+)?|\b-?(?:inf|nan)\b")


def show_broken(loaded: "Loaded") -> None:
    """Print what a load put into the quarantine: kinds of flaws, the most frequent first, with the first rows."""
    kinds: dict[str, list[Any]] = {}
    for row in loaded.broken:
        kinds.setdefault(_kind(row.reason), []).append(row)
    ordered = sorted(kinds.values(), key=len, reverse=True)
    for rows in ordered[:KINDS]:
        print(f"  {len(rows):,} x {_words(rows[:NAMED])}{', ...' if len(rows) > NAMED else ''}")
    if loaded.broken and (len(ordered) > KINDS or any(len(rows) > NAMED for rows in ordered)):
        print("  `tandem data quarantine` lists them all.")


def tabled(quarantine: "pd.DataFrame") -> "pd.DataFrame":
    """The quarantine as a table of plain columns: symbol, time, length, source, where and why."""
    import pandas as pd

    given = quarantine["given"]
    named = {"symbol": [_known(row, "symbol") for row in given], "time": [_time(row) for row in given]}
    rest = {"length": quarantine["timeframe"], "source": quarantine["source"], "world": quarantine["world"]}
    where = [f"{Path(_known(row, 'file')).name} {_place(row)}".strip() for row in given]
    return pd.DataFrame({**named, **rest, "where": where, "reason": quarantine["reason"]})


def _words(rows: list[Any]) -> str:
    """The rows with their reasons; a reason that all share stands once."""
    names = [_name(row.given) for row in rows]
    if len({row.reason for row in rows}) == 1 < len(rows):
        return f"{rows[0].reason}: {', '.join(names)}"
    return ", ".join(f"{name}: {row.reason}" for name, row in zip(names, rows, strict=True))


def _kind(reason: str) -> str:
    return DETAIL.sub("", reason.partition(": ")[0])


def _name(given: dict[str, Any]) -> str:
    return " ".join(filter(None, (_known(given, "symbol"), _time(given), _place(given))))


def _place(given: dict[str, Any]) -> str:
    """In its file; a Parquet file has rows instead of lines."""
    what = "row" if _known(given, "file").lower().endswith((".parquet", ".pq")) else "line"
    return f"{what} {line}" if (line := _known(given, "line")) else ""


def _known(given: dict[str, Any], name: str) -> str:
    value = str(given.get(name) or "")
    return "" if value.lower() in ("nan", "nat", "none", "<na>") else value


def _time(given: dict[str, Any]) -> str:
    """In New York, as a date where it is midnight there."""
    import pandas as pd

    text = _known(given, "start")
    try:
        moment = pd.Timestamp(text or "never").tz_convert("America/New_York")
    except (ValueError, TypeError):
        return text
    return f"{moment:%Y-%m-%d}" if moment == moment.normalize() else f"{moment:%Y-%m-%d %H:%M}"
