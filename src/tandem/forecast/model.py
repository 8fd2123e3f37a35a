"""The model of one pair: what it was taught, how well it did, and its forecasts."""

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec
import numpy as np

from tandem.config import ModelSettings
from tandem.forecast.baselines import HalfLifeForecast
from tandem.forecast.calibration import Calibration
from tandem.forecast.features import Array, features
from tandem.forecast.gru import Epoch, Gru
from tandem.forecast.scaler import MARGIN, Scaler
from tandem.forecast.window import refused
from tandem.market import DataError, Pair, Refusal
from tandem.statistics import GarchPath

if TYPE_CHECKING:
    from tandem.screening import Passport

FORMAT = 1


@dataclass(frozen=True)
class Forecast:
    """What is expected of a spread now.

    Attributes:
        probability: that it is closer to its equilibrium one horizon later, by the model that trades.
        confidence: the calibrated probability, shrunk toward 0.5 by the width of its interval; scales the size.
        low: lower end of the calibrated probability's 95% interval.
        high: upper end.
        model: who says so, `gru` or `baseline`.
    """

    probability: float
    confidence: float
    low: float
    high: float
    model: Literal["gru", "baseline"]


@dataclass(frozen=True)
class Period:
    """The UTC dates of the first and last bar that a block was asked at, and how many bars."""

    first: date
    last: date
    samples: int


@dataclass(frozen=True, eq=False)
class Network:
    """A GRU with the scale of its features, fitted on the whole formation window."""

    gru: Gru
    scaler: Scaler


@dataclass(frozen=True, eq=False)
class PairModel:
    """All that is needed to forecast one pair for one session, and the record of how it was chosen.

    Attributes:
        pair: the pair.
        session: the trading day it was trained for.
        phi: AR(1) coefficient of the spread per bar, whole window.
        horizon: bars ahead that it forecasts.
        settings: the recipe.
        trades_with: `gru` or `baseline` (the AR(1) half-life forecast).
        why: the reason for that choice, in words.
        metrics: flat; the mission's names are the GRU's, others end in their baseline's name.
        history: the GRU's epochs during evaluation.
        best_epoch: how many epochs the final GRU was given; 0 where none was trained.
        calibration: of the model that trades, from its forecasts of the validation block.
        periods: the blocks `train`, `validation` and `test`, where the dates are known.
        refusal: why no GRU was trained, where none was.
        network: the GRU, refitted on the whole window; also kept where the baseline trades.
        data_version: SHA-256 of the bars it learned from; empty where nobody recorded it.
    """

    pair: Pair
    session: date
    phi: float
    horizon: int
    settings: ModelSettings
    trades_with: Literal["gru", "baseline"]
    why: str
    metrics: dict[str, float]
    history: tuple[Epoch, ...] = ()
    best_epoch: int = 0
    calibration: Calibration = field(default_factory=Calibration)
    periods: dict[str, Period] = field(default_factory=dict)
    refusal: Refusal | None = None
    network: Network | None = None
    data_version: str = ""

    def forecast(self, spread: Array, garch: "GarchPath | Passport", z_now: float) -> Forecast | Refusal:
        """What is expected of the spread, or why nothing is said.

        Args:
            spread: up to the last completed bar of the model's timeframe, from the passport's hedge.
            garch: the spread's GARCH path over the same bars, or the passport to filter it with.
            z_now: the newest z-score against the formation's equilibrium; the baseline answers from it.
        """
        if not np.isfinite(z_now):
            return refused(f"the z-score is {z_now}")
        said = self.gru_probability(spread, garch) if self.trades_with == "gru" else self.baseline_probability(z_now)
        if isinstance(said, Refusal):
            return said
        record = self.calibration.confidence(said)
        return Forecast(said, record.confidence, record.low, record.high, self.trades_with)

    def baseline_probability(self, z_now: float) -> float:
        """The AR(1) half-life forecast at a z-score."""
        return float(HalfLifeForecast.of(self.phi, self.horizon).probability(np.array([z_now]))[0])

    def gru_probability(self, spread: Array, garch: "GarchPath | Passport") -> float | Refusal:
        """The GRU's forecast, whether it trades or not; refused far outside what it was trained on."""
        if self.network is None:
            return self.refusal or refused("no GRU was trained")
        path = garch if isinstance(garch, GarchPath) else garch.garch.filter(spread)
        rows = features(spread, path, self.settings).values[-self.settings.sequence_length :]
        scaler = self.network.scaler
        if len(rows) < self.settings.sequence_length or (strange := scaler.strangers(rows)):
            return refused(_strangeness(strange if len(rows) == self.settings.sequence_length else ["too few bars"]))
        return float(self.network.gru.probability(scaler.scale(rows)[None])[0])

    def to_bytes(self) -> bytes:
        """MessagePack with raw float arrays; no pickle."""
        return msgspec.msgpack.encode((FORMAT, self), enc_hook=_plain)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The model that `to_bytes` wrote.

        Raises:
            DataError: the bytes are not such a model.
        """
        try:
            format, model = msgspec.msgpack.decode(content, type=tuple[int, cls], dec_hook=_rich)  # type: ignore[valid-type]
        except (msgspec.MsgspecError, ValueError) as error:
            raise DataError(f"not a pair model: {error}", "Train the day's models again") from error
        if format != FORMAT:
            raise DataError(f"a pair model of format {format}, this is format {FORMAT}", "Train the day's models again")
        return model


def _strangeness(names: list[str]) -> str:
    return f"beyond the training range by more than {MARGIN:.0%} of it: {', '.join(names)}"


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, ModelSettings):
        return value.model_dump(mode="json")
    raise NotImplementedError(type(value))


def _rich(type_: Any, value: Any) -> Any:
    if type_ is ModelSettings:
        return ModelSettings.model_validate(value)
    kind, shape, content = value
    if kind not in ("<f4", "<f8"):
        raise ValueError(f"an array of {kind}")
    return np.frombuffer(content, dtype=kind).reshape(shape)
