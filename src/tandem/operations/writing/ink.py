"""Pictures that sit in a page as SVG, in the page's colours, wide and narrow, or stand alone in a file."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tandem.operations.writing.markup import Markup, element
from tandem.operations.writing.target import PICTURES, check_target, write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, FAINT, LINE, PAPER = "#1f2933", "#66727f", "#a3adb8", "#e2e6ea", "#fdfdfc"
LEG_A, LEG_B, BAND, GAIN, LOSS = "#1d6fb8", "#c8641b", "#7c4fb5", "#14804a", "#c02b2b"

DARK: Final[Mapping[str, str]] = {
    INK: "#e6e9ec",
    SOFT: "#a0abb6",
    FAINT: "#6d7884",
    LINE: "#2d343b",
    PAPER: "#15191d",
    LEG_A: "#6db3f2",
    LEG_B: "#f2a35e",
    BAND: "#b893ec",
    GAIN: "#4cc38a",
    LOSS: "#f2787a",
}
NAMES: Final = dict(
    zip(DARK, ("ink", "soft", "faint", "line", "paper", "leg-a", "leg-b", "band", "gain", "loss"), strict=True)
)
LOOK: Final[dict[Any, Any]] = {
    "axes.edgecolor": LINE,
    "axes.facecolor": "none",
    "axes.labelcolor": SOFT,
    "axes.labelsize": 8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 8.5,
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "lines.solid_capstyle": "round",
    "text.color": INK,
    "xtick.color": LINE,
    "xtick.labelcolor": SOFT,
    "xtick.labelsize": 7.5,
    "ytick.color": LINE,
    "ytick.labelcolor": SOFT,
    "ytick.labelsize": 7.5,
}
WIDE, NARROW = 8.6, 3.9

TRIMS: Final = tuple(
    (re.compile(pattern, re.DOTALL), instead)
    for pattern, instead in (
        (r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", ""),
        (r'<g id="[^"]*"/>', ""),
        (r'<g id="[^"]*">', "<g>"),
        (r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', r'<svg viewBox="\1" xmlns:xlink="http://www.w3.org/1999/xlink">'),
        (r"font-family: [^;\"]*;? ?", ""),
        (r"(\d+\.\d\d)\d+", r"\1"),
        (r' transform="rotate\(-0 [^)]*\)"', ""),
        (r"\s*\n\s*", "\n"),
    )
)

Draw = Callable[["Figure", bool], None]


@dataclass(frozen=True)
class Drawing:
    """A picture, drawn for wide and for narrow screens.

    Attributes:
        name: unique within a page.
        alt: what it shows, for those who cannot see it.
        draw: draws on an empty figure; the flag tells that it is narrow.
        height, narrow_height: inches; the widths are `WIDE` and `NARROW`.
    """

    name: str
    alt: str
    draw: Draw
    height: float
    narrow_height: float

    def html(self) -> Markup:
        """Both variants; the style sheet shows the one that fits."""
        variants = (element("div", self.svg(narrow=n), class_="narrow" if n else "wide") for n in (False, True))
        return element("div", *variants, class_="drawing", role="img", aria_label=self.alt)

    def svg(self, *, narrow: bool = False) -> Markup:
        """Inline SVG whose colours are the page's variables and whose letters are the page's."""
        look = {"svg.fonttype": "none", "svg.hashsalt": f"{self.name}-{narrow}"}
        with _looking(look):
            text = StringIO()
            self._figure(narrow=narrow).savefig(text, format="svg", transparent=True, metadata={"Date": None})
        return _inline(text.getvalue())

    def save(self, path: Path) -> None:
        """Write the wide variant in light colours, by the suffix as PNG or SVG.

        Raises:
            DataError: another suffix, or it cannot be written there.
        """
        check_target(path, *PICTURES)
        kind = path.suffix.lower().removeprefix(".")
        look = {"svg.hashsalt": self.name, "savefig.facecolor": PAPER}
        content = BytesIO()
        with _looking(look):
            fixed = {"metadata": {"Date": None}} if kind == "svg" else {"dpi": 200}
            self._figure(narrow=False).savefig(content, format=kind, **fixed)
        write_whole(path, content.getvalue())

    def _figure(self, *, narrow: bool) -> "Figure":
        from matplotlib.figure import Figure

        size = (NARROW, self.narrow_height) if narrow else (WIDE, self.height)
        figure: Figure = Figure(figsize=size, layout="constrained")
        self.draw(figure, narrow)
        return figure


def palette() -> Markup:
    """The colours as CSS variables, light and dark."""
    light = "".join(f"--{name}:{colour};" for colour, name in NAMES.items())
    dark = "".join(f"--{name}:{DARK[colour]};" for colour, name in NAMES.items())
    return Markup(f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}")


def label_end(axes: "Axes", x: float, y: float, text: str, colour: str) -> None:
    """Name a line at its end instead of in a legend."""
    axes.annotate(
        text, (x, y), xytext=(4, 0), textcoords="offset points", color=colour, va="center", fontsize=7.5,
        annotation_clip=False,
    )  # fmt: skip


def grid(axes: "Axes") -> None:
    """Faint horizontal lines behind everything."""
    axes.grid(axis="y", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)


def _looking(look: dict[Any, Any]) -> Any:
    from matplotlib import rc_context

    return rc_context(LOOK | look)


def _inline(text: str) -> Markup:
    text = text[text.index("<svg") :]
    for pattern, instead in TRIMS:
        text = pattern.sub(instead, text)
    for colour, name in NAMES.items():
        text = text.replace(colour, f"var(--{name})")
    return Markup(text)
