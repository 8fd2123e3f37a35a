"""The model of one pair: features, GRU, baselines, calibration, training and the registry."""

from tandem.forecast.batches import Training
from tandem.forecast.calibration import Calibration, Confidence
from tandem.forecast.day_models import DayModels
from tandem.forecast.evidence import Evidence
from tandem.forecast.features import Features, feature_set, features
from tandem.forecast.further import FurtherFeature, register_feature
from tandem.forecast.labels import horizon_of, labels, reverts, toward
from tandem.forecast.lineage import means, model_name
from tandem.forecast.lookahead import Leak, ModelPipeline, find_leaks
from tandem.forecast.mirror import is_behind
from tandem.forecast.model import Forecast, PairModel, Question, forecast_all
from tandem.forecast.pair_bars import PairBars
from tandem.forecast.promotion import act_on
from tandem.forecast.ranking import Ranked, Ranking
from tandem.forecast.ranking_runs import track_ranking
from tandem.forecast.rating import Rating, ranked
from tandem.forecast.registered import ModelRegistered
from tandem.forecast.registry import MlflowRegistry
from tandem.forecast.sanity import as_baseline, insane, loss_of, out_of_band
from tandem.forecast.space import params_of
from tandem.forecast.staged import RecipeStaged
from tandem.forecast.trading import trading_metrics, with_record
from tandem.forecast.train import rate_pairs, train_pair, train_pairs
from tandem.forecast.trial.assignment import Assignment, assign
from tandem.forecast.trial.contender import BASELINE, Contender, baseline_of, challenger_of, champion_of
from tandem.forecast.trial.gates import Trials
from tandem.forecast.trial.grades import Grades
from tandem.forecast.trial.promotion import decide, verdict_of
from tandem.forecast.trial.split import compare_split
from tandem.forecast.trial.track import Track
from tandem.forecast.trial.watch import watch
from tandem.forecast.trials import families, training_trials
from tandem.forecast.tune import Heartbeat, Outcome, Search, Tried, finished, outcome, run_trials, take_seat
from tandem.forecast.tuned import Tuned, next_version
from tandem.forecast.tuning_runs import track_tuning
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
