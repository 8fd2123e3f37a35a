"""The one loop, and the worlds it runs in."""

from tandem.desk.backtest import backtest_desk
from tandem.desk.desk import Desk
from tandem.desk.history import formation, minutes, training
from tandem.desk.live import alpaca_desk, keys_of, visiting_desk
from tandem.desk.morning import Morning, copy_plan, prepare, symbols_of
from tandem.desk.parity import Difference, compare
from tandem.desk.plan import Plan, plan_of
from tandem.desk.recycled import Recycled, recycled
from tandem.desk.rehearsal import Rehearsal, in_one_process, through_sockets
from tandem.desk.session import run_session

__all__ = [
    "Desk",
    "Difference",
    "Morning",
    "Plan",
    "Recycled",
    "Rehearsal",
    "alpaca_desk",
    "backtest_desk",
    "compare",
    "copy_plan",
    "formation",
    "in_one_process",
    "keys_of",
    "minutes",
    "plan_of",
    "prepare",
    "recycled",
    "run_session",
    "symbols_of",
    "through_sockets",
    "training",
    "visiting_desk",
]
