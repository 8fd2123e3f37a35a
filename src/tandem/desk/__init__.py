"""The one loop, and the worlds it runs in."""

from tandem.desk.backtest import backtest_desk
from tandem.desk.desk import Desk
from tandem.desk.morning import Morning, copy_plan, prepare
from tandem.desk.parity import Difference, compare
from tandem.desk.plan import Plan, plan_of
from tandem.desk.session import run_session

__all__ = [
    "Desk",
    "Difference",
    "Morning",
    "Plan",
    "backtest_desk",
    "compare",
    "copy_plan",
    "plan_of",
    "prepare",
    "run_session",
]
