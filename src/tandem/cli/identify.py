"""`tandem identify`: the pairs of a trading day, and why every other pair is none."""

from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from tandem.config import Settings
    from tandem.market import Session
    from tandem.screening import Screen
    from tandem.store import Store


def identify(*, session: date | None = None, refusals: bool = False, json: bool = False) -> None:
    """Find the pairs of a trading day from the stored bars before it; nothing is recorded or traded.

    Parameters
    ----------
    session
        The trading day, as 2023-01-27; without it the one after the newest stored bar.
    refusals
        Also print every refused pair with its reason.
    json
        Print one JSON document instead of tables.
    """
    from tandem.cli.opening import open_store
    from tandem.config import load
    from tandem.screening import identify

    settings = load()
    with open_store() as store:
        symbols = _symbols(store, settings)
        asked = _session(store, session, settings)
        bars = _formation(store, symbols, asked, settings)
        sectors = store.sectors.of(symbols)
    screen = identify(bars, asked, settings, sectors, progress=None if json else _progress())
    if json:
        _print_document(screen)
    else:
        _print_page(screen, settings, refusals=refusals)


def _symbols(store: "Store", settings: "Settings") -> list[str]:
    from tandem.market import DataError

    members = {symbol for sector in settings.sectors.active for symbol in store.sectors.symbols(sector)}
    found = sorted(members & set(store.bars.symbols(settings.model.timeframe)))
    if len(found) < 2:
        raise DataError(
            f"fewer than two symbols of {', '.join(settings.sectors.active)} have {settings.model.timeframe} bars",
            "Load bars with `tandem data load`, or see `tandem sectors list`",
        )
    return found


def _session(store: "Store", day: date | None, settings: "Settings") -> "Session":
    from tandem.market import NEW_YORK, Calendar, DataError

    calendar = Calendar()
    if day is None:
        coverage = store.bars.coverage()
        newest = coverage.loc[coverage["timeframe"] == str(settings.model.timeframe), "last"].max()
        return calendar.after(newest.tz_convert(NEW_YORK).date())
    found = calendar.session(day)
    if found is None:
        raise DataError(f"{day} is not a trading day", f"The next one is {calendar.after(day).day}")
    return found


def _formation(store: "Store", symbols: list[str], session: "Session", settings: "Settings") -> "pd.DataFrame":
    from tandem.market import Calendar, DataError

    timeframe, days = settings.model.timeframe, settings.screen.formation_days
    oldest = Calendar().before(session.day, days)[0]
    first = min(oldest.open, timeframe.start_of(oldest.open))
    bars = store.bars.read(symbols, timeframe, first=first, last=session.morning)
    if bars.empty:
        raise DataError(
            f"no {timeframe} bars in the {days} sessions before {session.day}",
            "See `tandem data list` for what is there",
        )
    return bars


def _progress() -> Any:
    from rich.console import Console

    console = Console(stderr=True)

    def tell(stage: str, done: int, of: int) -> None:
        if console.is_terminal and (done == of or done % 50 == 0):
            console.print(f"{stage}: {done:,} of {of:,}", end="\n" if done == of else "\r")

    return tell


def _print_document(screen: "Screen") -> None:
    import msgspec

    document = msgspec.to_builtins(screen)
    for passport in document["passports"]:
        for series in ("starts", "closes_a", "closes_b"):
            del passport[series]
    print(msgspec.json.format(msgspec.json.encode(document)).decode())


def _print_page(screen: "Screen", settings: "Settings", *, refusals: bool) -> None:
    from rich.console import Console

    console = Console()
    _print_funnel(console, screen, settings)
    _print_selected(console, screen)
    if refusals:
        _print_refusals(console, screen)


def _print_funnel(console: "Console", screen: "Screen", settings: "Settings") -> None:
    from rich.table import Table

    table = Table(title=f"Pairs for {screen.session}")
    table.add_column("gate")
    table.add_column("left", justify="right")
    for step in screen.funnel.steps:
        table.add_row(step.gate, f"{step.left:,}")
    console.print(table)
    funnel, level = screen.funnel, settings.screen.max_pvalue
    console.print(
        f"{funnel.tested:,} pairs were tested and {funnel.passing:,} have p < {level:g}; luck alone gives "
        f"{funnel.expected_by_chance:.1f} nominally, {funnel.simulated_null.passing:.1f} +- "
        f"{funnel.simulated_null.standard_error:.1f} on simulated walks."
    )


def _print_selected(console: "Console", screen: "Screen") -> None:
    from rich.table import Table

    if not screen.passports:
        console.print("No pair passed every gate.")
        return
    table = Table(title="Selected")
    headings = (
        "pair",
        "score",
        "p",
        "q (BH)",
        "half-life",
        "hedge",
        "correlation",
        "fit",
        "volatility",
        "trading",
        "residuals",
    )
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "pair" else "right")
    for one in screen.passports:
        score = one.score
        figures = (one.pvalue, one.q_bh, one.half_life, one.hedge_ratio, one.correlation_prices)
        parts = (score.fit, score.volatility, score.trading, score.diagnostics)
        cells = [f"{value:.3f}" for value in (score.total, *figures, *parts)]
        table.add_row(str(one.pair), *cells)
    console.print(table)
    for one in screen.passports:
        for note in one.score.notes:
            console.print(f"{one.pair}: {note}")


def _print_refusals(console: "Console", screen: "Screen") -> None:
    from rich.table import Table

    table = Table(title="Refused")
    for heading in ("pair", "gate", "why"):
        table.add_column(heading)
    for refused in screen.refusals:
        table.add_row(str(refused.pair), refused.refusal.reason, refused.refusal.why)
    console.print(table)
