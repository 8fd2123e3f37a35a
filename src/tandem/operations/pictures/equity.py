"""What was earned over the sessions, and how far it fell from its best."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from tandem.operations.run.chronicle import Chronicle, grouped
from tandem.operations.run.day import closing_marks
from tandem.operations.run.wording import weekday
from tandem.operations.writing.ink import FAINT, INK, LINE, LOSS, SOFT, Drawing, grid, label_end

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class _Path:
    """Sessions side by side, one unit each: `x` is the session's place and how much of it has passed."""

    days: Sequence[date]
    x: "np.ndarray[tuple[int], np.dtype[np.float64]]"
    equity: "np.ndarray[tuple[int], np.dtype[np.float64]]"
    gross: "np.ndarray[tuple[int], np.dtype[np.float64]]"


def equity_drawing(chronicle: Chronicle) -> Drawing:
    """P&L since the start, net and gross, and the drawdown under it."""
    path = _path(chronicle)
    capital = float(chronicle.capital)

    def draw(figure: "Figure", narrow: bool) -> None:
        earned, fallen = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
        _earned(earned, path, capital)
        _fallen(fallen, path)
        _sessions(fallen, path.days, 4 if narrow else 12)
        for axes in (earned, fallen):
            grid(axes)
            for place in range(1, len(path.days)):
                axes.axvline(place, color=LINE, linewidth=0.6, zorder=0)
        figure.align_ylabels()

    return Drawing("equity", "P&L since the start and drawdown, by session", draw, 3.2, 3.2)


def _earned(axes: "Axes", path: _Path, capital: float) -> None:
    net = path.equity - capital
    axes.axhline(0, color=FAINT, linewidth=0.8)
    axes.plot(path.x, path.gross, color=FAINT, linewidth=1)
    axes.plot(path.x, net, color=INK, linewidth=1.4)
    axes.set_ylabel("P&L, dollars")
    reach = float(np.ptp([*net, *path.gross]))
    if not reach:
        axes.set_ylim(-1, 5)
    least = 0.1 * reach or 1.0
    label_end(axes, len(path.days), max(path.gross[-1], net[-1] + least), "gross", SOFT)
    label_end(axes, len(path.days), net[-1], "net", INK)


def _fallen(axes: "Axes", path: _Path) -> None:
    fall = 100 * (path.equity / np.maximum.accumulate(path.equity) - 1)
    axes.fill_between(path.x, fall, 0, color=LOSS, alpha=0.25, linewidth=0)
    axes.plot(path.x, fall, color=LOSS, linewidth=0.9)
    axes.set_ylim(min(fall.min() * 1.15, -0.01), 0)
    axes.set_ylabel("drawdown, %")


def _sessions(axes: "Axes", days: Sequence[date], most: int) -> None:
    every = -(-len(days) // most)
    shown = range(0, len(days), every)
    axes.set_xticks([place + 0.5 for place in shown], [weekday(days[place]) for place in shown])
    axes.set_xlim(0, max(len(days), 1))


def _path(chronicle: Chronicle) -> _Path:
    x, equity, gross = [0.0], [float(chronicle.capital)], [0.0]
    decisions = grouped(chronicle.marks)
    for place, (day, end) in enumerate(closing_marks(chronicle)):
        marks = [*(record.body for record in decisions[day]), end]
        for n, mark in enumerate(marks, 1):
            x.append(place + n / len(marks))
            equity.append(float(mark.equity))
            gross.append(float(mark.gross_pnl))
    return _Path(chronicle.days, np.array(x), np.array(equity), np.array(gross))
