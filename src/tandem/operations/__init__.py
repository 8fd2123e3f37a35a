"""What a run came to: the summary, the report and its pictures; and the day's models for whoever asks over HTTP."""

from tandem.operations.backtested import count_backtest
from tandem.operations.evolution_picture import evolution_drawing
from tandem.operations.findings import findings_document, print_findings, print_hints, print_refusals
from tandem.operations.minute_bars import without_minutes
from tandem.operations.passport_text import print_passport
from tandem.operations.printing import print_summary
from tandem.operations.ranking_table import print_ranking, ranking_csv, ranking_document
from tandem.operations.recipes import (
    RecipeStanding,
    change_document,
    figures_of,
    side_by_side,
    standing_document,
    standings_of,
)
from tandem.operations.report import picture, write_report
from tandem.operations.serving.server import serve_models
from tandem.operations.summary import Summary, summarise, write_summary
from tandem.operations.target import PICTURES, check_target
from tandem.operations.tuning_table import print_tuning

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
    "serve_models",
    "side_by_side",
    "standing_document",
    "standings_of",
    "summarise",
    "without_minutes",
    "write_report",
    "write_summary",
]
