"""The model of one pair: features, GRU, baselines, calibration, training and the registry."""

from tandem.forecast.calibration import Calibration, Confidence
from tandem.forecast.evidence import Evidence
from tandem.forecast.features import Features, features
from tandem.forecast.labels import horizon_of, labels, reverts, toward
from tandem.forecast.lineage import means, model_name
from tandem.forecast.mirror import is_behind
from tandem.forecast.model import Forecast, PairModel
from tandem.forecast.promotion import act_on
from tandem.forecast.registered import ModelRegistered
from tandem.forecast.registry import MlflowRegistry
from tandem.forecast.sanity import as_baseline, insane, loss_of, out_of_band
from tandem.forecast.staged import RecipeStaged
from tandem.forecast.trading import trading_metrics, with_record
from tandem.forecast.train import train_pair
from tandem.forecast.verdict import Verdict

__all__ = [
    "Calibration",
    "Confidence",
    "Evidence",
    "Features",
    "Forecast",
    "MlflowRegistry",
    "ModelRegistered",
    "PairModel",
    "RecipeStaged",
    "Verdict",
    "act_on",
    "as_baseline",
    "features",
    "horizon_of",
    "insane",
    "is_behind",
    "labels",
    "loss_of",
    "means",
    "model_name",
    "out_of_band",
    "reverts",
    "toward",
    "trading_metrics",
    "train_pair",
    "with_record",
]
