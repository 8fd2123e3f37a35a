"""The model of one pair: features, GRU, baselines, calibration, training and the registry."""

from tandem.forecast.batches import Training
from tandem.forecast.calibration import Calibration, Confidence
from tandem.forecast.evidence import Evidence
from tandem.forecast.features import Features, features
from tandem.forecast.labels import horizon_of, labels, reverts, toward
from tandem.forecast.model import Forecast, PairModel
from tandem.forecast.pair_bars import PairBars
from tandem.forecast.rating import Rating, ranked
from tandem.forecast.registered import ModelRegistered
from tandem.forecast.registry import MlflowRegistry
from tandem.forecast.train import rate_pairs, train_pair, train_pairs

__all__ = [
    "Calibration",
    "Confidence",
    "Evidence",
    "Features",
    "Forecast",
    "MlflowRegistry",
    "ModelRegistered",
    "PairBars",
    "PairModel",
    "Rating",
    "Training",
    "features",
    "horizon_of",
    "labels",
    "ranked",
    "rate_pairs",
    "reverts",
    "toward",
    "train_pair",
    "train_pairs",
]
