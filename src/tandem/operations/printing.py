"""The summary on a terminal."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tandem.operations.measure import Measure
from tandem.operations.scoreboard import ModelScore
from tandem.operations.summary import Summary
from tandem.operations.wording import (
    clock_time,
    counted,
    dollars,
    moment_text,
    of_measure,
    percent,
    period,
    plain,
    weekday,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH: Final = 100
NEXT: Final = (
    ("tandem report", "this run as a page with pictures"),
    ("tandem parity", "prove that replay and backtest trade alike"),
    ("tandem data load alpaca --sector technology --days 60", "history of your own, with Alpaca keys"),
    ("tandem trade --dry-run", "the next session's signals and orders, nothing sent"),
)


def print_summary(summary: Summary, console: "Console") -> None:
    """Print what a run came to, in 100 columns: money first, then how it came about."""
    width = min(console.width, WIDTH)
    days = [line.day for line in summary.days]
    console.print()
    console.rule(f"[bold]{summary.world}[/]  {period(days)}, {counted(len(days), 'session')}", align="left")
    for line in verdict(summary):
        console.print(line, width=width, highlight=False)
    for table in (_counts(summary), _days(summary), _trades(summary), _models(summary), _measures(summary)):
        if table.row_count:
            console.print()
            console.print(table, width=width)
    console.print()
    console.print("What next", style="bold")
    for command, meaning in NEXT:
        console.print(f"  [bold cyan]{command}[/]  {meaning}", width=width, highlight=False)


def verdict(summary: Summary) -> Iterator[str]:
    """The P&L in words: what was made or lost, and what it proves."""
    if not summary.fills:
        yield "[bold]Nothing was traded[/]: no P&L. The days below say why."
        return
    word = "lost" if summary.net_pnl < 0 else "made" if summary.net_pnl > 0 else "came out even with"
    colour = "red" if summary.net_pnl < 0 else "green"
    share = percent(float(abs(summary.net_pnl) / summary.capital)) if summary.capital else "n/a"
    yield (
        f"[bold {colour}]It {word} {dollars(abs(summary.net_pnl), signed=False)}[/] after costs "
        f"({share} of {dollars(summary.capital, signed=False)}): gross {dollars(summary.gross_pnl)}, "
        f"costs {dollars(summary.costs, signed=False)}. Largest drawdown {percent(summary.max_drawdown)}."
    )
    sessions = len(summary.days)
    if sessions < 63:
        yield f"{counted(sessions, 'session')} prove nothing about profit."
    for trade in summary.open_trades:
        yield (
            f"[yellow]Still open[/]: {trade.pair}, {'long' if trade.direction > 0 else 'short'} the spread "
            f"since {moment_text(trade.opened_at)}, {dollars(trade.net)} at the newest prices."
        )


def _counts(summary: Summary) -> "Table":
    table = _table("", "", "", header=False)
    chosen = {str(pair) for line in summary.days for pair in line.selected}
    names = f": {', '.join(sorted(chosen))}" if chosen else ""
    table.add_row("Pairs", f"{summary.pairs_tested:,} tested", f"{summary.pairs_selected:,} selected{names}")
    reasons = ", ".join(f"{reason} {count:,}" for (_, reason), count in summary.refusals_by_reason.items())
    table.add_row("Refusals", f"{summary.refusals:,}", reasons)
    actions = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in summary.actions.items())
    table.add_row("Signals", f"{summary.signals:,}", f"{actions} at {counted(summary.decisions, 'decision')}")
    bars = "" if summary.bars_replayed is None else f"from {summary.bars_replayed:,} bars replayed"
    table.add_row("Orders", f"{summary.orders:,}", f"{counted(summary.fills, 'fill')} {bars}")
    table.add_row("Models", f"{summary.models_registered:,} registered", _who_trades(summary))
    table.add_row("Parity", _parity(summary), "replay beside backtest, every signal, order and fill")
    return table


def _who_trades(summary: Summary) -> str:
    gru = sum(model.trades_with == "gru" for model in summary.models)
    return (
        f"{counted(len(summary.models), 'pair model')}: the GRU trades {gru}, the baseline {len(summary.models) - gru}"
    )


def _parity(summary: Summary) -> str:
    return {None: "not compared", True: "alike", False: "[red]they differ[/]"}[summary.parity]


def _days(summary: Summary) -> "Table":
    table = _table("Day", ">Tested", "Selected", ">Entries", ">Fills", ">Costs", ">Net", "")
    for line in summary.days:
        table.add_row(
            weekday(line.day),
            str(line.tested),
            ", ".join(map(str, line.selected)) or "none",
            str(line.entries),
            str(line.fills),
            dollars(line.costs, signed=False),
            dollars(line.net),
            f"[dim]no trade: {line.without_trade}[/]" if line.without_trade else "",
        )
    return table


def _trades(summary: Summary) -> "Table":
    table = _table("Trade", "", "In", "Out", ">z in", ">z out", ">Gross", ">Costs", ">Net", "Why it ended")
    for trade in summary.trades:
        table.add_row(
            str(trade.pair),
            "long" if trade.direction > 0 else "short",
            f"{weekday(trade.opened_at.date())} {clock_time(trade.opened_at)}",
            clock_time(trade.closed_at),
            plain(trade.entry_z),
            plain(trade.exit_z) if trade.exit_z is not None else "",
            dollars(trade.gross),
            dollars(trade.costs, signed=False),
            dollars(trade.net),
            ("stop: " if trade.stopped else "") + trade.why_left,
        )
    return table


def _models(summary: Summary) -> "Table":
    table = _table("Model", "Day", ">F1 GRU", ">AR(1)", ">Logistic", ">Always 1", ">Base rate", ">Tests", "Trades with")
    for model in summary.models:
        table.add_row(str(model.pair), weekday(model.day), *_f1(model), f"{model.samples}", model.trades_with)
    return table


def _f1(model: ModelScore) -> list[str]:
    scores = [model.f1(name) for name in ("gru", "ar1", "logistic", "always_one")]
    return [plain(value) for value in (*scores, model.base_rate)]


def _measures(summary: Summary) -> "Table":
    table = _table("Metric", ">Value", "")
    for measure in summary.measures if summary.fills else ():
        table.add_row(measure.name, of_measure(measure), _note(measure))
    return table


def _note(measure: Measure) -> str:
    return f"[dim]{measure.note or measure.meaning}[/]"


def _table(*columns: str, header: bool = True) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_header=header, pad_edge=False, padding=(0, 1), header_style="dim")
    for column in columns:
        table.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left")
    return table
