"""Symbols whose bars cannot be trusted or traded: gaps, stale prices, unadjusted splits, little trading."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tandem.config import ScreenSettings
from tandem.market import NEW_YORK, Calendar, Refusal
from tandem.store import Panel

Vector = NDArray[np.float64]
Test = Callable[["History", ScreenSettings], Refusal | None]

SPLIT_RATIOS: Final = np.array([1.5, *range(2, 101)])
# How near a jump is to a split's ratio: within so many usual session returns of the symbol, between these bounds.
NEAR, NEAREST, FARTHEST = 3.0, 0.02, 0.05
# A split is far outside the symbol's usual returns, and does not bring the burst of trading that news does.
UNUSUAL: Final = 10.0
BURST: Final = 5.0
NEIGHBOURS: Final = 20
# A bad print is at least so far (a log) from the bars beside it, which are so near each other in comparison.
FAR: Final = np.log(1.4)
CLOSE: Final = 0.25
NORMAL_MAD: Final = 1.4826


@dataclass(frozen=True, slots=True)
class SymbolRefused:
    """A symbol that no pair may use, with the first reason."""

    symbol: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class History:
    """What one symbol's bars are, and its sessions.

    Attributes:
        there: whether it has each of the panel's bars.
        closes: of the bars it has.
        sessions: which of the panel's sessions each bar it has is of.
        usual: bars that each session has on the exchange's calendar, or on the panel where that has more.
        on_panel: bars that each session has on the panel.
        days: of the panel's sessions.
        session_opens, session_closes, dollars: first open, last close and dollars traded in each session; NaN
            and 0 in sessions without a bar.
    """

    there: NDArray[np.bool_]
    closes: Vector
    sessions: NDArray[np.intp]
    usual: NDArray[np.intp]
    on_panel: NDArray[np.intp]
    days: NDArray[np.datetime64]
    session_opens: Vector
    session_closes: Vector
    dollars: Vector


def refused_symbols(panel: Panel, settings: ScreenSettings) -> tuple[SymbolRefused, ...]:
    """The symbols that fail a gate of their own, by name."""
    refused = []
    days, first_bars = _sessions(panel)
    usual = _usual(panel, days, first_bars)
    for row, symbol in enumerate(panel.symbols):
        history = _history(panel, row, days, first_bars, usual)
        if refusal := quality(history, settings) or liquid(history, settings):
            refused.append(SymbolRefused(symbol, refusal))
    return tuple(refused)


def quality(history: History, settings: ScreenSettings) -> Refusal | None:
    """The bars are whole, new and adjusted."""
    tests: tuple[Test, ...] = (_lasts, _whole, _moves, _single, _adjusted)
    return next((refusal for test in tests if (refusal := test(history, settings))), None)


def liquid(history: History, settings: ScreenSettings) -> Refusal | None:
    """Dollars traded in the median session with a bar reach the minimum."""
    traded = history.dollars[np.isfinite(history.session_closes)]
    median = float(np.median(traded))
    if median >= settings.min_dollar_volume:
        return None
    return Refusal(
        "liquidity", f"${median:,.0f} trade in a median session, below ${settings.min_dollar_volume:,.0f}", "screening"
    )


def _lasts(history: History, settings: ScreenSettings) -> Refusal | None:
    if np.isfinite(history.session_closes[-1]):
        return None
    if not history.there.any():
        return _flawed("no bars")
    return _flawed(f"no bar since {history.days[np.isfinite(history.session_closes)][-1]}")


def _whole(history: History, settings: ScreenSettings) -> Refusal | None:
    bars, first, last = np.flatnonzero(history.there), history.sessions[0], history.sessions[-1]
    within = int(history.usual[first + 1 : last].sum() - history.on_panel[first + 1 : last].sum())
    span = int(bars[-1] - bars[0] + 1) + within
    missing = 1 - bars.size / span
    if missing <= settings.max_gap_share:
        return None
    return _flawed(f"{missing:.1%} of {span:,} bars are missing, {settings.max_gap_share:.1%} may be")


def _moves(history: History, settings: ScreenSettings) -> Refusal | None:
    if history.closes.min() == history.closes.max():
        return _flawed("the price never moved")
    stale = float(np.mean(np.diff(history.closes) == 0))
    if stale <= settings.max_stale_share:
        return None
    return _flawed(f"{stale:.1%} of the closes repeat the one before, {settings.max_stale_share:.1%} may")


def _single(history: History, settings: ScreenSettings) -> Refusal | None:
    """A price that comes and goes within one bar is a bad print."""
    change = np.diff(np.log(history.closes))
    if change.size < 3:
        return None
    usual = NORMAL_MAD * float(np.median(np.abs(change - np.median(change))))
    there, back = change[:-1], change[1:]
    least = np.minimum(np.abs(there), np.abs(back))
    lone = (there * back < 0) & (least >= max(FAR, UNUSUAL * usual)) & (np.abs(there + back) <= CLOSE * least)
    if not lone.any():
        return None
    at = int(np.argmax(np.where(lone, least, 0.0))) + 1
    times = history.closes[at] / np.sqrt(history.closes[at - 1] * history.closes[at + 1])
    return _flawed(f"a price {_times(times)} times its neighbours on {history.days[history.sessions[at]]}")


def _times(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio >= 1 else f"{ratio:.3f}"


def _adjusted(history: History, settings: ScreenSettings) -> Refusal | None:
    held = np.flatnonzero(np.isfinite(history.session_closes))
    if held.size < 3:
        return None
    opens, closes, dollars = (
        values[held] for values in (np.log(history.session_opens), np.log(history.session_closes), history.dollars)
    )
    jump, change = opens[1:] - closes[:-1], np.diff(closes)
    usual = NORMAL_MAD * float(np.median(np.abs(change - np.median(change))))
    ratio = _nearest(jump)
    near = float(np.clip(NEAR * usual, NEAREST, FARTHEST))
    fitting = (np.abs(jump - ratio) <= near) & (np.abs(change - ratio) <= near) & (np.abs(jump) >= UNUSUAL * usual)
    for at in np.flatnonzero(fitting):
        if not _bursts(dollars, int(at) + 1):
            opened = f"the price opened at {np.exp(jump[at]):.3f} times the last close"
            return _flawed(f"an unadjusted split on {history.days[held[at + 1]]}: {opened}")
    return None


def _nearest(jump: Vector) -> Vector:
    logs = np.log(SPLIT_RATIOS)
    nearest: Vector = logs[np.abs(np.abs(jump)[:, None] - logs).argmin(axis=1)] * np.sign(jump)
    return nearest


def _bursts(dollars: Vector, session: int) -> bool:
    before, after = dollars[max(0, session - NEIGHBOURS) : session], dollars[session : session + NEIGHBOURS]
    return bool(dollars[session] >= BURST * max(np.median(before), np.median(after)))


def _sessions(panel: Panel) -> tuple[NDArray[np.datetime64], NDArray[np.intp]]:
    import pandas as pd

    local = pd.DatetimeIndex(panel.starts).tz_localize("UTC").tz_convert(NEW_YORK).tz_localize(None)
    days, first_bars = np.unique(local.to_numpy().astype("datetime64[D]"), return_index=True)
    return days, first_bars


def _usual(panel: Panel, days: NDArray[np.datetime64], first_bars: NDArray[np.intp]) -> NDArray[np.intp]:
    """Bars of each session: those of the calendar, or of the panel where it has more."""
    calendar, found = Calendar(), _on_panel(panel, first_bars)
    sessions = [calendar.session(day) for day in days.tolist()]
    lengths = [len(session.bar_ends(panel.timeframe)) if session else 0 for session in sessions]
    return np.maximum(found, np.array(lengths, dtype=np.intp))


def _on_panel(panel: Panel, first_bars: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.diff(np.append(first_bars, panel.starts.size))


def _history(
    panel: Panel,
    row: int,
    days: NDArray[np.datetime64],
    first_bars: NDArray[np.intp],
    usual: NDArray[np.intp],
) -> History:
    closes, opens = panel.closes[row], panel.opens[row]
    there = np.isfinite(closes)
    bars = np.flatnonzero(there)
    session = np.searchsorted(first_bars, bars, side="right") - 1
    starts = np.unique(session, return_index=True)[1]
    ends = np.append(starts[1:], bars.size) - 1
    session_opens, session_closes = np.full(days.size, np.nan), np.full(days.size, np.nan)
    # Some sources lack an open; the close stands for it.
    session_opens[session[starts]] = np.where(np.isfinite(opens), opens, closes)[bars[starts]]
    session_closes[session[ends]] = closes[bars[ends]]
    traded = np.nan_to_num(closes * panel.volumes[row])[bars]
    dollars = np.bincount(session, traded, days.size).astype(np.float64)
    return History(
        there, closes[there], session, usual, _on_panel(panel, first_bars), days, session_opens, session_closes, dollars
    )


def _flawed(why: str) -> Refusal:
    return Refusal("data quality", why, "screening")
