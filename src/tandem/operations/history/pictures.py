"""Pictures of history: what was earned over the sessions, what it was made of, and skill over the sessions."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

from tandem.book import Parts
from tandem.operations.run.wording import weekday
from tandem.operations.writing.ink import BAND, FAINT, GAIN, LEG_A, LEG_B, LINE, LOSS, SOFT, Drawing, grid, label_end

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS: Final = (LEG_A, LEG_B, BAND, GAIN, LOSS)
Line = Sequence[tuple[float, float]]


def lines_drawing(name: str, alt: str, unit: str, lines: Mapping[str, Line], ticks: Sequence[str] = ()) -> Drawing:
    """A line for each name, at most five, with its name at its end.

    Args:
        name: unique within a page.
        alt: what it shows.
        unit: of the values.
        lines: places on the x axis and values, by name.
        ticks: what the places 1, 2, ... are; numbers where there are none.
    """
    shown = dict(list(lines.items())[: len(COLOURS)])

    def draw(figure: "Figure", narrow: bool) -> None:
        axes: Axes = figure.subplots()
        axes.axhline(0, color=FAINT, linewidth=0.8)
        for colour, (label, line) in zip(COLOURS, shown.items(), strict=False):
            if line:
                x, y = [place for place, _ in line], [value for _, value in line]
                axes.plot(x, y, color=colour, linewidth=1.4, marker="o", markersize=2.5 if len(x) < 40 else 0)
                label_end(axes, x[-1], y[-1], label, colour)
        axes.set_ylabel(unit)
        _ticks(axes, ticks, max((len(line) for line in shown.values()), default=1), 4 if narrow else 10)
        grid(axes)

    return Drawing(name, alt, draw, 2.8, 2.8)


def parts_drawing(name: str, alt: str, parts: Mapping[str, Parts]) -> Drawing:
    """What each net P&L is made of: a bar for each part, left of zero where it cost something."""
    labels = ("spread move", "hedge drift", "costs", "borrow", "net")

    def draw(figure: "Figure", narrow: bool) -> None:
        axes: Axes = figure.subplots()
        height = 0.8 / max(len(parts), 1)
        for place, (colour, (label, own)) in enumerate(zip(COLOURS, parts.items(), strict=False)):
            values = [float(v) for v in (own.spread_move, own.hedge_drift, -own.costs, -own.borrow, own.net)]
            at = [row + (place - (len(parts) - 1) / 2) * height for row in range(len(labels))]
            axes.barh(at, values, height=height * 0.9, color=colour, alpha=0.85, label=label)
        axes.axvline(0, color=FAINT, linewidth=0.8)
        axes.set_yticks(range(len(labels)), labels)
        axes.invert_yaxis()
        axes.set_xlabel("dollars", color=SOFT)
        if len(parts) > 1:
            axes.legend(frameon=False, fontsize=7.5, loc="best")
        axes.grid(axis="x", color=LINE, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)

    return Drawing(name, alt, draw, 2.4, 2.6)


def day_names(days: Sequence[date]) -> list[str]:
    """Names for the places of sessions."""
    return [weekday(day) for day in days]


def _ticks(axes: "Axes", names: Sequence[str], count: int, most: int) -> None:
    count = len(names) or count
    every = max(1, -(-count // most))
    places = list(range(1, count + 1, every))
    axes.set_xticks(places, [names[place - 1] for place in places] if names else [str(place) for place in places])
    axes.set_xlim(0.5, max(count, 1) + 0.5)
