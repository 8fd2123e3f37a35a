"""Gradient boosted trees on the newest row of features; judged only, for it has no form without pickle here."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tandem.config import ModelSettings
from tandem.forecast.features import Array, Mask
from tandem.forecast.rivals.scaled_gru import fit_scaler
from tandem.forecast.scaler import Scaler
from tandem.forecast.skill import log_losses
from tandem.forecast.window import Samples, Window

ROUNDS = 100
LEARNING_RATE = 0.05
MAX_LEAVES = 8
MIN_LEAF = 40


@dataclass(frozen=True, eq=False)
class Boosting:
    """scikit-learn's HistGradientBoostingClassifier with as many rounds as the validation block found best.

    Attributes:
        scaler: which mirrors the rows; trees need no scale.
        base_rate: of the train block, the answer where it had one kind of label only.
        trees: None in that case.
    """

    scaler: Scaler
    base_rate: float
    trees: Any
    name: str = "boosting"

    @classmethod
    def fit(cls, window: Window, recipe: ModelSettings) -> "Boosting":
        """Grow trees on the train block and cut them back by the validation block."""
        scaler, labels = fit_scaler(window.train, window.spread, recipe), window.train.labels
        base_rate = float(labels.mean())
        if base_rate in (0.0, 1.0):
            return cls(scaler, base_rate, None)
        rows, later = _newest(scaler, window.train), _newest(scaler, window.validation)
        grown = _grown(rows, labels, ROUNDS, recipe.seed)
        losses = [log_losses(window.validation.labels, said[:, 1]).mean() for said in grown.staged_predict_proba(later)]
        return cls(scaler, base_rate, _grown(rows, labels, int(np.argmin(losses)) + 1, recipe.seed))

    def probability(self, samples: Samples) -> Array:
        """See `Rival`."""
        if self.trees is None:
            return np.full(len(samples), self.base_rate)
        with _one_thread():
            said = self.trees.predict_proba(_newest(self.scaler, samples))[:, 1]
        return np.asarray(said, dtype=np.float64)

    def answers(self, samples: Samples) -> Mask:
        """See `Rival`."""
        return self.probability(samples) >= 0.5


def _newest(scaler: Scaler, samples: Samples) -> Array:
    newest: Array = scaler.scale(samples.rows)[:, -1]
    return newest


def _grown(rows: Array, labels: Array, rounds: int, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(
        learning_rate=LEARNING_RATE, max_iter=rounds, max_leaf_nodes=MAX_LEAVES, min_samples_leaf=MIN_LEAF,
        early_stopping=False, random_state=seed,
    )  # fmt: skip
    with _one_thread():
        return trees.fit(rows, labels)


def _one_thread() -> Any:
    # A thousand rows on threads that wait for each other take a hundred times as long on busy cores.
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(limits=1)
