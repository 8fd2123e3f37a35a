"""A network as it is asked."""

from dataclasses import dataclass

from tandem.forecast.gru import Gru
from tandem.forecast.scaler import Scaler


@dataclass(frozen=True, eq=False)
class Network:
    """A GRU with the scale of its features, fitted on the whole formation window."""

    gru: Gru
    scaler: Scaler
