"""The baselines, which know the z-score alone."""

from dataclasses import dataclass

from tandem.config import ModelSettings
from tandem.forecast.baselines import Baseline, HalfLifeForecast, NextMoveForecast
from tandem.forecast.features import Array, Mask
from tandem.forecast.window import Samples, Window


@dataclass(frozen=True)
class FromDistance:
    """A baseline, asked with each sample's z-score."""

    baseline: Baseline

    @property
    def name(self) -> str:
        """The baseline's."""
        return self.baseline.name

    def probability(self, samples: Samples) -> Array:
        """See `Rival`."""
        return self.baseline.probability(samples.z)

    def answers(self, samples: Samples) -> Mask:
        """See `Rival`."""
        return self.baseline.answers(samples.z)


def ar1(window: Window, recipe: ModelSettings) -> Baseline:
    """The AR(1) forecast of the label, from the train block."""
    phi = window.spread.phi
    return NextMoveForecast(phi) if recipe.label == "toward" else HalfLifeForecast.of(phi, window.spread.horizon)
