"""Each day's models beside the baselines they must beat (STATISTICS 6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from tandem.forecast import PairModel
from tandem.market import Pair
from tandem.operations.run.chronicle import Chronicle

FORECASTERS = {"gru": "GRU", "ar1": "AR(1) half-life", "logistic": "logistic on |z|", "always_one": "always 1"}


@dataclass(frozen=True, slots=True)
class Scores:
    """How one forecaster did on the test block; a block it never saw.

    Attributes:
        forecaster: `gru`, `ar1`, `logistic` or `always_one`.
        f1, mcc, roc_auc: higher is better; no skill is the F1 of always answering 1, 0 and 0.5.
        brier, log_loss: lower is better.
    """

    forecaster: str
    f1: float
    mcc: float
    roc_auc: float
    brier: float
    log_loss: float


@dataclass(frozen=True, slots=True)
class ModelScore:
    """One pair's model of one day.

    Attributes:
        trades_with: `gru` or `baseline`.
        why: the reason for that choice.
        samples: forecasts in the test block; 0 where nothing could be tested.
        base_rate: share of them whose label is 1.
        scores: the GRU first where one was trained, then its baselines; empty without a test.
    """

    day: date
    pair: Pair
    trades_with: str
    why: str
    samples: int
    base_rate: float | None
    scores: tuple[Scores, ...]

    def f1(self, forecaster: str) -> float | None:
        """F1 of one forecaster; None where it was not tested."""
        return next((scores.f1 for scores in self.scores if scores.forecaster == forecaster), None)


def scoreboard(chronicle: Chronicle) -> tuple[ModelScore, ...]:
    """Every model of a world, by day and pair."""
    return tuple(_score(day, pair, model) for (day, pair), model in sorted(chronicle.models.items()))


def _score(day: date, pair: Pair, model: PairModel) -> ModelScore:
    return ModelScore(
        day,
        pair,
        model.trades_with,
        model.why,
        int(model.metrics.get("test_samples", 0)),
        model.metrics.get("test_base_rate"),
        tuple(_scores(model)),
    )


def _scores(model: PairModel) -> Iterator[Scores]:
    for forecaster in FORECASTERS:
        ending = "" if forecaster == "gru" else f"_{forecaster}"
        names = [f"test_{score}{ending}" for score in ("f1_score", "mcc", "roc_auc", "brier", "log_loss")]
        if all(name in model.metrics for name in names):
            yield Scores(forecaster, *(model.metrics[name] for name in names))
