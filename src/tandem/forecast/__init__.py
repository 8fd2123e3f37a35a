"""The model of one pair: features, GRU, baselines, calibration, training and the registry."""

from tandem.forecast.answering.day_models import DayModels
from tandem.forecast.calibration import Calibration, Confidence
from tandem.forecast.evidence import Evidence
from tandem.forecast.features import Features, feature_set, features
from tandem.forecast.further import FurtherFeature, register_feature
from tandem.forecast.labels import horizon_of, labels, reverts, toward
from tandem.forecast.lookahead import Leak, ModelPipeline, find_leaks
from tandem.forecast.model import Forecast, PairModel, Question, forecast_all
from tandem.forecast.ranking.ranking import Ranked, Ranking
from tandem.forecast.ranking.rating import Rating, ranked
from tandem.forecast.ranking.runs import track_ranking
from tandem.forecast.registry.lineage import means, model_name
from tandem.forecast.registry.mirror import is_behind
from tandem.forecast.registry.promotion import act_on
from tandem.forecast.registry.registered import ModelRegistered
from tandem.forecast.registry.registration import Registration, owed
from tandem.forecast.registry.registry import MlflowRegistry
from tandem.forecast.registry.staged import RecipeStaged
from tandem.forecast.training.batches import Training
from tandem.forecast.training.pair_bars import PairBars
from tandem.forecast.training.sanity import as_baseline, insane, loss_of, out_of_band
from tandem.forecast.training.trading import trading_metrics, with_record
from tandem.forecast.training.train import rate_pairs, train_pair, train_pairs
from tandem.forecast.training.trials import families, training_trials
from tandem.forecast.trial.assignment import Assignment, assign
from tandem.forecast.trial.contender import BASELINE, Contender, baseline_of, challenger_of, champion_of
from tandem.forecast.trial.gates import Trials
from tandem.forecast.trial.grades import Grades
from tandem.forecast.trial.promotion import decide, verdict_of
from tandem.forecast.trial.split import compare_split
from tandem.forecast.trial.track import Track
from tandem.forecast.trial.watch import watch
from tandem.forecast.tuning.runs import track_tuning
from tandem.forecast.tuning.space import params_of
from tandem.forecast.tuning.tune import Heartbeat, Outcome, Search, Tried, finished, outcome, run_trials, take_seat
from tandem.forecast.tuning.tuned import Tuned, next_version
from tandem.forecast.verdict import Verdict

__all__ = [
    "BASELINE",
    "Assignment",
    "Calibration",
    "Confidence",
    "Contender",
    "DayModels",
    "Evidence",
    "Features",
    "Forecast",
    "FurtherFeature",
    "Grades",
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
    "RecipeStaged",
    "Registration",
    "Search",
    "Track",
    "Training",
    "Trials",
    "Tried",
    "Tuned",
    "Verdict",
    "act_on",
    "as_baseline",
    "assign",
    "baseline_of",
    "challenger_of",
    "champion_of",
    "compare_split",
    "decide",
    "families",
    "feature_set",
    "features",
    "find_leaks",
    "finished",
    "forecast_all",
    "horizon_of",
    "insane",
    "is_behind",
    "labels",
    "loss_of",
    "means",
    "model_name",
    "next_version",
    "out_of_band",
    "outcome",
    "owed",
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
    "trading_metrics",
    "train_pair",
    "train_pairs",
    "training_trials",
    "verdict_of",
    "watch",
    "with_record",
]
