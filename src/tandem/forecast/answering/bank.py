"""Networks of one shape, side by side, as a session asks them."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tandem.forecast.answering.network import Network
from tandem.forecast.features import Array
from tandem.forecast.scaler import MARGIN
from tandem.market import Refusal

BANKS = 2
"""Banks that are kept: a session asks the same networks again and again."""


class Bank:
    """The forward passes of several GRUs, `Gru.probability` for each.

    Stacks of matrices are multiplied one by one and everything else is done element by element, so what one network
    says does not depend on which others are asked beside it, to the last bit.

    Args:
        networks: with the same number of units and features.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self._scalers = [network.scaler for network in networks]
        self._least = _stacked(scaler.least for scaler in self._scalers)[:, None]
        self._most = _stacked(scaler.most for scaler in self._scalers)[:, None]
        weights = [network.gru.weights for network in networks]
        self._inputs = _stacked(each["gru.weight_ih_l0"].T for each in weights)
        self._hidden = _stacked(each["gru.weight_hh_l0"].T for each in weights)
        self._head = _stacked(each["head.weight"].T for each in weights)
        self._input_bias, self._hidden_bias, self._head_bias = (
            _stacked(each[name] for each in weights)[:, None]
            for name in ("gru.bias_ih_l0", "gru.bias_hh_l0", "head.bias")
        )

    @classmethod
    @lru_cache(maxsize=BANKS)
    def of(cls, networks: tuple[Network, ...]) -> "Bank":
        """The bank of these very networks, made once."""
        return cls(networks)

    def ask(self, rows: Array) -> list[float | Refusal]:
        """Probability of label 1 by each network; refused far outside what it was trained on.

        Args:
            rows: a sequence of features for each network, shape [networks, length, features].
        """
        inside = np.logical_and.reduce((rows >= self._least) & (rows <= self._most), axis=(1, 2))
        scaled = np.zeros_like(rows)
        for place in np.flatnonzero(inside):
            scaled[place] = self._scalers[place].scale(rows[place])
        said = self._probability(scaled).tolist()
        return [
            probability if known else self._refusal(place, rows[place])
            for place, (known, probability) in enumerate(zip(inside.tolist(), said, strict=True))
        ]

    def _probability(self, scaled: Array) -> Array:
        units = self._head.shape[1]
        hidden = np.zeros((len(scaled), 1, units))
        own = scaled @ self._inputs + self._input_bias
        for step in range(scaled.shape[1]):
            past = hidden @ self._hidden + self._hidden_bias
            now = own[:, step : step + 1]
            gates = _sigmoid(now[..., : 2 * units] + past[..., : 2 * units])
            open_, keep = gates[..., :units], gates[..., units:]
            fresh = np.tanh(now[..., 2 * units :] + open_ * past[..., 2 * units :])
            hidden = (1 - keep) * fresh + keep * hidden
        return _sigmoid(hidden @ self._head + self._head_bias)[:, 0, 0]

    def _refusal(self, place: int, rows: Array) -> Refusal:
        strange = ", ".join(self._scalers[place].strangers(rows))
        return Refusal("features", f"beyond the training range by more than {MARGIN:.0%} of it: {strange}", "forecast")


def _stacked(parts: Iterable[np.ndarray[Any, np.dtype[Any]]]) -> Array:
    return np.stack([np.asarray(part, dtype=np.float64) for part in parts])


def _sigmoid(values: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * values))
