"""Many networks asked at once: their features in one pass, their weights in one bank."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tandem.config import ModelSettings
from tandem.forecast.answering.bank import Bank
from tandem.forecast.answering.network import Network
from tandem.forecast.features import Array, features, look_back
from tandem.forecast.window import refused
from tandem.market import Refusal
from tandem.statistics import GarchPath


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What one network is shown.

    Attributes:
        network: who is asked.
        settings: of its features.
        spread: up to the newest completed bar; bars before the last `reach_of(settings)` change nothing.
        path: the GARCH path over the same bars.
    """

    network: Network
    settings: ModelSettings
    spread: Array
    path: GarchPath


def reach_of(settings: ModelSettings) -> int:
    """Bars that a forecast sees, the newest included."""
    return look_back(settings) + 1


def probabilities(sights: Sequence[Sight]) -> list[float | Refusal]:
    """Probability of label 1 by each network, or why it says nothing; the same as if each were asked alone.

    Every feature is a sum in a fixed order over its own window, so the newest bars of all spreads can stand in one
    series: what a window takes from the neighbour before it lies outside the sequences that are read.
    """
    said: dict[int, float | Refusal] = {}
    for places in _alike(sights):
        group = [sights[place] for place in places]
        answers = Bank.of(tuple(sight.network for sight in group)).ask(_sequences(group))
        said |= dict(zip(places, answers, strict=True))
    return [_too_short(sight) or said[place] for place, sight in enumerate(sights)]


def _alike(sights: Sequence[Sight]) -> list[list[int]]:
    groups: list[list[int]] = []
    for place, sight in enumerate(sights):
        group = next((group for group in groups if sights[group[0]].settings == sight.settings), None)
        if group is None:
            groups.append([place])
        else:
            group.append(place)
    return groups


def _sequences(sights: Sequence[Sight]) -> Array:
    settings = sights[0].settings
    newest = [(sight.spread, sight.path.residuals, sight.path.variances) for sight in sights]
    spread, residuals, variances = (_end_to_end(rows, reach_of(settings)) for rows in zip(*newest, strict=True))
    values = features(spread, GarchPath(residuals, variances), settings).values
    return values.reshape(len(sights), reach_of(settings), -1)[:, -settings.sequence_length :]


def _end_to_end(rows: Sequence[Array], bars: int) -> Array:
    table = np.full((len(rows), bars), np.nan)
    for place, values in enumerate(rows):
        newest = values[-bars:]
        table[place, bars - len(newest) :] = newest
    return table.ravel()


def _too_short(sight: Sight) -> Refusal | None:
    bars, length = len(sight.spread), sight.settings.sequence_length
    return refused(f"{bars} bars, a sequence has {length}") if bars < length else None
