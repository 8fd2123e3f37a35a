"""How a model of a pair did, whether the pair is traded or not."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, Self

import msgspec

from tandem.forecast.model import PairModel, Period
from tandem.market import DataError, Pair, Refusal


@dataclass(frozen=True)
class Rating:
    """What the training of one pair came to on its test block.

    Attributes:
        pair: the pair.
        horizon: bars ahead that were asked about: the half-life over the train block; 0 where it did not revert.
        metrics: flat; the mission's names are the GRU's, others end in their baseline's name.
        best_epoch: of the GRU; 0 where none was trained.
        gru_trades: whether the evidence would let it replace the baseline.
        why: the reason for that, in words.
        periods: the blocks `train`, `validation` and `test`, where the dates are known.
        refusal: why no GRU was trained, where none was.
    """

    pair: Pair
    horizon: int
    metrics: dict[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    gru_trades: bool = False
    why: str = ""
    periods: dict[str, Period] = field(default_factory=dict)
    refusal: Refusal | None = None

    @property
    def is_trained(self) -> bool:
        """Whether there was a GRU to judge."""
        return self.refusal is None

    @classmethod
    def of(cls, model: PairModel) -> Self:
        """How a model that was made to trade did."""
        return cls(
            pair=model.pair,
            horizon=model.horizon,
            metrics=model.metrics,
            best_epoch=model.best_epoch,
            gru_trades=model.trades_with == "gru",
            why=model.why if model.refusal is None else "",
            periods=model.periods,
            refusal=model.refusal,
        )

    @property
    def samples(self) -> int:
        """Labelled bars in all three blocks."""
        return int(sum(self.metrics.get(f"{name}_samples", 0.0) for name in ("train", "validation", "test")))

    @property
    def trades_with(self) -> Literal["gru", "baseline"]:
        """What would trade the pair."""
        return "gru" if self.gru_trades else "baseline"

    def to_bytes(self) -> bytes:
        """MessagePack."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The rating that `to_bytes` wrote.

        Raises:
            DataError: the bytes are none.
        """
        try:
            return msgspec.msgpack.decode(content, type=cls)
        except msgspec.MsgspecError as error:
            raise DataError(f"not a rating: {error}", "Train the day's models again") from error


def ranked(ratings: Iterable[Rating]) -> tuple[Rating, ...]:
    """By test Matthews correlation, then log loss, then F1, the best first; pairs without a GRU last, by name."""
    return tuple(sorted(ratings, key=_place))


def _place(rating: Rating) -> tuple[bool, float, float, float, Pair]:
    scores = (rating.metrics.get(f"test_{name}", 0.0) for name in ("mcc", "log_loss", "f1_score"))
    mcc, log_loss, f1_score = scores if rating.is_trained else (0.0, 0.0, 0.0)
    return not rating.is_trained, -mcc, log_loss, -f1_score, rating.pair
