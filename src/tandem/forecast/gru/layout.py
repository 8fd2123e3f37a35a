"""Where each weight stands while a network is trained."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tandem.forecast.gru.network import Weights
from tandem.forecast.gru.registers import LANES, Floats


@dataclass(frozen=True)
class Layout:
    """All weights of a network in one row of floats, for so many features and units.

    `inputs` [features, 3 width], `recurrent` [width, 3 width], their biases [3 width] each, `head` [width] and its
    bias, where `width` is the units filled up to whole registers; what fills up is zero and stays so. The gates
    stand as fresh, reset, update in what comes from the inputs and as reset, update, fresh in what comes from
    the state: in the four columns `fresh of inputs, reset, update, fresh of state` each is then one run.
    """

    features: int
    units: int

    @property
    def width(self) -> int:
        """Units, filled up to whole registers."""
        return -(-self.units // LANES) * LANES

    @property
    def size(self) -> int:
        """Floats in the row."""
        return 3 * self.width * (self.features + self.width + 2) + self.width + LANES

    @cached_property
    def places(self) -> dict[str, NDArray[np.int64]]:
        """For each of PyTorch's names the places of its entries, in PyTorch's shape."""
        wide = 3 * self.width
        of_inputs, of_state = self._columns(1, 2, 0), self._columns(0, 1, 2)
        recurrent, bias = wide * self.features, wide * (self.features + self.width)
        head = bias + 2 * wide
        return {
            "gru.weight_ih_l0": of_inputs[:, None] + wide * np.arange(self.features),
            "gru.weight_hh_l0": recurrent + of_state[:, None] + wide * np.arange(self.units),
            "gru.bias_ih_l0": bias + of_inputs,
            "gru.bias_hh_l0": bias + wide + of_state,
            "head.weight": head + np.arange(self.units)[None],
            "head.bias": np.array([head + self.width]),
        }

    def _columns(self, reset: int, update: int, fresh: int) -> NDArray[np.int64]:
        return np.concatenate([self.width * gate + np.arange(self.units) for gate in (reset, update, fresh)])

    def pack(self, weights: Weights) -> Floats:
        """Weights by PyTorch's names, laid out."""
        row = np.zeros(self.size, np.float32)
        for name, places in self.places.items():
            row[places] = weights[name]
        return row

    def unpack(self, row: Floats) -> Weights:
        """What `pack` laid out."""
        return {name: row[places] for name, places in self.places.items()}

    def draw(self, chance: np.random.Generator) -> Floats:
        """First weights: uniform within 1 / sqrt(units), as PyTorch draws them."""
        reach = np.float32(self.units**-0.5)
        return self.pack(
            {
                name: reach * (2 * chance.random(places.shape, dtype=np.float32) - 1)
                for name, places in self.places.items()
            }
        )
