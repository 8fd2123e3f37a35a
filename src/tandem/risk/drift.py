"""Has the pair left the relation it was chosen for? (STATISTICS 7)"""

import numpy as np
from numpy.typing import NDArray

from tandem.config import DriftSettings
from tandem.market import Refusal

Floats = NDArray[np.float64]


def drifted(
    closes_a: Floats, closes_b: Floats, correlation: float, hedge_ratio: float, limits: DriftSettings
) -> Refusal | None:
    """Rolling correlation of returns and rolling hedge ratio against the formation's.

    Args:
        closes_a, closes_b: completed model bars `[n_bars]`, newest last; the last `window_bars` count.
        correlation: of returns over the formation window.
        hedge_ratio: of the formation window.
    """
    log_a, log_b = np.log(closes_a[-limits.window_bars :]), np.log(closes_b[-limits.window_bars :])
    with np.errstate(invalid="ignore"):  # A leg that stands still has no correlation, and none is not enough.
        rolling = float(np.corrcoef(np.diff(log_a), np.diff(log_b))[0, 1])
    floor = max(limits.min_correlation, correlation - limits.max_correlation_drop)
    if not rolling >= floor:
        return Refusal("drift", f"correlation of returns {rolling:.2f}, formation {correlation:.2f}", "risk")
    slope = float(np.polyfit(log_b, log_a, 1)[0])
    change = abs(slope / hedge_ratio - 1)
    if change > limits.max_hedge_change:
        return Refusal("drift", f"hedge ratio {slope:.2f} over the last bars, formation {hedge_ratio:.2f}", "risk")
    return None
