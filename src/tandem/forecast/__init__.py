"""The model of one pair: features, GRU, baselines, calibration, training and the registry."""

from tandem.forecast.batches import Training
from tandem.forecast.calibration import Calibration, Confidence
from tandem.forecast.day_models import DayModels
from tandem.forecast.evidence import Evidence
from tandem.forecast.features import Features, feature_set, features
from tandem.forecast.further import FurtherFeature, register_feature
from tandem.forecast.labels import horizon_of, labels, reverts, toward
from tandem.forecast.lookahead import Leak, ModelPipeline, find_leaks
from tandem.forecast.model import Forecast, PairModel, Question, forecast_all
from tandem.forecast.pair_bars import PairBars
from tandem.forecast.ranking import Ranked, Ranking
from tandem.forecast.ranking_runs import track_ranking
from tandem.forecast.rating import Rating, ranked
from tandem.forecast.registered import ModelRegistered
from tandem.forecast.registry import MlflowRegistry
from tandem.forecast.space import params_of
from tandem.forecast.train import rate_pairs, train_pair, train_pairs
from tandem.forecast.trials import families, training_trials
from tandem.forecast.tune import Heartbeat, Outcome, Search, Tried, finished, outcome, run_trials, take_seat
from tandem.forecast.tuned import Tuned, next_version
from tandem.forecast.tuning_runs import track_tuning

__all__ = [
    "Calibration",
    "Confidence",
    "DayModels",
    "Evidence",
    "Features",
    "Forecast",
    "FurtherFeature",
    "Heartbeat",
    "Leak",
    "MlflowRegistry",
    "ModelPipeline",
    "ModelRegistered",
    "Outcome",
    "PairBars",
    "PairModel",
    "Question",
    "Ranked",
    "Ranking",
    "Rating",
    "Search",
    "Training",
    "Tried",
    "Tuned",
    "families",
    "feature_set",
    "features",
    "find_leaks",
    "finished",
    "forecast_all",
    "horizon_of",
    "labels",
    "next_version",
    "outcome",
    "params_of",
    "ranked",
    "rate_pairs",
    "register_feature",
    "reverts",
    "run_trials",
    "take_seat",
    "toward",
    "track_ranking",
    "track_tuning",
    "train_pair",
    "train_pairs",
    "training_trials",
]
