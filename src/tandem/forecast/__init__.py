"""The model of one pair: features, GRU, baselines, calibration, training and the registry."""

from tandem.forecast.calibration import Calibration, Confidence
from tandem.forecast.evidence import Evidence
from tandem.forecast.features import Features, features
from tandem.forecast.labels import horizon_of, labels, reverts, toward
from tandem.forecast.model import Forecast, PairModel
from tandem.forecast.registered import ModelRegistered
from tandem.forecast.registry import MlflowRegistry
from tandem.forecast.train import train_pair
from tandem.forecast.trial.assignment import Assignment, assign
from tandem.forecast.trial.gates import Trials
from tandem.forecast.trial.grades import Grades
from tandem.forecast.trial.promotion import decide, verdict_of
from tandem.forecast.trial.recipe import BASELINE, Recipe, baseline_of, challenger_of, champion_of
from tandem.forecast.trial.split import compare_split
from tandem.forecast.trial.track import Track
from tandem.forecast.trial.watch import watch
from tandem.forecast.verdict import Verdict

__all__ = [
    "BASELINE",
    "Assignment",
    "Calibration",
    "Confidence",
    "Evidence",
    "Features",
    "Forecast",
    "Grades",
    "MlflowRegistry",
    "ModelRegistered",
    "PairModel",
    "Recipe",
    "Track",
    "Trials",
    "Verdict",
    "assign",
    "baseline_of",
    "challenger_of",
    "champion_of",
    "compare_split",
    "decide",
    "features",
    "horizon_of",
    "labels",
    "reverts",
    "toward",
    "train_pair",
    "verdict_of",
    "watch",
]
