"""The one loop, and the worlds it runs in."""

from tandem.desk.backtest import backtest_desk
from tandem.desk.champions import ModelInForce
from tandem.desk.configuration import (
    ConfiguredPair,
    TradingConfiguration,
    configuration_of,
    fact_key,
    last_configuration,
)
from tandem.desk.desk import Desk
from tandem.desk.history import formation, minutes, training
from tandem.desk.identification import Identification, identify_day, on_record, symbols_of
from tandem.desk.live import alpaca_desk, keys_of, visiting_desk
from tandem.desk.morning import Morning, copy_plan, prepare
from tandem.desk.parity import Difference, compare
from tandem.desk.plan import Plan, Refit, plan_of
from tandem.desk.recycled import Recycled, recycled
from tandem.desk.rehearsal import Rehearsal, in_one_process, through_sockets
from tandem.desk.session import run_session
from tandem.desk.standing import refusal_of
from tandem.desk.tracked import Tracked, tracked_of

__all__ = [
    "ConfiguredPair",
    "Desk",
    "Difference",
    "Identification",
    "ModelInForce",
    "Morning",
    "Plan",
    "Recycled",
    "Refit",
    "Rehearsal",
    "Tracked",
    "TradingConfiguration",
    "alpaca_desk",
    "backtest_desk",
    "compare",
    "configuration_of",
    "copy_plan",
    "fact_key",
    "formation",
    "identify_day",
    "in_one_process",
    "keys_of",
    "last_configuration",
    "minutes",
    "on_record",
    "plan_of",
    "prepare",
    "recycled",
    "refusal_of",
    "run_session",
    "symbols_of",
    "through_sockets",
    "tracked_of",
    "training",
    "visiting_desk",
]
