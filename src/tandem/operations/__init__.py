"""What a run came to: the summary, the report and its pictures; and the day's models for whoever asks over HTTP."""

from tandem.operations.findings import findings_document, print_findings, print_hints, print_refusals
from tandem.operations.minute_bars import without_minutes
from tandem.operations.passport_text import print_passport
from tandem.operations.printing import print_summary
from tandem.operations.report import picture, write_report
from tandem.operations.serving.server import serve_models
from tandem.operations.summary import Summary, summarise, write_summary

__all__ = [
    "Summary",
    "findings_document",
    "picture",
    "print_findings",
    "print_hints",
    "print_passport",
    "print_refusals",
    "print_summary",
    "serve_models",
    "summarise",
    "without_minutes",
    "write_report",
    "write_summary",
]
