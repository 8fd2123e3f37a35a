"""Tables for people and for programs."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def show(table: "pd.DataFrame", title: str, *, json: bool, empty: str) -> None:
    """Print a table, or the line that says how to fill it; as JSON a list of objects, times in ISO 8601.

    Args:
        table: plain columns; times with a zone.
        title: stands above the table.
        json: print JSON instead.
        empty: printed where the table has no rows.
    """
    if json:
        print(table.to_json(orient="records", date_format="iso", indent=2))
    elif table.empty:
        print(empty)
    else:
        _print(table, title)


def _print(table: "pd.DataFrame", title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    columns = [name for name in table.columns if table[name].astype("str").str.len().any()]
    shown = Table(title=title, box=None, padding=(0, 1, 0, 0), title_justify="left")
    for name in columns:
        shown.add_column(name, justify="right" if table[name].dtype.kind in "iuf" else "left")
    for row in table[columns].itertuples(index=False):
        shown.add_row(*(_text(value) for value in row))
    Console().print(shown)


def _text(value: Any) -> str:
    if hasattr(value, "tz_convert"):
        return f"{value.tz_convert('America/New_York'):%Y-%m-%d %H:%M}"
    return f"{value:,}" if isinstance(value, int) else str(value)
