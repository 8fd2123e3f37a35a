"""The model of one pair: features, GRU, baselines, calibration, training and the registry."""

from tandem.forecast.batches import Training
from tandem.forecast.calibration import Calibration, Confidence
from tandem.forecast.evidence import Evidence
from tandem.forecast.features import Features, features
from tandem.forecast.labels import horizon_of, labels, reverts, toward
from tandem.forecast.model import Forecast, PairModel
from tandem.forecast.pair_bars import PairBars
from tandem.forecast.ranking import Ranked, Ranking
from tandem.forecast.ranking_runs import track_ranking
from tandem.forecast.rating import Rating, ranked
from tandem.forecast.registered import ModelRegistered
from tandem.forecast.registry import MlflowRegistry
from tandem.forecast.train import rate_pairs, train_pair, train_pairs
from tandem.forecast.trials import families, training_trials

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
    "Ranked",
    "Ranking",
    "Rating",
    "Training",
    "families",
    "features",
    "horizon_of",
    "labels",
    "ranked",
    "rate_pairs",
    "reverts",
    "toward",
    "track_ranking",
    "train_pair",
    "train_pairs",
    "training_trials",
]
