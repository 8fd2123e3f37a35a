"""The baseline rule over a whole series (STATISTICS 7)."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.config import RuleSettings
from tandem.rules.baseline import FLAT, Action, Observation, Stance, advance, decide


@dataclass(frozen=True, slots=True)
class Trade:
    """One round trip, or a position still open at the end.

    Attributes:
        direction: +1 long the spread, -1 short.
        entry, exit: bar positions; the exit is None where the series ended first.
        reason: of the exit, as `Decision.reason`; empty while open.
    """

    direction: int
    entry: int
    exit: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Trades:
    """What the rule did over a series.

    Attributes:
        positions: direction held after the decision at each bar, hence over the step to the next, shape (n,).
        trades: oldest first.
    """

    positions: NDArray[np.int8]
    trades: tuple[Trade, ...]

    @property
    def round_trips(self) -> tuple[Trade, ...]:
        """Trades that were closed."""
        return tuple(trade for trade in self.trades if trade.exit is not None)


def replay(
    z: ArrayLike,
    probability: ArrayLike,
    inside_band: Callable[[int, int, int], bool],
    half_life: float,
    rule: RuleSettings,
) -> Trades:
    """Decide at every bar of a series, one decision per completed bar.

    Args:
        z: `z_eq` at each bar's close, shape (n,).
        probability: of reversion as forecast at each bar's close, shape (n,).
        inside_band: whether a position of `direction` entered at bar `entry` is inside its band at bar `now`;
            called as `inside_band(direction, entry, now)` with `now` after `entry`.
        half_life: bars.
        rule: thresholds.
    """
    seen = list(zip(np.asarray(z).tolist(), np.asarray(probability).tolist(), strict=True))
    entries = np.flatnonzero(np.abs(z) >= rule.enter_z).tolist()
    positions = np.zeros(len(seen), dtype=np.int8)
    trades: list[Trade] = []
    stance: Stance = FLAT
    last, bar = 0, _entry_from(entries, 0, len(seen))
    while bar < len(seen):
        stance, last = stance.after(bar - last), bar
        held = stance.direction == 0 or inside_band(stance.direction, trades[-1].entry, bar)
        observation = Observation(*seen[bar], held)
        decision = decide(stance, observation, half_life, rule)
        stance = advance(stance, decision, observation, half_life, rule)
        _write(trades, decision.action, decision.reason, bar)
        positions[bar] = stance.direction
        # Without a position nothing happens at a bar whose z is below the entry.
        bar = bar + 1 if stance.direction else _entry_from(entries, bar + 1, len(seen))
    return Trades(positions, tuple(trades))


def _entry_from(entries: list[int], bar: int, end: int) -> int:
    at = bisect_left(entries, bar)
    return entries[at] if at < len(entries) else end


def _write(trades: list[Trade], action: Action, reason: str, bar: int) -> None:
    if action.is_entry:
        trades.append(Trade(action.direction, bar))
    elif action.is_close:
        last = trades[-1]
        trades[-1] = Trade(last.direction, last.entry, bar, reason)
