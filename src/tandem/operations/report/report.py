"""The report of a run: one page, made from the facts of its world."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tandem.config import RuleSettings
from tandem.desk import Difference
from tandem.market import NEW_YORK, Calendar, Timeframe, WorldKind
from tandem.operations.pictures.spread import spread_drawing
from tandem.operations.report.money import equity_section, figures_section, trades_section
from tandem.operations.report.mornings import mornings_section, refusals_section
from tandem.operations.report.pairs import models_section, passports_section, spreads_section
from tandem.operations.run.chronicle import Chronicle
from tandem.operations.run.pairday import PairDay, pair_days
from tandem.operations.run.summary import Summary, summary_of
from tandem.operations.run.verdict import proves, still_open, verdict
from tandem.operations.run.wording import bar_length, counted, listed, period
from tandem.operations.writing.markup import Markup, element, table
from tandem.operations.writing.page import page, paragraph, section, toned
from tandem.operations.writing.target import write_whole
from tandem.screening import Funnel
from tandem.store import Facts, Store

CONTENTS: Final = {
    "figures": "Key figures",
    "equity": "Equity",
    "spreads": "Spreads",
    "trades": "Trades",
    "mornings": "Mornings",
    "refusals": "Refusals",
    "passports": "Passports",
    "models": "Models",
    "parity": "Parity",
}
FILLS: Final = {
    WorldKind.LIVE: "Fills are real: orders at Alpaca with real money.",
    WorldKind.PAPER: "Fills are Alpaca's paper fills: real prices, no real order.",
    WorldKind.RECYCLER: "Fills are simulated, at the next minute's open, worsened by half the spread and by impact.",
    WorldKind.BACKTEST: "Fills are simulated, at the next minute's open, worsened by half the spread and by impact.",
    WorldKind.SHADOW: "Orders were meant and not sent.",
}
SOURCES: Final = {
    "simulated": "Prices are simulated: no market ever traded them.",
    "sample": "Prices are the real 1-minute bars that ship with Tandem: AAPL, IBM, MSFT and NVDA of January 2023.",
}
CLOSING: Final = (
    "Nothing on this page comes from elsewhere. Times are New York's. P&L is that of both legs; costs are charged on "
    "each leg. Open positions are valued at the newest prices on record. Not investment advice."
)


def write_report(
    path: Path,
    store: Store,
    facts: Facts,
    *,
    summary: Summary | None = None,
    parity: bool | None = None,
    differences: Sequence[Difference] = (),
    yearly: Funnel | None = None,
    limits: str = "",
    rule: RuleSettings | None = None,
) -> None:
    """Write one self-contained page about a world.

    Args:
        path: of the page; its folder is made.
        store: where models and bars are.
        facts: of the world.
        summary: where one was made already, with what is no fact; else it is made with `parity`.
        parity: whether replay and backtest traded alike; None where they were not compared.
        differences: what they did not do alike.
        yearly: counts of a wider screen to show beside the mornings'.
        limits: what a reader must know of this run, in words.
        rule: the thresholds traded by, for the pictures' bands; the defaults without it.
    """
    chronicle = Chronicle.of(store, facts)
    known = summary or summary_of(chronicle, parity=parity)
    days = pair_days(chronicle, known.trades)
    sections = (
        figures_section(known),
        equity_section(chronicle, known),
        spreads_section(days, rule or RuleSettings()),
        trades_section(known),
        mornings_section(chronicle, yearly),
        refusals_section(chronicle, known),
        passports_section(chronicle, rule or RuleSettings()),
        models_section(chronicle, known),
        _parity(known, differences),
    )
    header = _header(known, [*([limits] if limits else []), *_limits(store, chronicle, known)])
    write_whole(path, page(f"Tandem: {_title(known)}", header, sections, _footer(known)))


def picture(path: Path, store: Store, facts: Facts, *, rule: RuleSettings | None = None) -> Path | None:
    """Write the picture of the pair and session with the most trades; None where no pair was watched.

    Args:
        path: `.png` or `.svg`.
    """
    chronicle = Chronicle.of(store, facts)
    days = pair_days(chronicle, summary_of(chronicle).trades)
    if not days:
        return None
    spread_drawing(max(days, key=_telling), rule or RuleSettings()).save(path)
    return path


def _telling(seen: PairDay) -> tuple[int, int]:
    return len(seen.trades), len(seen.signals)


def _title(summary: Summary) -> str:
    days = [line.day for line in summary.days]
    return f"{counted(len(days), 'session')} of pairs trading, {period(days)}" if days else "a world without a session"


def _header(summary: Summary, limits: Sequence[str]) -> Markup:
    links = (element("a", name, href=f"#{anchor}") for anchor, name in CONTENTS.items())
    return element(
        "header",
        paragraph(f"Tandem report \u00b7 world {summary.world}", class_="kicker"),
        element("h1", _title(summary)),
        element("p", *_verdict(summary), class_="verdict"),
        element("div", *map(paragraph, limits), class_="limits"),
        element("nav", *links),
    )


def _verdict(summary: Summary) -> Iterator[str]:
    said = verdict(summary)
    yield said.before
    yield toned(said.amount, float(summary.net_pnl))
    yield said.after
    yield from (f" {line}" for line in still_open(summary))


def _limits(store: Store, chronicle: Chronicle, summary: Summary) -> Iterator[str]:
    if said := proves(summary):
        yield said
    if source := _source(store, chronicle):
        yield SOURCES[source]
    windows = sorted({_window(passport.starts) for passport in chronicle.passports.values()})
    if windows:
        lengths = listed(sorted({bar_length(passport.timeframe) for passport in chronicle.passports.values()}))
        yield f"Pairs are found on the {listed(map(str, windows))} sessions before, in bars of {lengths}."
    yield FILLS[summary.world.kind]


def _window(starts: Sequence[object]) -> int:
    return len({start.astimezone(NEW_YORK).date() for start in starts})  # type: ignore[attr-defined]


def _source(store: Store, chronicle: Chronicle) -> str:
    symbols = sorted({symbol for _, pair in chronicle.passports for symbol in pair.symbols})
    session = Calendar().session(chronicle.days[-1]) if chronicle.days else None
    if session is None or not symbols:
        return ""
    for source in SOURCES:
        first, last = session.open, session.close
        bars = store.bars.read(symbols, Timeframe.MIN_1, first=first, last=last, source=source, prefer="seen")
        if len(bars):
            return source
    return ""


def _parity(summary: Summary, differences: Sequence[Difference]) -> Markup:
    said = {
        None: "Replay and backtest were not compared for this run; `tandem parity` does it.",
        True: "The same sessions were traded twice, in two worlds: through the recycler's sockets, and in one process "
        "by the backtest. Every signal, refusal, order and fill is the same.",
        False: "The replay and the backtest did not trade alike.",
    }[summary.parity]
    rows = ([difference.what, difference.left, difference.right] for difference in differences[:50])
    listing = table(["What", "This run", "The other"], rows, "words") if differences else ""
    return section("parity", "Parity", paragraph(said), listing)


def _footer(summary: Summary) -> Markup:
    return element("footer", paragraph(f"Made by Tandem from the facts of world {summary.world}. {CLOSING}"))
