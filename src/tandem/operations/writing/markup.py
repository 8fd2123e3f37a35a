"""HTML by functions: text is escaped unless it was made here."""

from collections.abc import Iterable, Sequence
from html import escape


class Markup(str):
    """HTML that is safe as it stands."""

    __slots__ = ()


VOID = frozenset({"meta", "br", "hr"})


def element(name: str, /, *content: str, **attributes: str) -> Markup:
    """One element; `class_` and the like lose their underscore, inner ones become dashes."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items() if value
    )
    if name in VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{join(content)}</{name}>")


def join(parts: Iterable[str], between: str = "") -> Markup:
    """Pieces one after the other, each escaped where it is plain text."""
    return Markup(safe(between).join(safe(part) for part in parts))


def safe(text: str) -> Markup:
    """The text as HTML."""
    return text if isinstance(text, Markup) else Markup(escape(text))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], class_: str = "") -> Markup:
    """A table that scrolls sideways where it must; a column whose name starts with `>` holds figures.

    Args:
        columns: headings, the first of them heads its row.
        rows: cells, plain text or HTML.
    """
    figures = ["figure" if column.startswith(">") else "" for column in columns]
    names = (column.removeprefix(">") for column in columns)
    head = element("tr", *(element("th", name, class_=f) for name, f in zip(names, figures, strict=True)))
    body = (element("tr", *_cells(row, figures)) for row in rows)
    inner = element("table", element("thead", head), element("tbody", *body), class_=class_)
    return element("div", inner, class_="scroll")


def _cells(row: Sequence[str], figures: Sequence[str]) -> Iterable[Markup]:
    for place, (cell, figure) in enumerate(zip(row, figures, strict=True)):
        yield element("td" if place else "th", cell, class_=figure, scope="" if place else "row")
