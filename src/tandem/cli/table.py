"""Tables for people and for programs."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd


def show(table: "pd.DataFrame", title: str, *, json: bool, empty: str, whole: Collection[str] = ()) -> None:
    """Print a table, or the line that says how to fill it; as JSON a list of objects, times in ISO 8601.

    Args:
        table: plain columns; times with a zone.
        title: stands above the table.
        json: print JSON instead.
        empty: printed where the table has no rows.
        whole: columns that are never wrapped; the others make room for them.
    """
    if json:
        print(table.to_json(orient="records", date_format="iso", indent=2))
    elif table.empty:
        print(empty)
    else:
        _print(table, title, whole)


def _print(table: "pd.DataFrame", title: str, whole: Collection[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    columns = [name for name in table.columns if table[name].astype("str").str.len().any()]
    shown = Table(title=title, box=None, padding=(0, 1, 0, 0), title_justify="left")
    for name in columns:
        justify: Literal["left", "right"] = "right" if table[name].dtype.kind in "iuf" else "left"
        shown.add_column(name, justify=justify, no_wrap=name in whole, overflow="fold")
    for row in table[columns].itertuples(index=False):
        shown.add_row(*(_text(value) for value in row))
    Console().print(shown)


def _text(value: Any) -> str:
    if hasattr(value, "tz_convert"):
        return f"{value.tz_convert('America/New_York'):%Y-%m-%d %H:%M}"
    return f"{value:,}" if isinstance(value, int) else str(value)
