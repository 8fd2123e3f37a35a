"""The desk that runs by itself, and what it came to: summary, report, history, brief; the day's models over HTTP."""

from tandem.operations.alerts.message import trial_message
from tandem.operations.alerts.rules.table import alert_rules
from tandem.operations.alerts.standing import Alert, alerts_of
from tandem.operations.alerts.target import alert_targets
from tandem.operations.alerts.watch import AlertWatch
from tandem.operations.dashboard.server import serve_dashboard
from tandem.operations.facts.flow_done import FlowDone, FlowName
from tandem.operations.facts.process_changed import ProcessChanged
from tandem.operations.flows.serve import do_flow, serve_flows
from tandem.operations.flows.work import Work
from tandem.operations.history.answers import Answer, attribution_history, model_history, pair_history, signal_history
from tandem.operations.history.attributed import attribute_over, record_attribution
from tandem.operations.history.comparison import Comparison, compare_models, compare_pairs, compare_periods
from tandem.operations.history.grading import record_grades
from tandem.operations.housekeeping.backing_up import KeptBackup, kept_backups
from tandem.operations.housekeeping.night import Night
from tandem.operations.housekeeping.tidied import Step, tidy_day
from tandem.operations.lock import only_one
from tandem.operations.logs import configure_logs, secrets_of
from tandem.operations.metrics import Metrics, metrics_route, metrics_text
from tandem.operations.pictures.evolution import evolution_drawing
from tandem.operations.report.brief import Brief, brief_of
from tandem.operations.report.daily import daily_document, weekly_document, write_daily, write_weekly
from tandem.operations.report.report import picture, write_report
from tandem.operations.run.backtested import count_backtest
from tandem.operations.run.recipes import (
    RecipeStanding,
    change_document,
    figures_of,
    side_by_side,
    standing_document,
    standings_of,
)
from tandem.operations.run.summary import Summary, summarise, write_summary
from tandem.operations.serving.server import serve_models
from tandem.operations.supervise.bring_up import DeskProcesses, Replay, end_leftovers, keep_up
from tandem.operations.supervise.roster import Roster, must_be_alone, roster_of
from tandem.operations.terminal.findings import findings_document, print_findings, print_hints, print_refusals
from tandem.operations.terminal.minute_bars import without_minutes
from tandem.operations.terminal.passport_text import print_passport
from tandem.operations.terminal.printing import print_summary
from tandem.operations.terminal.ranking_table import print_ranking, ranking_csv, ranking_document
from tandem.operations.terminal.tuning_table import print_tuning
from tandem.operations.unattended.live_metrics import LiveMetrics, Measured
from tandem.operations.unattended.trading import Venue, trade_days
from tandem.operations.unattended.watchdog import watched
from tandem.operations.writing.target import PICTURES, check_target

__all__ = [
    "PICTURES",
    "Alert",
    "AlertWatch",
    "Answer",
    "Brief",
    "Comparison",
    "DeskProcesses",
    "FlowDone",
    "FlowName",
    "KeptBackup",
    "LiveMetrics",
    "Measured",
    "Metrics",
    "Night",
    "ProcessChanged",
    "RecipeStanding",
    "Replay",
    "Roster",
    "Step",
    "Summary",
    "Venue",
    "Work",
    "alert_rules",
    "alert_targets",
    "alerts_of",
    "attribute_over",
    "attribution_history",
    "brief_of",
    "change_document",
    "check_target",
    "compare_models",
    "compare_pairs",
    "compare_periods",
    "configure_logs",
    "count_backtest",
    "daily_document",
    "do_flow",
    "end_leftovers",
    "evolution_drawing",
    "figures_of",
    "findings_document",
    "keep_up",
    "kept_backups",
    "metrics_route",
    "metrics_text",
    "model_history",
    "must_be_alone",
    "only_one",
    "pair_history",
    "picture",
    "print_findings",
    "print_hints",
    "print_passport",
    "print_ranking",
    "print_refusals",
    "print_summary",
    "print_tuning",
    "ranking_csv",
    "ranking_document",
    "record_attribution",
    "record_grades",
    "roster_of",
    "secrets_of",
    "serve_dashboard",
    "serve_flows",
    "serve_models",
    "side_by_side",
    "signal_history",
    "standing_document",
    "standings_of",
    "summarise",
    "tidy_day",
    "trade_days",
    "trial_message",
    "watched",
    "weekly_document",
    "without_minutes",
    "write_daily",
    "write_report",
    "write_summary",
    "write_weekly",
]
