"""A GRU with the scale of the pair that it is asked about."""

from dataclasses import dataclass

from tandem.config import ModelSettings
from tandem.forecast.features import Array, Mask
from tandem.forecast.gru import Gru
from tandem.forecast.scaler import Scaler
from tandem.forecast.training.practice import practised
from tandem.forecast.window import Samples, Spread, Window


@dataclass(frozen=True, eq=False)
class ScaledGru:
    """A network and the scale of its inputs; `name` is `gru` for the pair's own, `pooled_gru` for a sector's."""

    name: str
    gru: Gru
    scaler: Scaler

    def probability(self, samples: Samples) -> Array:
        """See `Rival`."""
        return self.gru.probability(self.scaler.scale(samples.rows))

    def answers(self, samples: Samples) -> Mask:
        """See `Rival`."""
        return self.probability(samples) >= 0.5


def fit_scaler(samples: Samples, spread: Spread, recipe: ModelSettings) -> Scaler:
    """The scale of every feature row that the samples look at, mirrored at the equilibrium where the recipe says so."""
    return Scaler.fit(samples.names, samples.rows, spread.equilibrium.mean if recipe.symmetric else None)


def taught(window: Window, scaler: Scaler, recipe: ModelSettings) -> tuple[Array, Array]:
    """What a network learns from: the train block's scaled sequences and labels, and those to practise on."""
    samples = practised(window.train, window.spread, recipe)
    return scaler.scale(samples.rows), samples.labels


def held_out(window: Window, scaler: Scaler) -> tuple[Array, Array]:
    """What ends its training: the validation block's scaled sequences and labels."""
    return scaler.scale(window.validation.rows), window.validation.labels
