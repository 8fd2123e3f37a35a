"""What was earned: key figures, equity, sessions and trades."""

from collections.abc import Iterator

from tandem.operations.pictures.equity import equity_drawing
from tandem.operations.run.chronicle import Chronicle
from tandem.operations.run.roundtrip import LegOfTrade, RoundTrip
from tandem.operations.run.summary import Summary
from tandem.operations.run.wording import (
    clock_time,
    counted,
    dollars,
    moment_text,
    of_measure,
    paid,
    percent,
    plain,
    price_text,
    shares_text,
    weekday,
)
from tandem.operations.writing.markup import Markup, element, join, table
from tandem.operations.writing.page import figure, paragraph, section, toned, under

PARITY = {None: "not compared", True: "alike", False: "they differ"}


def figures_section(summary: Summary) -> Markup:
    """The figures that matter, then the mission's metrics with their definitions."""
    found = _cards(summary)
    cards = (element("div", element("b", value), element("span", name), class_="card") for value, name in found)
    rows = ([element("code", m.name), of_measure(m), under(m.meaning, m.note)] for m in summary.measures)
    metrics = table(["Metric", ">Value", "What it is"], rows, "stack") if summary.fills else ""
    return section("figures", "Key figures", element("div", *cards, class_="cards"), metrics)


def _cards(summary: Summary) -> Iterator[tuple[str, str]]:
    closed = [trade for trade in summary.trades if not trade.is_open]
    won = sum(trade.net > 0 for trade in closed)
    acted = {name: summary.actions.get(name, 0) for name in ("enter_long", "enter_short", "exit", "stop")}
    entries = counted(acted["enter_long"] + acted["enter_short"], "entry", "entries")
    exits = f"{counted(acted['exit'], 'exit')}, {counted(acted['stop'], 'stop')}"
    open_trades = f", {len(summary.open_trades)} still open" if summary.open_trades else ""
    registered = f"{counted(summary.models_registered, 'model of a day', 'models of a day')} registered"
    start = dollars(summary.capital, signed=False)
    yield toned(dollars(summary.net_pnl), float(summary.net_pnl)), f"net P&L, from {start}"
    yield dollars(summary.gross_pnl), "gross P&L, before costs"
    yield paid(summary.gross_pnl, summary.net_pnl), "costs: spread, impact and fees"
    yield percent(summary.max_drawdown), "largest drawdown, of peak equity"
    yield f"{won} of {len(closed)}", f"closed trades that made money after costs{open_trades}"
    yield f"{summary.pairs_selected} of {summary.pairs_tested}", f"pair tests that ended in a plan; {registered}"
    yield f"{summary.signals:,}", f"signals at {counted(summary.decisions, 'decision time')}: {entries}, {exits}"
    yield f"{summary.orders} / {summary.fills}", "orders / fills, one order for each leg"
    yield PARITY[summary.parity], "parity: replay beside backtest"
    yield f"{summary.refusals:,}", "refusals, each with its reason"
    if summary.bars_replayed is not None:
        yield f"{summary.bars_replayed:,}", "1-minute bars replayed"
    if summary.seconds is not None:
        yield f"{summary.seconds:,.0f} s", "run time of the whole"


def equity_section(chronicle: Chronicle, summary: Summary) -> Markup:
    """Equity over the sessions, and each session in a line."""
    caption = (
        "Above: profit and loss since the start in dollars, valued at every decision; net is after costs, gross "
        "before. Below: how far equity stood under its highest value so far, in percent of it. Nights are left out."
    )
    columns = ["Session", ">Net P&L", ">Costs", ">Tested", "Selected", ">In", ">Out", ">Fills", "No trade because"]
    rows = (
        [
            weekday(line.day),
            toned(dollars(line.net), float(line.net)),
            paid(line.gross, line.net),
            str(line.tested),
            ", ".join(map(str, line.selected)) or element("span", "none", class_="soft"),
            str(line.entries),
            str(line.exits),
            str(line.fills),
            element("span", line.without_trade, class_="soft"),
        ]
        for line in summary.days
    )
    drawing = figure(equity_drawing(chronicle), caption) if summary.days else paragraph("No session was traded.")
    return section("equity", "Equity and drawdown", drawing, table(columns, rows, "words"))


def trades_section(summary: Summary) -> Markup:
    """Every round trip with both legs."""
    if not summary.trades:
        return section("trades", "Trades", paragraph("No trade was made."))
    columns = ["Trade", ">Net", ">Gross", ">Costs", "In", "Out", "Legs, and why it ended"]
    note = paragraph(
        "In and out are the decisions, New York time, with the z-score then; orders fill in the next minute. Prices "
        "are averages per share, bars those of the model's timeframe, dollars those of both legs together.",
        class_="note",
    )
    return section("trades", "Trades", note, table(columns, map(_trade, summary.trades), "keep"))


def _trade(trade: RoundTrip) -> list[str]:
    stop = element("span", "stop: ", class_="loss") if trade.stopped else Markup()
    held = counted(trade.bars, "bar")
    out = moment_text(trade.closed_at) if trade.closed_at else "open"
    if trade.closed_at and trade.closed_at.date() == trade.opened_at.date():
        out = clock_time(trade.closed_at)
    return [
        under(str(trade.pair), "long the spread" if trade.direction > 0 else "short the spread"),
        toned(dollars(trade.net), float(trade.net)),
        dollars(trade.gross),
        paid(trade.gross, trade.net),
        under(moment_text(trade.opened_at), f"z {plain(trade.entry_z)}"),
        under(out, f"z {plain(trade.exit_z)}, {held}" if trade.exit_z is not None else held),
        join([*map(_leg, trade.legs), element("span", stop, trade.why_left, class_="sub")]),
    ]


def _leg(leg: LegOfTrade) -> Markup:
    prices = f"{price_text(leg.entry_price)} \u2192 {price_text(leg.exit_price)}"
    return element("div", f"{leg.side} {shares_text(leg.qty)} {leg.symbol} ", element("span", prices, class_="soft"))
