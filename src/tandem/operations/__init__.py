"""What a run came to: the summary, the report and its pictures; and the day's models for whoever asks over HTTP."""

from tandem.operations.dashboard.server import serve_dashboard
from tandem.operations.pictures.evolution import evolution_drawing
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
from tandem.operations.terminal.findings import findings_document, print_findings, print_hints, print_refusals
from tandem.operations.terminal.minute_bars import without_minutes
from tandem.operations.terminal.passport_text import print_passport
from tandem.operations.terminal.printing import print_summary
from tandem.operations.terminal.ranking_table import print_ranking, ranking_csv, ranking_document
from tandem.operations.terminal.tuning_table import print_tuning
from tandem.operations.writing.target import PICTURES, check_target

__all__ = [
    "PICTURES",
    "RecipeStanding",
    "Summary",
    "change_document",
    "check_target",
    "count_backtest",
    "evolution_drawing",
    "figures_of",
    "findings_document",
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
    "serve_dashboard",
    "serve_models",
    "side_by_side",
    "standing_document",
    "standings_of",
    "summarise",
    "without_minutes",
    "write_report",
    "write_summary",
]
