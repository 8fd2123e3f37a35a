import numpy as np
import pytest

from tandem.config import DriftSettings
from tandem.market import Refusal
from tandem.risk import drifted

LIMITS = DriftSettings(window_bars=156, min_correlation=0.0, max_correlation_drop=0.5, max_hedge_change=1.0)
BARS = 400


def legs(hedge_ratio: float, noise: float, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Closes of two legs: log a is hedge_ratio times log b, plus steps of its own."""
    rng = np.random.default_rng(seed)
    log_b = np.log(100) + 0.001 * rng.standard_normal(BARS).cumsum()
    return np.exp(hedge_ratio * log_b + noise * 0.001 * rng.standard_normal(BARS)), np.exp(log_b)


def test_a_pair_that_moves_as_it_did_has_not_drifted() -> None:
    assert drifted(*legs(1.2, 0.1), 0.95, 1.2, LIMITS) is None


def test_returns_that_stop_moving_together_are_drift() -> None:
    refused = drifted(*legs(1.2, 5.0), 0.95, 1.2, LIMITS)
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.by) == ("drift", "risk")
    assert "correlation" in refused.why


def test_the_floor_is_absolute_where_the_formation_was_loose() -> None:
    a, b = legs(-1.0, 0.1)
    refused = drifted(a, b, 0.2, -1.0, LIMITS)
    assert isinstance(refused, Refusal)


@pytest.mark.parametrize(("now", "drifts"), [(1.0, False), (1.9, False), (2.1, True), (0.1, False)])
def test_a_hedge_that_changes_by_more_than_the_limit_is_drift(now: float, drifts: bool) -> None:
    refused = drifted(*legs(now, 0.01), 0.95, 1.0, LIMITS)
    assert (refused is not None) is drifts
    if refused:
        assert "hedge ratio" in refused.why


def test_only_the_last_window_counts() -> None:
    (old_a, old_b), (a, b) = legs(5.0, 5.0, seed=1), legs(1.2, 0.1)
    new_a, new_b = np.concatenate([old_a, a[-156:]]), np.concatenate([old_b, b[-156:]])
    assert drifted(new_a, new_b, 0.95, 1.2, LIMITS) is None
    assert drifted(new_a[:-20], new_b[:-20], 0.95, 1.2, LIMITS) is not None


def test_a_leg_that_does_not_move_is_drift() -> None:
    refused = drifted(np.full(BARS, 100.0), legs(1.0, 0.1)[1], 0.95, 1.0, LIMITS)
    assert isinstance(refused, Refusal)
