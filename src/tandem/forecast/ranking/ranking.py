"""How models of all pairs do beside one another: the baseline that a selection has to beat."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Self

import msgspec
import numpy as np

from tandem.forecast.ranking.rating import Rating, ranked
from tandem.market import DataError


@dataclass(frozen=True, slots=True)
class Ranked:
    """That the pairs of a day were trained and ranked, as a fact.

    Attributes:
        session: the trading day; only bars before it were read.
        sector: of both legs.
        recipe: `model.version`.
        version: of the day's trading configuration that names the pairs.
        correlated: pairs that passed the correlation gate.
        trained: of them, those with a GRU that was judged.
        refused: those that had none.
        left_out: those that were not looked at, because no more were asked for.
        table: digest of the ratings, a blob of the store.
    """

    kind: ClassVar = "ranked"

    session: date
    sector: str
    recipe: str
    version: int
    correlated: int
    trained: int
    refused: int
    left_out: int
    table: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ratings, the best first, and what they come to together.

    Attributes:
        ratings: of all pairs; those without a GRU are last.
    """

    ratings: tuple[Rating, ...]

    @classmethod
    def of(cls, ratings: Sequence[Rating]) -> Self:
        """Rank some ratings."""
        return cls(ranked(ratings))

    @property
    def trained(self) -> tuple[Rating, ...]:
        """Those with a GRU."""
        return tuple(each for each in self.ratings if each.is_trained)

    def figures(self, level: float) -> dict[str, float]:
        """Means over the trained pairs with their standard errors, and how many beat AR(1) and the base rate.

        Pairs share legs and days, so the standard errors are too small; they say what is surely noise.

        Args:
            level: p-value below which a single pair has evidence; `level` of the pairs reach it by luck.
        """
        trained = self.trained
        figures = {"pairs": float(len(self.ratings)), "trained": float(len(trained))}
        for name in MEANS if trained else ():
            values = np.array([each.metrics[name] for each in trained])
            figures[f"mean_{name}"] = float(values.mean())
            if len(values) > 1:
                figures[f"standard_error_{name}"] = float(values.std(ddof=1) / np.sqrt(len(values)))
        better = sum(each.metrics["test_log_loss"] < each.metrics["test_log_loss_ar1"] for each in trained)
        informed = sum(each.metrics["test_log_loss"] < each.metrics["test_log_loss_always_one"] for each in trained)
        with_evidence = sum(each.metrics["evidence_pvalue"] < level for each in trained)
        return figures | {
            "lower_log_loss_than_ar1": float(better),
            "lower_log_loss_than_base_rate": float(informed),
            "with_evidence": float(with_evidence),
            "with_evidence_by_luck": level * len(trained),
            "gru_trades": float(sum(each.gru_trades for each in trained)),
        }

    def to_bytes(self) -> bytes:
        """As JSON."""
        return msgspec.json.encode(self.ratings)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The ranking that `to_bytes` wrote.

        Raises:
            DataError: the bytes are none.
        """
        try:
            return cls(msgspec.json.decode(content, type=tuple[Rating, ...]))
        except msgspec.MsgspecError as error:
            raise DataError(f"not a ranking: {error}", "Train all pairs of the day again") from error


MEANS = (
    "test_mcc",
    "test_mcc_ar1",
    "test_mcc_logistic",
    "test_log_loss",
    "test_log_loss_ar1",
    "test_log_loss_logistic",
    "test_log_loss_always_one",
    "test_f1_score",
    "test_f1_score_ar1",
    "test_f1_score_logistic",
    "test_f1_score_always_one",
    "test_base_rate",
)
