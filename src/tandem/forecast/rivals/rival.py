"""What every forecast can be asked."""

from typing import Protocol

from tandem.forecast.features import Array, Mask
from tandem.forecast.window import Samples


class Rival(Protocol):
    """A forecast that was fitted on a train block, perhaps stopped on a validation block, and is asked on any."""

    @property
    def name(self) -> str:
        """As in `model.rivals`; the names of its figures end in it."""
        ...

    def probability(self, samples: Samples) -> Array:
        """Probability of label 1 for each sample, shape [samples]."""
        ...

    def answers(self, samples: Samples) -> Mask:
        """Yes or no for each sample, shape [samples]."""
        ...
