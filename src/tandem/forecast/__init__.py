"""The model of one pair: features, GRU, baselines, calibration, training and the registry."""

from tandem.forecast.calibration import Calibration, Confidence
from tandem.forecast.day_models import DayModels
from tandem.forecast.evidence import Evidence
from tandem.forecast.features import Features, features
from tandem.forecast.labels import horizon_of, labels, reverts, toward
from tandem.forecast.model import Forecast, PairModel, Question, forecast_all
from tandem.forecast.registered import ModelRegistered
from tandem.forecast.registry import MlflowRegistry
from tandem.forecast.train import train_pair

__all__ = [
    "Calibration",
    "Confidence",
    "DayModels",
    "Evidence",
    "Features",
    "Forecast",
    "MlflowRegistry",
    "ModelRegistered",
    "PairModel",
    "Question",
    "features",
    "forecast_all",
    "horizon_of",
    "labels",
    "reverts",
    "toward",
    "train_pair",
]
