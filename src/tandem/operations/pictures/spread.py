"""The spread of a pair over one session: z with the rule's bands and the trades, and both legs' prices."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np

from tandem.config import RuleSettings
from tandem.market import NEW_YORK, Leg
from tandem.operations.run.pairday import PairDay
from tandem.operations.run.roundtrip import RoundTrip
from tandem.operations.run.wording import counted, dollars, weekday
from tandem.operations.writing.ink import (
    BAND,
    FAINT,
    GAIN,
    INK,
    LEG_A,
    LEG_B,
    LINE,
    LOSS,
    SOFT,
    Drawing,
    grid,
    label_end,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HOURS = range(10, 17)
LATE = 14.75
WIDE = 0.6


def spread_drawing(seen: PairDay, rule: RuleSettings) -> Drawing:
    """The formation window on the left, where there is room, and the session beside it on the same scale of z."""

    def draw(figure: "Figure", narrow: bool) -> None:
        height = [1.7, 1]
        if narrow:
            upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=height)
        else:
            panels = figure.subplots(2, 2, sharex="col", height_ratios=height, width_ratios=[1, 2.3])
            (before, upper), (before_prices, lower) = panels
            _formation(before, before_prices, seen, rule)
            before.sharey(upper)
        _session(upper, seen, rule, labelled=narrow)
        _prices(lower, seen, narrow=narrow)
        figure.align_ylabels()

    done = f"{counted(len(seen.trades), 'trade')}" if seen.trades else "no trade"
    return Drawing(f"spread-{seen.name}", f"z of {seen.pair} on {weekday(seen.day)} with {done}", draw, 4.1, 3.9)


def _formation(axes: "Axes", prices: "Axes", seen: PairDay, rule: RuleSettings) -> None:
    passport = seen.passport
    z = passport.z(passport.formation_spread)
    bars = np.arange(len(z))
    days = [start.astimezone(NEW_YORK).date() for start in passport.starts]
    firsts = [0, *(bar for bar, (before, after) in enumerate(pairwise(days), 1) if before != after)]
    _bands(axes, rule)
    _thresholds(axes, rule, _reach(seen, rule))
    axes.plot(bars, z, color=FAINT, linewidth=0.8)
    axes.set_title(f"the {counted(len(firsts), 'session')} before", color=SOFT)
    for leg, colour in ((Leg.A, LEG_A), (Leg.B, LEG_B)):
        closes = np.array(passport.closes_a if leg is Leg.A else passport.closes_b)
        prices.plot(bars, 100 * (closes / closes[0] - 1), color=colour, linewidth=0.8, alpha=0.75)
    for panel in (axes, prices):
        for first in firsts[1:]:
            panel.axvline(first, color=LINE, linewidth=0.6)
        panel.set_xlim(0, len(z))
    axes.set_ylabel("z, deviations")
    prices.set_ylabel("price, % since start")
    shown = firsts[:: max(1, round(len(firsts) / 7))]
    prices.set_xticks([first + len(z) / len(firsts) / 2 for first in shown], [f"{days[first].day}" for first in shown])
    prices.set_xlabel(f"day of {days[0]:%B}" if days[0].month == days[-1].month else f"day, from {days[0]:%-d %B}")
    grid(prices)


def _session(axes: "Axes", seen: PairDay, rule: RuleSettings, *, labelled: bool) -> None:
    _bands(axes, rule)
    reach = _reach(seen, rule)
    for trade in seen.trades:
        _held(axes, trade, seen, (rule.enter_z + rule.stop_z) / 2)
    for stretch in seen.stretches:
        for _, own in groupby(stretch, key=lambda record: seen.lives_by(record.at)):
            _path(axes, [(record.at, record.body.z) for record in own], INK, 1.3)
    for before, after in pairwise(seen.stretches):
        first, last = _hour(before[-1].at), _hour(after[0].at)
        axes.axvspan(first, last, color=FAINT, alpha=0.12, linewidth=0)
        if last - first > WIDE:
            axes.text((first + last) / 2, 0, "no signal", ha="center", va="center", color=SOFT, fontsize=7.5)
    _garch_edges(axes, seen)
    for trade in seen.trades:
        _marks(axes, trade, seen)
    _thresholds(axes, rule, reach)
    axes.tick_params(labelleft=labelled)
    if labelled:
        axes.set_ylabel("z, deviations")
    axes.set_title(f"{seen.pair}, {weekday(seen.day)} {seen.day.year}")
    for value, text in ((rule.stop_z, "stop"), (rule.enter_z, "enter"), (0.0, "exit")):
        label_end(axes, 16, value, text, LOSS if text == "stop" else SOFT)


def _path(axes: "Axes", points: Sequence[tuple[datetime, float]], colour: str, width: float) -> None:
    marker = "." if len(points) == 1 else ""
    hours, values = [_hour(at) for at, _ in points], [value for _, value in points]
    axes.plot(hours, values, marker=marker, markersize=2, color=colour, linewidth=width, zorder=3)


def _bands(axes: "Axes", rule: RuleSettings) -> None:
    axes.axhspan(-rule.exit_z, rule.exit_z, color=GAIN, alpha=0.10, linewidth=0)
    for sign in (-1, 1):
        axes.axhline(sign * rule.enter_z, color=SOFT, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.axhline(sign * rule.stop_z, color=LOSS, linewidth=0.8, linestyle=(0, (1, 2)))


def _thresholds(axes: "Axes", rule: RuleSettings, reach: float) -> None:
    levels = [-rule.stop_z, -rule.enter_z, 0.0, rule.enter_z, rule.stop_z]
    axes.set_yticks(levels, [f"{level:+g}".replace("-", "\u2212") if level else "0" for level in levels])
    axes.set_ylim(-reach, reach)
    axes.tick_params(length=0)


def _reach(seen: PairDay, rule: RuleSettings) -> float:
    window = np.abs(seen.passport.z(seen.passport.formation_spread)).max()
    return float(max(rule.stop_z, window, *(abs(record.body.z) for record in seen.signals))) * 1.12


def _held(axes: "Axes", trade: RoundTrip, seen: PairDay, height: float) -> None:
    first, last = _stay(trade, seen)
    axes.axvspan(first, last, color=LEG_A, alpha=0.08, linewidth=0)
    colour = SOFT if trade.is_open else GAIN if trade.net >= 0 else LOSS
    text = f"{dollars(trade.net)}{' open' if trade.is_open else ''}"
    middle = min(max((first + last) / 2, 9.9), 15.6)
    axes.text(middle, trade.direction * height, text, ha="center", va="center", color=colour, fontsize=7.5)


def _garch_edges(axes: "Axes", seen: PairDay) -> None:
    known = [(record.at, record.body.band) for record in seen.signals if record.body.band is not None]
    for trade in seen.trades:
        within = [(_hour(at), edge) for at, edge in known if _holds(trade, at)]
        if within:
            axes.plot(*zip(*within, strict=True), color=BAND, linewidth=1, linestyle=(0, (3, 1.5)), zorder=2)
            late = within[-1][0] > LATE
            offset = (-3, -7.0 * trade.direction) if late else (4, 0.0)
            _beside(axes, *within[-1], "GARCH band", BAND, offset, "right" if late else "left")


def _marks(axes: "Axes", trade: RoundTrip, seen: PairDay) -> None:
    side = trade.direction
    if _on(trade.opened_at, seen):
        x = _hour(trade.opened_at)
        axes.plot(x, trade.entry_z, "^" if side > 0 else "v", color=LEG_A, markersize=7, zorder=5, clip_on=False)
        _beside(axes, x, trade.entry_z, "long" if side > 0 else "short", LEG_A, (0, -11 * side), "center")
    if trade.closed_at is not None and trade.exit_z is not None and _on(trade.closed_at, seen):
        x = _hour(trade.closed_at)
        shape, text, colour = ("X", "stop", LOSS) if trade.stopped else ("o", "exit", GAIN)
        axes.plot(x, trade.exit_z, shape, color=colour, markersize=6, zorder=5, clip_on=False)
        _beside(axes, x, trade.exit_z, text, colour, (0, 10 * side), "center")


def _beside(axes: "Axes", x: float, y: float, text: str, colour: str, offset: tuple[float, float], ha: str) -> None:
    axes.annotate(
        text, (x, y), xytext=offset, textcoords="offset points", color=colour, fontsize=7.5, ha=ha, va="center"
    )


def _prices(axes: "Axes", seen: PairDay, *, narrow: bool) -> None:
    prices = [(record.body.price_a, record.body.price_b) for record in seen.signals]
    changes = 100 * (np.array(prices) / np.array(prices[0]) - 1)
    for trade in seen.trades:
        axes.axvspan(*_stay(trade, seen), color=LEG_A, alpha=0.08, linewidth=0)
    rows = iter(changes.tolist())
    for stretch in seen.stretches:
        own = [(record.at, next(rows)) for record in stretch]
        for leg, colour in enumerate((LEG_A, LEG_B)):
            _path(axes, [(at, row[leg]) for at, row in own], colour, 1.2)
    for height, symbol, colour in zip(_apart(changes[-1], changes), seen.pair.symbols, (LEG_A, LEG_B), strict=True):
        label_end(axes, 16, height, symbol, colour)
    axes.set_xlim(9.5, 16)
    shown = HOURS[::2] if narrow else HOURS
    axes.set_xticks(list(shown), [f"{hour}:00" for hour in shown])
    axes.set_xlabel("New York time")
    axes.set_ylabel("price, % since " + f"{seen.signals[0].at.astimezone(NEW_YORK):%-H:%M}")
    grid(axes)


def _apart(ends: Sequence[float], paths: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> list[float]:
    """Heights of the two labels, at least a tenth of the panel apart."""
    least = 0.14 * float(np.ptp(paths)) or 0.1
    first, second = float(ends[0]), float(ends[1])
    push = max(0.0, least - abs(first - second)) / 2
    return [first + push, second - push] if first >= second else [first - push, second + push]


def _stay(trade: RoundTrip, seen: PairDay) -> tuple[float, float]:
    first = _hour(trade.opened_at) if _on(trade.opened_at, seen) else 9.5
    last = _hour(trade.closed_at) if trade.closed_at is not None and _on(trade.closed_at, seen) else 16.0
    return first, last


def _holds(trade: RoundTrip, at: datetime) -> bool:
    return trade.opened_at < at and (trade.closed_at is None or at <= trade.closed_at)


def _on(moment: datetime, seen: PairDay) -> bool:
    return moment.astimezone(NEW_YORK).date() == seen.day


def _hour(moment: datetime) -> float:
    local = moment.astimezone(NEW_YORK)
    return local.hour + local.minute / 60
