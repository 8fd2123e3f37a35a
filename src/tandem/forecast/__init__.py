"""The model of one pair: features, GRU, baselines, calibration, training and the registry."""

from tandem.forecast.calibration import Calibration, Confidence
from tandem.forecast.evidence import Evidence
from tandem.forecast.features import Features, feature_set, features
from tandem.forecast.further import FurtherFeature, register_feature
from tandem.forecast.labels import horizon_of, labels, reverts, toward
from tandem.forecast.lookahead import Leak, ModelPipeline, find_leaks
from tandem.forecast.model import Forecast, PairModel
from tandem.forecast.registered import ModelRegistered
from tandem.forecast.registry import MlflowRegistry
from tandem.forecast.train import train_pair

__all__ = [
    "Calibration",
    "Confidence",
    "Evidence",
    "Features",
    "Forecast",
    "FurtherFeature",
    "Leak",
    "MlflowRegistry",
    "ModelPipeline",
    "ModelRegistered",
    "PairModel",
    "feature_set",
    "features",
    "find_leaks",
    "horizon_of",
    "labels",
    "register_feature",
    "reverts",
    "toward",
    "train_pair",
]
