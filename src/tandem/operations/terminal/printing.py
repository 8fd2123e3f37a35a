"""The summary on a terminal."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tandem.operations.run.roundtrip import RoundTrip
from tandem.operations.run.scoreboard import ModelScore
from tandem.operations.run.summary import Summary
from tandem.operations.run.verdict import proves, still_open, verdict
from tandem.operations.run.wording import (
    clock_time,
    counted,
    dollars,
    moment_text,
    of_measure,
    paid,
    period,
    plain,
    weekday,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH: Final = 100
ROOMY: Final = 96
NEXT: Final = (
    ("tandem report", "this run as a page with pictures"),
    ("tandem parity", "prove that replay and backtest trade alike"),
    ("tandem data load alpaca --sector technology --days 60", "history of your own; needs Alpaca keys"),
    ("tandem trade --dry-run", "the next session's signals and orders, nothing sent"),
)
ACTIONS: Final = ("enter_long", "enter_short", "exit", "stop", "hold")
PARITY: Final = {None: "not compared", True: "alike", False: "[red]they differ[/]"}


def print_summary(summary: Summary, console: "Console", home: Path | None = None) -> None:
    """Print what a run came to, in 100 columns: money first, then how it came about, then what next.

    Args:
        summary: of the run.
        console: where to print.
        home: of the store, where it is not the one that commands use by themselves.
    """
    width = min(console.width, WIDTH)
    days = [line.day for line in summary.days]
    console.print()
    title = f"[bold]{period(days)}[/]  {counted(len(days), 'session')}, world {summary.world}"
    console.print(title, width=width, highlight=False)
    _print_verdict(summary, console, width)
    trades = _trades(summary, gross=width >= ROOMY)
    for table in (_counts(summary), _days(summary), trades, _models(summary), _measures(summary)):
        if table.row_count:
            console.print()
            console.print(table, width=width, highlight=False)
    console.print("\nWhat next", style="bold")
    console.print(_next(home), width=width, highlight=False)


def _print_verdict(summary: Summary, console: "Console", width: int) -> None:
    said = verdict(summary)
    colour = "red" if summary.net_pnl < 0 else "green" if summary.net_pnl > 0 else "default"
    first = f"{said.before}[bold {colour}]{said.amount}[/]{said.after}"
    for line in (first, *(f"[yellow]{text}[/]" for text in still_open(summary)), proves(summary)):
        if line:
            console.print(line, width=width, highlight=False)


def _next(home: Path | None) -> "Table":
    table = _table("What next", "", header=False)
    for command, meaning in NEXT:
        prefix = f"TANDEM_HOME={home} " if home and command == NEXT[0][0] else ""
        table.add_row(f"  [cyan]{prefix}{command}[/]", f"[dim]{meaning}[/]")
    return table


def _counts(summary: Summary) -> "Table":
    table = _table("", ">", "", header=False)
    chosen = sorted({str(pair) for line in summary.days for pair in line.selected})
    selected = f"tested, {summary.pairs_selected:,} selected{': ' if chosen else ''}{', '.join(chosen)}"
    reasons = ", ".join(f"{reason} {count:,}" for (_, reason), count in summary.refusals_by_reason.items())
    actions = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name in ACTIONS if (n := summary.actions.get(name, 0)))
    bars = "" if summary.bars_replayed is None else f" ({summary.bars_replayed:,} 1-minute bars replayed)"
    table.add_row("Pairs", f"{summary.pairs_tested:,}", selected)
    table.add_row("Refusals", f"{summary.refusals:,}", reasons)
    table.add_row("Decision times", f"{summary.decisions:,}", f"every five minutes of market time{bars}")
    table.add_row("Signals", f"{summary.signals:,}", actions)
    table.add_row("Orders", f"{summary.orders:,}", counted(summary.fills, "fill"))
    table.add_row("Models", f"{len(summary.models):,}", _who_trades(summary))
    table.add_row("Parity", "", f"replay beside backtest: {PARITY[summary.parity]}")
    return table


def _who_trades(summary: Summary) -> str:
    gru = sum(model.trades_with == "gru" for model in summary.models)
    days = counted(summary.models_registered, "model of a day", "models of a day")
    return f"of pairs; {days} registered; the GRU trades {gru}, the baseline {len(summary.models) - gru}"


def _days(summary: Summary) -> "Table":
    table = _table("Session", "Selected", ">In", ">Fills", ">Costs", ">Net", "")
    for line in summary.days:
        table.add_row(
            weekday(line.day),
            ", ".join(map(str, line.selected)) or "[dim]none[/]",
            str(line.entries),
            str(line.fills),
            paid(line.gross, line.net),
            dollars(line.net),
            f"[dim]{line.without_trade}[/]",
        )
    return table


def _trades(summary: Summary, *, gross: bool) -> "Table":
    amounts = (">Gross", ">Costs", ">Net") if gross else (">Costs", ">Net")
    table = _table("Trade", "Side", "In and out, New York", ">z in", ">z out", *amounts, "Left")
    for trade in summary.trades:
        table.add_row(
            str(trade.pair),
            "long" if trade.direction > 0 else "short",
            f"{moment_text(trade.opened_at)}\u2013{_until(trade)}",
            plain(trade.entry_z),
            plain(trade.exit_z) if trade.exit_z is not None else "",
            *([dollars(trade.gross)] if gross else []),
            paid(trade.gross, trade.net),
            dollars(trade.net),
            "open" if trade.is_open else "stop" if trade.stopped else "exit",
        )
    return table


def _until(trade: RoundTrip) -> str:
    if trade.closed_at is None:
        return "open"
    same_day = trade.closed_at.date() == trade.opened_at.date()
    return clock_time(trade.closed_at) if same_day else moment_text(trade.closed_at)


def _models(summary: Summary) -> "Table":
    columns = (">GRU", ">AR(1)", ">Logit", ">Always 1", ">Base", ">Tests")
    table = _table("F1, test", "Session", *columns, "Trades")
    for model in summary.models:
        table.add_row(str(model.pair), weekday(model.day), *_f1(model), f"{model.samples}", model.trades_with)
    return table


def _f1(model: ModelScore) -> list[str]:
    scores = [model.f1(name) for name in ("gru", "ar1", "logistic", "always_one")]
    return [plain(value) for value in (*scores, model.base_rate)]


def _measures(summary: Summary) -> "Table":
    table = _table("Metric", ">Value", "")
    for measure in summary.measures if summary.fills else ():
        table.add_row(measure.name, of_measure(measure), f"[dim]{measure.note or measure.meaning}[/]")
    return table


def _table(*columns: str, header: bool = True) -> "Table":
    from rich.table import Table

    table = Table(box=None, show_header=header, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim underline")
    for column in columns:
        table.add_column(
            column.removeprefix(">"),
            justify="right" if column.startswith(">") else "left",
            no_wrap=column not in ("", ">"),
        )
    return table
