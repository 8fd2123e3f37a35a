"""How good a forecast was on a block of labels."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from tandem.forecast.features import Array, Mask

SURE = 1e-6
"""Probabilities are kept this far from 0 and 1 where a logarithm is taken."""


@dataclass(frozen=True)
class Skill:
    """Scores of one forecast on one block; undefined ratios are 0, and ROC AUC is 0.5 where only one label occurs."""

    f1_score: float
    accuracy: float
    precision: float
    recall: float
    mcc: float
    roc_auc: float
    brier: float
    log_loss: float

    @classmethod
    def of(cls, labels: Array, probability: Array, answers: Mask) -> Self:
        """Score probabilities and yes/no answers against labels of 0 and 1, shape [n] each."""
        true, said = labels > 0.5, np.asarray(answers, dtype=np.bool_)
        hits, named, ones = float(np.sum(true & said)), float(np.sum(said)), float(np.sum(true))
        return cls(
            f1_score=_ratio(2 * hits, named + ones),
            accuracy=float(np.mean(true == said)),
            precision=_ratio(hits, named),
            recall=_ratio(hits, ones),
            mcc=_matthews(true, said),
            roc_auc=_area(true, probability),
            brier=float(np.mean((probability - labels) ** 2)),
            log_loss=float(np.mean(log_losses(labels, probability))),
        )


def log_losses(labels: Array, probability: Array) -> Array:
    """The log loss of each forecast, in nats."""
    sure = np.clip(probability, SURE, 1 - SURE)
    return -np.log(np.where(labels > 0.5, sure, 1 - sure))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _matthews(true: Mask, said: Mask) -> float:
    if true.all() or not true.any() or said.all() or not said.any():
        return 0.0
    return float(np.corrcoef(true, said)[0, 1])


def _area(true: Mask, probability: Array) -> float:
    from scipy.stats import rankdata

    ones = int(true.sum())
    zeros = len(true) - ones
    if not ones or not zeros:
        return 0.5
    return float((rankdata(probability)[true].sum() - ones * (ones + 1) / 2) / (ones * zeros))
