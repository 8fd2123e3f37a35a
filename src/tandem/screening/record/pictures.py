"""Pictures of a screen: the funnel, a pair's spread, and its score, in whatever colours a page has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

import numpy as np

from tandem.screening.examination.score import (
    DIAGNOSTICS_WEIGHT,
    FIT_WEIGHT,
    TRADING_WEIGHT,
    VOLATILITY_WEIGHT,
    Score,
)
from tandem.screening.passport import Passport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Inks:
    """Colours: of lines and letters, of what is beside the point, of bands, of what passed and what was lost."""

    ink: str = "#1f2933"
    soft: str = "#66727f"
    band: str = "#7c4fb5"
    gain: str = "#14804a"
    loss: str = "#c02b2b"
    bar: str = "#1d6fb8"


PLAIN = Inks()
FEW: Final = 60
COMPONENTS = (
    ("fit", FIT_WEIGHT),
    ("volatility", VOLATILITY_WEIGHT),
    ("trading", TRADING_WEIGHT),
    ("diagnostics", DIAGNOSTICS_WEIGHT),
)


def draw_funnel(axes: "Axes", gates: Sequence[str], left: Sequence[int], inks: Inks = PLAIN) -> None:
    """Pairs left after each gate as bars, and those that it refused; many are on a logarithmic scale.

    Args:
        gates: names; the first is of all pairs.
        left: pairs after each, never more than before.
    """
    from matplotlib.ticker import MaxNLocator

    heights = np.arange(len(gates))
    lost = np.array([left[0], *left[:-1]])
    axes.barh(heights, _shown(lost), color=inks.loss, alpha=0.18, height=0.62, linewidth=0)
    axes.barh(heights, _shown(left), color=inks.bar, height=0.62, linewidth=0)
    for height, before, after in zip(heights.tolist(), lost.tolist(), left, strict=True):
        told = f"{after:,}" + (f"  (\u2212{before - after:,})" if before > after else "")
        axes.annotate(
            told, (max(before, 1), height), xytext=(4, 0), textcoords="offset points", va="center", fontsize=7.5,
            color=inks.soft,
        )  # fmt: skip
    axes.set_yticks(heights, list(gates))
    axes.set_ylim(len(gates) - 0.4, -0.6)
    most = max(left[0], 1)
    if most > FEW:
        axes.set_xscale("log")
        axes.set_xlim(0.8, most * (most / 0.8) ** 0.35)
    else:
        axes.set_xlim(0, 1.35 * most)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel(f"pairs left (refused){', logarithmic scale' if most > FEW else ''}")
    axes.minorticks_off()
    axes.tick_params(axis="y", length=0)


def draw_spread(axes: "Axes", passport: Passport, enter: float = 2.0, inks: Inks = PLAIN) -> None:
    """z of the formation window, the levels of entry, and what GARCH allows one bar ahead, two deviations wide.

    Args:
        enter: |z| at which the rule enters.
    """
    spread = passport.formation_spread
    path = passport.garch.filter(spread)
    z, bars = passport.z(spread), np.arange(spread.size)
    expected, width = passport.z(spread - path.residuals), 2 * np.sqrt(path.variances) / passport.deviation
    axes.fill_between(bars, expected - width, expected + width, color=inks.band, alpha=0.22, linewidth=0)
    for level in (-enter, enter):
        axes.axhline(level, color=inks.soft, linewidth=0.7, linestyle=(0, (4, 3)))
    axes.axhline(0, color=inks.soft, linewidth=0.5)
    axes.plot(bars, z, color=inks.ink, linewidth=0.9)
    axes.set_xlim(0, spread.size - 1)
    axes.set_ylabel("z, deviations")
    axes.set_xlabel("bars of the window")


def draw_score(axes: "Axes", score: Score, least: float = 0.7, inks: Inks = PLAIN) -> None:
    """What each component adds to the score, and the minimum.

    Args:
        least: score that a pair must exceed.
    """
    heights = np.arange(len(COMPONENTS) + 1)
    parts = [getattr(score, name) for name, _ in COMPONENTS]
    weights = [weight for _, weight in COMPONENTS]
    axes.barh(heights[:-1], weights, color=inks.soft, alpha=0.18, height=0.6, linewidth=0)
    axes.barh(heights[:-1], np.multiply(parts, weights), color=inks.bar, height=0.6, linewidth=0)
    axes.barh(heights[-1], score.total, color=inks.gain if score.total > least else inks.loss, height=0.6, linewidth=0)
    axes.axvline(least, color=inks.soft, linewidth=0.8, linestyle=(0, (1, 2)))
    for height, part in zip(heights.tolist(), [*parts, score.total], strict=True):
        axes.text(0.99, height, f"{part:.2f}", ha="right", va="center", fontsize=7.5, color=inks.soft)
    axes.set_yticks(heights, [*(f"{name} {weight:.0%}" for name, weight in COMPONENTS), "score"])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.tick_params(axis="y", length=0)


def funnel_png(gates: Sequence[str], left: Sequence[int], title: str) -> bytes:
    """The funnel as a PNG file."""

    def draw(figure: "Figure") -> None:
        axes = figure.add_axes((0.2, 0.13, 0.77, 0.78))
        draw_funnel(axes, gates, left)
        axes.set_title(f"{title}: pairs left after each gate", fontsize=9)

    return _png((7.2, 3.6), draw)


def passport_png(passport: Passport) -> bytes:
    """Spread and score of a pair as a PNG file."""

    def draw(figure: "Figure") -> None:
        spread, score = figure.add_axes((0.06, 0.14, 0.53, 0.76)), figure.add_axes((0.75, 0.14, 0.23, 0.76))
        draw_spread(spread, passport)
        draw_score(score, passport.score)
        spread.set_title(f"{passport.pair}, half-life {passport.half_life:.1f} bars", fontsize=9)

    return _png((9.0, 3.0), draw)


def _shown(counts: Sequence[int] | np.ndarray) -> np.ndarray:
    """Nothing has no place on a logarithmic scale."""
    return np.where(np.asarray(counts) > 0, counts, np.nan)


def _png(size: tuple[float, float], draw: Callable[["Figure"], None]) -> bytes:
    from matplotlib.figure import Figure

    figure: Figure = Figure(figsize=size, dpi=80)
    draw(figure)
    content = BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()
