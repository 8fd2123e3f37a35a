"""A GRU with one output, asked with NumPy alone.

`r = s(W_r x + U_r h)`, `z = s(W_z x + U_z h)`, `n = tanh(W_n x + r (U_n h))`, `h' = (1 - z) n + z h` (biases left
out); Cho et al. 2014, with PyTorch's placing of the reset gate.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tandem.forecast.features import Array

Weights = dict[str, np.ndarray[Any, np.dtype[np.float32]]]


@dataclass(frozen=True, eq=False)
class Gru:
    """A trained network: its weights under PyTorch's names (`gru.weight_ih_l0`, ..., `head.bias`), float32."""

    weights: Weights

    def probability(self, scaled: Array) -> Array:
        """Probability of label 1 for each sequence of scaled features, [sequences, length, features] -> [sequences]."""
        hidden = np.zeros((len(scaled), self.weights["gru.weight_hh_l0"].shape[1]))
        for step in range(scaled.shape[1]):
            hidden = self._step(scaled[:, step], hidden)
        return _sigmoid(hidden @ self.weights["head.weight"][0] + self.weights["head.bias"][0])

    def _step(self, inputs: Array, hidden: Array) -> Array:
        own = inputs @ self.weights["gru.weight_ih_l0"].T + self.weights["gru.bias_ih_l0"]
        past = hidden @ self.weights["gru.weight_hh_l0"].T + self.weights["gru.bias_hh_l0"]
        units = hidden.shape[1]
        reset, update = slice(units), slice(units, 2 * units)
        keep = _sigmoid(own[:, update] + past[:, update])
        open_ = _sigmoid(own[:, reset] + past[:, reset])
        fresh = np.tanh(own[:, 2 * units :] + open_ * past[:, 2 * units :])
        return (1 - keep) * fresh + keep * hidden


def _sigmoid(values: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * values))
