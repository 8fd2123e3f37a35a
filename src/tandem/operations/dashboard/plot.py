"""Small pictures as SVG in the page's colours: lines over days or epochs, calibration, bars."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

from markupsafe import Markup, escape

from tandem.forecast import Calibration
from tandem.operations.dashboard.wording import plain

WIDE: Final = 420
LEFT, RIGHT, TOP, BOTTOM = 40, 74, 8, 20
TICKS: Final = 4
Form = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Line:
    """Values in order; None leaves a gap.

    Attributes:
        ink: a class of the style sheet, such as `a`, `b` or `faint`.
    """

    name: str
    ink: str
    values: Sequence[float | None]
    is_dashed: bool = False


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    step: float
    top: float
    bottom: float

    @classmethod
    def over(cls, values: Sequence[float], height: int) -> "_Scale":
        low, high = min(values), max(values)
        room = (high - low) * 0.08 or abs(high) * 0.05 or 0.5
        low, high = low - room, high + room
        step = _nice((high - low) / TICKS)
        return cls(low, high, step, TOP, height - BOTTOM)

    def __call__(self, value: float) -> float:
        return round(self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top), 1)

    @property
    def ticks(self) -> list[float]:
        first, last = ceil(self.low / self.step), floor(self.high / self.step)
        return [round(count * self.step, 10) for count in range(first, last + 1)]


def lines(shown: Sequence[Line], labels: Sequence[str], alt: str, *, height: int = 150, places: int = 2,
          mark: int | None = None) -> Markup:  # fmt: skip
    """Lines over equal steps, each named at its end.

    Args:
        labels: of the steps; the first, the last and some between are written.
        alt: what it shows, for who cannot see it.
        places: decimals of the scale.
        mark: a step that is marked with an upright line.
    """
    known = [value for line in shown for value in line.values if value is not None]
    if not known:
        return Markup("")
    scale, count = _Scale.over(known, height), len(labels)
    right = WIDE - RIGHT
    across = [LEFT + (right - LEFT) * (place / (count - 1) if count > 1 else 0.5) for place in range(count)]
    parts = [*_grid(scale, right, places), *_steps(labels, across, height)]
    if mark is not None:
        x = f"{across[mark]:.1f}"
        parts.append(_element("line", x1=x, x2=x, y1=TOP, y2=height - BOTTOM, class_="mark"))
    ends: list[tuple[float, Line]] = []
    for line in shown:
        parts += _path(line, across, scale)
        last = [value for value in line.values if value is not None]
        if last:
            ends.append((scale(last[-1]), line))
    parts += _names(ends, right, height)
    return _svg(parts, height, alt)


def calibration(found: Calibration, alt: str, *, height: int = 190) -> Markup:
    """How often forecasts came true, with 95% intervals, against the diagonal; empty without a record."""
    if not found.bins:
        return Markup("")
    left, right, top, bottom = LEFT, LEFT + height - BOTTOM - TOP + 40, TOP, height - BOTTOM

    def at(forecast: float, frequency: float) -> tuple[str, str]:
        return f"{left + (right - left) * forecast:.1f}", f"{bottom - (bottom - top) * frequency:.1f}"

    parts: list[Markup] = []
    for share in (0.0, 0.5, 1.0):
        x, y = at(share, share)
        parts.append(_element("line", x1=left, x2=right, y1=y, y2=y, class_="grid"))
        parts.append(_text(left - 6, float(y) + 3.5, f"{share:g}", "end"))
        parts.append(_text(float(x), height - 6, f"{share:g}", "middle"))
    (x1, y1), (x2, y2) = at(0, 0), at(1, 1)
    parts.append(_element("line", x1=x1, x2=x2, y1=y1, y2=y2, class_="mark"))
    for each in found.bins:
        low, high = each.interval
        x, y = at(each.forecast, each.frequency)
        parts.append(_element("line", x1=x, x2=x, y1=at(0, low)[1], y2=at(0, high)[1], class_="interval"))
        parts.append(_element("circle", cx=x, cy=y, r=3.5, class_="dot ink"))
    return _svg(parts, height, alt, right + 12)


def bar(share: float, ink: str = "a") -> Markup:
    """A bar that fills a share of its width."""
    wide = f"{100 * min(max(share, 0.0), 1.0):.1f}"
    inner = _element("rect", width=100, height=8, class_="rail") + _element("rect", width=wide, height=8, class_=ink)
    head = Markup('<svg class="bar-of" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">{}</svg>')
    return head.format(inner)


def _grid(scale: _Scale, right: float, places: int) -> Iterator[Markup]:
    for tick in scale.ticks:
        y = scale(tick)
        yield _element("line", x1=LEFT, x2=right, y1=y, y2=y, class_="grid")
        yield _text(LEFT - 6, y + 3.5, plain(tick, places), "end")


def _steps(labels: Sequence[str], across: Sequence[float], height: int) -> Iterator[Markup]:
    every = max(1, ceil(len(labels) / 5))
    for place in range(0, len(labels), every):
        yield _text(across[place], height - 6, labels[place], "middle")


def _path(line: Line, across: Sequence[float], scale: _Scale) -> Iterator[Markup]:
    path, pen = [], "M"
    for x, value in zip(across, line.values, strict=False):
        if value is None:
            pen = "M"
            continue
        path.append(f"{pen}{x:.1f} {scale(value)}")
        pen = "L"
    yield _element("path", d="".join(path), class_=f"line {line.ink}{' dashed' if line.is_dashed else ''}")
    if len(line.values) <= 40:
        for x, value in zip(across, line.values, strict=False):
            if value is not None and not line.is_dashed:
                yield _element("circle", cx=f"{x:.1f}", cy=scale(value), r=2, class_=f"dot {line.ink}")


def _names(ends: list[tuple[float, Line]], right: float, height: int) -> Iterator[Markup]:
    lowest = 0.0
    for y, line in sorted(ends, key=lambda end: end[0]):
        lowest = max(y, lowest + 12)
        yield _text(right + 6, min(lowest, height - BOTTOM) + 3.5, line.name, "start", f"name {line.ink}")


def _svg(parts: Sequence[Markup], height: int, alt: str, width: float = WIDE) -> Markup:
    return Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        round(width), height, alt, Markup("").join(parts)
    )


def _text(x: float, y: float, words: str, anchor: str, class_: str = "") -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" class="{}">{}</text>').format(
        x, y, anchor, class_, words
    )


def _element(name: str, **attributes: object) -> Markup:
    given = Markup("").join(Markup(' {}="{}"').format(key.rstrip("_"), value) for key, value in attributes.items())
    return Markup("<{}{}/>").format(escape(name), given)


def _nice(step: float) -> float:
    size: float = 10.0 ** floor(log10(step))
    return next(size * factor for factor in (1.0, 2.0, 5.0, 10.0) if size * factor >= step)
