"""Rows of history as a table on a terminal, a file for a spreadsheet, a document, and a chapter of a page."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, Final

from tandem.operations.run.wording import counted, dollars
from tandem.operations.run.wording import plain as number
from tandem.operations.writing.markup import Markup, table
from tandem.operations.writing.page import paragraph, section, toned

if TYPE_CHECKING:
    from rich.console import Console

SHOWN: Final = 40
ON_A_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: its heading; figures begin with `>`.
        text: what stands in it, made from a row.
        tone: greater 0 is a gain, less a loss; None for what is neither.
    """

    name: str
    text: Callable[[Any], str]
    tone: Callable[[Any], float] | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A titled table.

    Attributes:
        rows: all of them, or the newest.
        total: how many there are in all; those of `rows` where None.
        best_first: rows are ranked: where not all are shown it is the first ones, else the last.
        note: what a reader must know of the columns.
        empty: what is said where there is no row.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Any]
    note: str = ""
    empty: str = ""
    total: int | None = None
    best_first: bool = False

    def print(self, console: "Console") -> None:
        """As many rows as a person reads, in the console's width."""
        from rich.table import Table
        from rich.text import Text

        if not self.rows:
            console.print(self.empty)
            return
        shown = Table(title=self.title, box=None, padding=(0, 1, 0, 0), title_justify="left")
        rows = self._some(SHOWN)
        for place, column in enumerate(self.columns, 1):
            name = column.name.removeprefix(">")
            widest = max(*map(len, name.split("\n")), *(len(column.text(row)) for row in rows))
            shown.add_column(
                name,
                justify="right" if column.name.startswith(">") else "left",
                no_wrap=True,
                overflow="ellipsis",
                min_width=widest if place < len(self.columns) else None,
            )
        for row in rows:
            shown.add_row(
                *(Text(column.text(row), _colour(column, row), overflow="ellipsis") for column in self.columns)
            )
        console.print(shown)
        for line in filter(None, (self._left_out(SHOWN), self.note)):
            console.print(Text(line, "dim"))

    def section(self, anchor: str, title: str = "") -> Markup:
        """A chapter with the table, under its own title or another; not of very many rows."""
        if not self.rows:
            return section(anchor, title or self.title, paragraph(self.empty))
        rows = ([_cell(column, row) for column in self.columns] for row in self._some(ON_A_PAGE))
        notes = " ".join(filter(None, (self._left_out(ON_A_PAGE), self.note)))
        names = [column.name for column in self.columns]
        note = paragraph(notes, class_="note") if notes else ""
        return section(anchor, title or self.title, note, table(names, rows))

    def _left_out(self, most: int) -> str:
        shown, total = min(len(self.rows), most), self.total or len(self.rows)
        which = "first" if self.best_first else "last"
        return f"The {which} {shown:,} of {counted(total, 'row')}; --csv has them all." if shown < total else ""

    def _some(self, most: int) -> Sequence[Any]:
        return self.rows[:most] if self.best_first else self.rows[-most:]


def write_csv(rows: Iterable[Any], kind: type[Any], to: IO[str]) -> None:
    """A line for each row, a column for each field; rows are taken one at a time."""
    writer = csv.writer(to, lineterminator="\n")
    names = [field.name for field in fields(kind)]
    writer.writerow(names)
    for row in rows:
        writer.writerow([_flat(getattr(row, name)) for name in names])


def documents(rows: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Rows as plain data: dollars as numbers, times in ISO 8601."""
    for row in rows:
        yield {field.name: plain(getattr(row, field.name)) for field in fields(row)}


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Decimal):
        return round(float(value), 6)
    return value.isoformat() if isinstance(value, date | datetime) else value


def money(field: str) -> Column:
    """A column of dollars that may be gained or lost, under the field's name."""
    return Column(
        f">{field.replace('_', ' ').capitalize()}",
        lambda row: _dollars(getattr(row, field)),
        lambda row: float(getattr(row, field) or 0),
    )


def paid(field: str) -> Column:
    """A column of dollars that were paid."""
    return Column(f">{field.replace('_', ' ').capitalize()}", lambda row: _dollars(getattr(row, field), signed=False))


def figure(name: str, field: str, places: int = 3) -> Column:
    """A column of numbers, `n/a` where there is none."""
    return Column(f">{name}", lambda row: number(getattr(row, field), places))


def count(name: str, field: str) -> Column:
    """A column of counts."""
    return Column(f">{name}", lambda row: f"{getattr(row, field):,}" if getattr(row, field) is not None else "")


def words(name: str, field: str) -> Column:
    """A column of words."""
    return Column(name, lambda row: str(getattr(row, field) or ""))


def _dollars(value: Decimal | None, *, signed: bool = True) -> str:
    return "n/a" if value is None else dollars(value, signed=signed)


def _flat(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else "" if value is None else value


def _colour(column: Column, row: Any) -> str:
    value = column.tone(row) if column.tone else 0
    return "green" if value > 0 else "red" if value < 0 else ""


def _cell(column: Column, row: Any) -> str:
    text = column.text(row)
    return toned(text, column.tone(row)) if column.tone else text
