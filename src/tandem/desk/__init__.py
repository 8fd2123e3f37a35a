"""The one loop, and the worlds it runs in."""

from tandem.desk.backtest import backtest_desk
from tandem.desk.champions import ModelInForce
from tandem.desk.configuration import (
    ConfiguredPair,
    TradingConfiguration,
    as_identified,
    configuration_of,
    fact_key,
    last_configuration,
)
from tandem.desk.contenders import why_no_trial
from tandem.desk.desk import Desk
from tandem.desk.earned import earned
from tandem.desk.evening import close_day, sectors_of
from tandem.desk.graded import Graded, Ungraded, graded, ungraded
from tandem.desk.history import formation, minutes, seen, sessions_needed, training
from tandem.desk.identification import Identification, identify_day, on_record, symbols_of
from tandem.desk.live import alpaca_desk, desk_name, visiting_desk
from tandem.desk.models_of_day import ModelsOfDay, models_of_day
from tandem.desk.morning import Morning, copy_plan, prepare
from tandem.desk.parity import Difference, compare
from tandem.desk.plan import Plan, Refit, plan_of
from tandem.desk.recycled import Recycled, recycled
from tandem.desk.registration import mlflow_lacks, tell_mlflow
from tandem.desk.rehearsal import Rehearsal, in_one_process, through_sockets
from tandem.desk.session import run_session
from tandem.desk.shadow import Shadow, shadow_of, shadow_session
from tandem.desk.standing import refusal_of
from tandem.desk.tracked import Tracked, tracked_of
from tandem.desk.training import RankedDay, pair_bars, rank_day
from tandem.desk.trial import (
    assignments_of,
    record_verdict,
    shadow_day,
    split_of,
    track_of,
    try_challenger,
    watch_champion,
)
from tandem.desk.tuning import search_of, tune
from tandem.desk.worlds import kind_of, newest_of_kind, registry_of, world_named

__all__ = [
    "ConfiguredPair",
    "Desk",
    "Difference",
    "Graded",
    "Identification",
    "ModelInForce",
    "ModelsOfDay",
    "Morning",
    "Plan",
    "RankedDay",
    "Recycled",
    "Refit",
    "Rehearsal",
    "Shadow",
    "Tracked",
    "TradingConfiguration",
    "Ungraded",
    "alpaca_desk",
    "as_identified",
    "assignments_of",
    "backtest_desk",
    "close_day",
    "compare",
    "configuration_of",
    "copy_plan",
    "desk_name",
    "earned",
    "fact_key",
    "formation",
    "graded",
    "identify_day",
    "in_one_process",
    "kind_of",
    "last_configuration",
    "minutes",
    "mlflow_lacks",
    "models_of_day",
    "newest_of_kind",
    "on_record",
    "pair_bars",
    "plan_of",
    "prepare",
    "rank_day",
    "record_verdict",
    "recycled",
    "refusal_of",
    "registry_of",
    "run_session",
    "search_of",
    "sectors_of",
    "seen",
    "sessions_needed",
    "shadow_day",
    "shadow_of",
    "shadow_session",
    "split_of",
    "symbols_of",
    "tell_mlflow",
    "through_sockets",
    "track_of",
    "tracked_of",
    "training",
    "try_challenger",
    "tune",
    "ungraded",
    "visiting_desk",
    "watch_champion",
    "why_no_trial",
    "world_named",
]
