"""One page that needs nothing from outside: style and pictures are inside."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tandem.operations.writing.ink import Drawing, palette
from tandem.operations.writing.markup import Markup, element, join

STYLE: Final = Path(__file__).with_name("page.css")


def page(title: str, header: Markup, sections: Iterable[Markup], footer: Markup) -> str:
    """A whole HTML document."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(palette() + STYLE.read_text(encoding="utf-8"))),
    )
    body = element("body", header, element("main", *sections), footer)
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def section(anchor: str, title: str, *content: str) -> Markup:
    """A chapter that the contents lead to."""
    return element("section", element("h2", title), *content, id=anchor)


def paragraph(*content: str, class_: str = "") -> Markup:
    """A paragraph."""
    return element("p", *content, class_=class_)


def figure(drawing: Drawing, *caption: str) -> Markup:
    """A picture with what it says under it."""
    return element("figure", drawing.html(), element("figcaption", *caption))


def under(text: str, beneath: str) -> Markup:
    """A cell with a second, quieter line."""
    return join([text, element("span", beneath, class_="sub")])


def toned(text: str, value: float) -> Markup:
    """Green for a gain, red for a loss."""
    return element("span", text, class_="gain" if value > 0 else "loss" if value < 0 else "")
