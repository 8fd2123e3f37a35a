"""The model of one pair: what it was taught, how well it did, and its forecasts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec
import numpy as np

from tandem.config import ModelSettings
from tandem.forecast.answering.network import Network
from tandem.forecast.answering.together import Sight, probabilities, reach_of
from tandem.forecast.baselines import HalfLifeForecast
from tandem.forecast.calibration import Calibration
from tandem.forecast.features import Array
from tandem.forecast.gru import Epoch
from tandem.forecast.labels import horizon_of
from tandem.forecast.window import refused
from tandem.market import DataError, Pair, Refusal
from tandem.statistics import GarchPath

if TYPE_CHECKING:
    from tandem.screening import Passport

FORMAT = 2


@dataclass(frozen=True)
class Forecast:
    """What is expected of a spread now.

    Attributes:
        probability: that it is closer to its equilibrium one horizon later, by the model that trades.
        confidence: the calibrated probability, shrunk toward 0.5 by the width of its interval; scales the size.
        low: lower end of the calibrated probability's 95% interval.
        high: upper end.
        model: who says so, `gru` or `baseline`.
        calibrated: how often forecasts like it came true on validation data; 0.5 without a record.
    """

    probability: float
    confidence: float
    low: float
    high: float
    model: Literal["gru", "baseline"]
    calibrated: float = 0.5

    @classmethod
    def unrecorded(cls, phi: float, half_life: float, z_now: float) -> Self:
        """The AR(1) half-life forecast of a spread whose forecasts nobody has kept a record of.

        Args:
            phi: AR(1) coefficient per bar.
            half_life: bars.
            z_now: the newest z-score against the equilibrium.
        """
        baseline = HalfLifeForecast.of(phi, horizon_of(half_life))
        return cls(float(baseline.probability(np.array([z_now]))[0]), 0.5, 0.0, 1.0, "baseline")


@dataclass(frozen=True)
class Period:
    """The UTC dates of the first and last bar that a block was asked at, and how many bars."""

    first: date
    last: date
    samples: int


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What a model is asked at one moment.

    Attributes:
        model: who is asked.
        spread: up to the last completed bar of the model's timeframe, from the passport's hedge; bars before
            the last `model.reach` change nothing.
        path: the spread's GARCH path over the same bars.
        z_now: the newest z-score against the formation's equilibrium; the baseline answers from it.
    """

    model: "PairModel"
    spread: Array
    path: GarchPath
    z_now: float

    @property
    def sight(self) -> Sight | None:
        """What the model's GRU is shown; None where it does not trade."""
        model = self.model
        if model.trades_with != "gru" or model.network is None:
            return None
        return Sight(model.network, model.settings, self.spread, self.path)


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

    @property
    def reach(self) -> int:
        """Bars that its forecast sees, the newest included."""
        return reach_of(self.settings)

    def forecast(self, spread: Array, garch: "GarchPath | Passport", z_now: float) -> Forecast | Refusal:
        """What is expected of the spread, or why nothing is said.

        Args:
            spread, z_now: as in a `Question`.
            garch: the spread's GARCH path over the same bars, or the passport to filter it with.
        """
        return forecast_all([Question(self, spread, _path(spread, garch), z_now)])[0]

    def baseline_probability(self, z_now: float) -> float:
        """The AR(1) half-life forecast at a z-score."""
        return float(HalfLifeForecast.of(self.phi, self.horizon).probability(np.array([z_now]))[0])

    def gru_probability(self, spread: Array, garch: "GarchPath | Passport") -> float | Refusal:
        """The GRU's forecast, whether it trades or not; refused far outside what it was trained on."""
        if self.network is None:
            return self.refusal or refused("no GRU was trained")
        return probabilities([Sight(self.network, self.settings, spread, _path(spread, garch))])[0]

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


def forecast_all(questions: Sequence[Question]) -> list[Forecast | Refusal]:
    """What is expected of each spread, or why nothing is said: the same as if each were asked alone."""
    sights = [asked.sight for asked in questions]
    said = iter(probabilities([sight for sight in sights if sight is not None]))
    return [
        _forecast(asked, None if sight is None else next(said)) for asked, sight in zip(questions, sights, strict=True)
    ]


def _forecast(asked: Question, said: float | Refusal | None) -> Forecast | Refusal:
    model = asked.model
    if not np.isfinite(asked.z_now):
        return refused(f"the z-score is {asked.z_now}")
    if said is None and model.trades_with == "baseline":
        said = model.baseline_probability(asked.z_now)
    if said is None or isinstance(said, Refusal):
        return said or model.refusal or refused("no GRU was trained")
    record = model.calibration.confidence(said)
    return Forecast(said, record.confidence, record.low, record.high, model.trades_with, record.probability)


def _path(spread: Array, garch: "GarchPath | Passport") -> GarchPath:
    return garch if isinstance(garch, GarchPath) else garch.garch.filter(spread)


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
