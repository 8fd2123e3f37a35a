"""One GRU for all pairs of a sector.

Every pair's sequences are scaled by that pair's own train block, so what the pairs share is the shape of a spread's
return and not its units. With a horizon of one half-life each, that shape is nearly the same for all of them.
"""

from collections.abc import Sequence

import numpy as np

from tandem.config import ModelSettings
from tandem.forecast.features import Array
from tandem.forecast.gru import train_gru
from tandem.forecast.rivals.scaled_gru import ScaledGru, fit_scaler, held_out, taught
from tandem.forecast.window import Window


def fit_pooled(windows: Sequence[Window], recipe: ModelSettings) -> tuple[ScaledGru, ...]:
    """Train one GRU on the train blocks of all windows; one rival for each window, in their order.

    The sequences to practise on are shared out among the pairs.

    Args:
        windows: of the pairs of a sector, over the same bars: a longer one's train block would reach into a shorter
            one's test block.
        recipe: as for a pair's own GRU.

    Raises:
        ValueError: windows of different lengths, or none.
    """
    if len({len(window.spread.values) for window in windows}) != 1:
        raise ValueError("a pool needs windows over the same bars")
    shared = recipe.model_copy(update={"practice": recipe.practice // len(windows)})
    scalers = [fit_scaler(window.train, window.spread, recipe) for window in windows]
    pairs = list(zip(windows, scalers, strict=True))
    lessons = _joined([taught(window, scaler, shared) for window, scaler in pairs])
    later = _joined([held_out(window, scaler) for window, scaler in pairs])
    lesson = train_gru(lessons, later, recipe, recipe.epochs)
    return tuple(ScaledGru("pooled_gru", lesson.gru, scaler) for scaler in scalers)


def _joined(blocks: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    rows, labels = zip(*blocks, strict=True)
    return np.concatenate(rows), np.concatenate(labels)
