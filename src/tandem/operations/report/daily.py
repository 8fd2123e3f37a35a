"""The report of a session or of a week: one page, and the same as a document."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tandem.book import Parts
from tandem.market import NEW_YORK, Calendar, DataError
from tandem.operations.history.attributed import attribute_over
from tandem.operations.history.listing import plain
from tandem.operations.history.pictures import parts_drawing
from tandem.operations.report.sessions import Sessions, TradeLine, sessions_of
from tandem.operations.run.wording import clock_time, counted, dollars, forecaster, listed, moment_text, period, weekday
from tandem.operations.run.wording import plain as number
from tandem.operations.writing.markup import Markup, element, table
from tandem.operations.writing.page import figure, page, paragraph, section, toned, under
from tandem.operations.writing.target import write_whole
from tandem.store import Facts, Store

NOTHING: Final = "Nothing was traded."
MEANING: Final = (
    "Net = spread move + hedge drift \u2212 costs \u2212 borrow. Spread move is what a hedge at the ratio of entry "
    "earned, drift what the shares held earned beside it; open trades stand at the last marks."
)


def write_daily(out: Path, store: Store, facts: Facts, day: date) -> None:
    """Write the page of one session; what nobody has attributed of sessions that are over is attributed first.

    Args:
        store: of the world.
        day: a trading date.

    Raises:
        DataError: the world has nothing on record of that day, or the page cannot be written there.
    """
    write_whole(out, _page(_found(store, facts, [day], str(day)), weekday(day) + f" {day.year}"))


def write_weekly(out: Path, store: Store, facts: Facts, day: date) -> None:
    """Write the page of the ISO week that a day lies in; see `write_daily`."""
    write_whole(out, _page(_week(store, facts, day), _week_name(day)))


def daily_document(store: Store, facts: Facts, day: date) -> dict[str, Any]:
    """The same as plain data: dollars as numbers, times in ISO 8601, UTC.

    Raises:
        DataError: the world has nothing on record of that day.
    """
    return _document(_found(store, facts, [day], str(day)))


def weekly_document(store: Store, facts: Facts, day: date) -> dict[str, Any]:
    """The same of the ISO week that a day lies in."""
    return _document(_week(store, facts, day))


def _week(store: Store, facts: Facts, day: date) -> Sessions:
    monday = day - timedelta(days=day.weekday())
    days = [monday + timedelta(days=n) for n in range(5)]
    return _found(store, facts, [each for each in days if Calendar().session(each)], f"the week of {monday}")


def _week_name(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"Week {week} of {year}"


def _found(store: Store, facts: Facts, days: Iterable[date], of: str) -> Sessions:
    attribute_over(store, facts)
    found = sessions_of(facts, days)
    if not found.days:
        raise DataError(f"{facts.world} has nothing on record of {of}", "`tandem history pairs` says what there is")
    return found


def _document(found: Sessions) -> dict[str, Any]:
    execution = found.execution
    return {
        "world": str(found.world),
        "sessions": [
            {
                "session": line.day.isoformat(),
                "decisions": line.decisions,
                "pairs_tested": line.tested,
                "pairs_selected": line.selected,
                "trades": line.trades,
                "equity": plain(line.equity),
                **_parts(line.parts),
            }
            for line in found.days
        ],
        "total": _parts(found.parts),
        "pairs": [{"pair": line.pair, "trades": line.trades, **_parts(line.parts)} for line in found.pairs],
        "trades": [_trade(line) for line in found.trades],
        "decisions": found.decisions,
        "signals": dict(found.actions),
        "forecasters": dict(found.forecasters),
        "refusals": {f"{by}: {reason}": count for (by, reason), count in found.refusals.items()},
        "execution": {
            "orders": execution.orders,
            "fills": execution.fills,
            "pair_orders": dict(execution.outcomes),
            "turnover": plain(execution.turnover),
            "slippage": plain(execution.slippage),
            "slippage_bps": execution.slippage_bps,
            "fees": plain(execution.fees),
            "leg_gap_seconds_mean": _mean(execution.leg_gaps),
            "leg_gap_seconds_max": max(execution.leg_gaps, default=None),
            "naked_seconds": sum(execution.naked_seconds),
            "naked_seconds_max": max(execution.naked_seconds, default=None),
        },
        "models": [
            {
                "session": line.session.isoformat(),
                "sector": line.sector,
                "recipe": line.recipe,
                "in_force": line.is_in_force,
                "refused": line.refused,
                "why": line.why,
                "figures": dict(line.figures),
            }
            for line in found.models
        ],
        "alerts": [
            {"at": r.at.isoformat(), "severity": r.body.severity, "rule": r.body.rule, "title": r.body.title,
             "text": r.body.text} for r in found.alerts
        ],
        "flows": [
            {"session": r.session.isoformat(), "at": r.at.isoformat(), "flow": str(r.body.flow), "why": r.body.why,
             "data_version": r.body.data_version} for r in found.flows
        ],
    }  # fmt: skip


def _parts(parts: Parts) -> dict[str, Any]:
    names = ("net", "gross", "spread_move", "hedge_drift", "costs", "slippage", "fees", "borrow")
    return {name: plain(getattr(parts, name)) for name in names}


def _trade(line: TradeLine) -> dict[str, Any]:
    return {
        "pair": line.pair,
        "side": "long" if line.direction > 0 else "short",
        "opened_at": line.opened_at.isoformat(),
        "closed_at": plain(line.closed_at),
        "entry_z": line.entry_z,
        "exit_z": line.exit_z,
        "why": line.why,
        **_parts(line.parts),
    }


def _page(found: Sessions, title: str) -> str:
    sections = [_money(found), _trades(found), _decisions(found), _execution(found), _models(found), _told(found)]
    if len(found.days) > 1:
        sections.insert(0, _sessions(found))
    footer = element(
        "footer", paragraph(f"Made by Tandem from the facts of world {found.world}. Times are New York's.")
    )
    return page(f"Tandem: {title}", _header(found, title), sections, footer)


def _header(found: Sessions, title: str) -> Markup:
    parts = found.parts.in_cents
    days = period([line.day for line in found.days])
    return element(
        "header",
        paragraph(f"Tandem \u00b7 world {found.world} \u00b7 {days}", class_="kicker"),
        element("h1", title),
        element("p", *_said(found, parts), class_="verdict"),
    )


def _said(found: Sessions, parts: Parts) -> Iterator[str]:
    if not found.trades:
        yield NOTHING
    else:
        yield "It lost " if parts.net < 0 else "It made "
        yield toned(dollars(abs(parts.net), signed=False), float(parts.net))
        paid = listed(f"{name} {dollars(value, signed=False)}" for name, value in
                      (("costs", parts.costs), ("borrowing", parts.borrow)) if value or name == "costs")  # fmt: skip
        yield f" after costs: gross {dollars(parts.gross)}, {paid}, in {counted(len(found.trades), 'trade')}."
    still = [trade for trade in found.trades if trade.closed_at is None]
    if still:
        yield f" Still open: {listed(trade.pair for trade in still)}."
    equity = next((line.equity for line in reversed(found.days) if line.equity is not None), None)
    if equity is not None:
        yield f" Equity at the last decision {dollars(equity, signed=False)}."
    if found.alerts:
        yield f" {counted(len(found.alerts), 'alert')} raised."


def _sessions(found: Sessions) -> Markup:
    rows = (
        [weekday(line.day), *_dollars(line.parts), str(line.trades), f"{line.selected} of {line.tested}",
         "n/a" if line.equity is None else dollars(line.equity, signed=False)]
        for line in found.days
    )  # fmt: skip
    return section("sessions", "Sessions", table(["Session", *MONEY, ">Trades", ">Pairs", ">Equity"], rows))


MONEY: Final = (">Net", ">Gross", ">Spread move", ">Hedge drift", ">Costs", ">Borrow")


def _dollars(parts: Parts) -> list[str]:
    own = parts.in_cents
    return [
        toned(dollars(own.net), float(own.net)),
        *map(dollars, (own.gross, own.spread_move, own.hedge_drift)),
        dollars(own.costs, signed=False),
        dollars(own.borrow, signed=False),
    ]


def _money(found: Sessions) -> Markup:
    if not found.pairs:
        return section("pairs", "P&L by pair", paragraph(NOTHING))
    ordered = sorted(found.pairs, key=lambda line: -line.parts.net)
    rows = [[line.pair, *_dollars(line.parts)] for line in ordered]
    if len(rows) > 1:
        rows.append(["together", *_dollars(found.parts)])
    picture = figure(parts_drawing("parts", "P&L by its parts", {"all pairs": found.parts}), MEANING)
    return section("pairs", "P&L by pair", table(["Pair", *MONEY], rows), picture)


def _trades(found: Sessions) -> Markup:
    if not found.trades:
        return section("trades", "Trades", paragraph("No trade was held."))
    rows = (
        [under(line.pair, "long the spread" if line.direction > 0 else "short the spread"),
         _moment(line.opened_at, line.entry_z), _moment(line.closed_at, line.exit_z) if line.closed_at else "open",
         *_dollars(line.parts)[:4], element("span", line.why, class_="soft")]
        for line in found.trades
    )  # fmt: skip
    return section("trades", "Trades", table(["Pair", "In", "Out", *MONEY[:4], "Why it ended"], rows, "words"))


def _moment(at: datetime, z: float | None) -> Markup:
    """The day above the time: eight columns have to fit."""
    day = weekday(at.astimezone(NEW_YORK).date())
    return under(day.replace(" ", "\u00a0"), f"{clock_time(at)}, z\u00a0{number(z)}".replace(" ", "\u00a0"))


def _decisions(found: Sessions) -> Markup:
    said = listed(f"{name} {count:,}" for name, count in found.actions.items()) or "no signal"
    by = listed(f"{forecaster(name)} {count:,}" for name, count in found.forecasters.items())
    line = paragraph(
        f"{counted(found.decisions, 'decision time')}; signals: {said}.{f' Forecast by: {by}.' if by else ''}"
    )
    if not found.refusals:
        return section("decisions", "Signals and refusals", line, paragraph("Nothing was refused."))
    rows = ([reason, by, f"{count:,}"] for (by, reason), count in found.refusals.items())
    return section("decisions", "Signals and refusals", line, table(["Refused for", "By", ">Count"], rows))


def _execution(found: Sessions) -> Markup:
    own, parts = found.execution, found.parts.in_cents
    if not own.fills and not own.outcomes:
        return section("execution", "Execution", paragraph("No order was sent."))
    outcomes = listed(f"{count} {name}" for name, count in own.outcomes.items())
    rows = [
        ["Two-leg orders", outcomes, f"{counted(own.orders, 'order')} sent, {counted(own.fills, 'fill')}"],
        ["Slippage", dollars(parts.slippage, signed=False), f"{number(own.slippage_bps)} bps of "
         f"{dollars(own.turnover, signed=False)} traded, against the open of the minute; fees "
         f"{dollars(parts.fees, signed=False)}"],
        ["Leg timing", f"{number(_mean(own.leg_gaps), 1)} s", "mean between the last fills of both legs; longest "
         f"{number(max(own.leg_gaps, default=None), 1)} s"],
        ["Naked exposure", f"{sum(own.naked_seconds):,.0f} s", "in which one leg stood further than the other; "
         f"longest {number(max(own.naked_seconds, default=None), 0)} s"],
    ]  # fmt: skip
    return section("execution", "Execution", table(["What", ">Came to", "Of that"], rows, "words"))


def _models(found: Sessions) -> Markup:
    if not found.models:
        return section("models", "Models", paragraph("No model was fitted."))
    rows = (
        [weekday(line.session), line.sector, line.recipe, "Production" if line.is_in_force else "not in use",
         *(number(line.figures.get(name), 3) for name in ("f1_score", "base_rate", "mcc", "mcc_ar1", "log_loss",
                                                          "log_loss_ar1")),
         element("span", line.refused or line.why, class_="soft")]
        for line in found.models
    )  # fmt: skip
    note = paragraph(
        "Test block, means over the sector's pairs. Base rate, and AR(1) beside each figure, are the baselines; loss "
        "is log loss in nats, less is better.",
        class_="note",
    )
    columns = ["Session", "Sector", "Recipe", "Stands in", ">F1", ">Base", ">MCC", ">AR(1)", ">Loss", ">AR(1)", "Why"]
    return section("models", "Models beside baselines", note, table(columns, rows, "words"))


def _told(found: Sessions) -> Markup:
    alerts = ([moment_text(r.at), r.body.severity, r.body.title, r.body.text] for r in found.alerts)
    flows = ([f"{weekday(r.session)} {clock_time(r.at)}", str(r.body.flow), r.body.why] for r in found.flows)
    return section(
        "told",
        "Alerts and flows",
        table(["At", "Severity", "Alert", "Text"], alerts, "words")
        if found.alerts
        else paragraph("No alert was raised."),
        table(["Session", "Flow", "What came of it"], flows, "words")
        if found.flows
        else paragraph("No flow is on record."),
    )


def _mean(values: tuple[float, ...]) -> float | None:
    return sum(values) / len(values) if values else None
