"""`tandem identify`: the pairs of a trading day, and why every other pair is none."""

from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    from tandem.desk import formation, symbols_of
    from tandem.screening import identify

    settings = load()
    with open_store() as store:
        symbols = symbols_of(store, settings)
        asked = _session(store, session, settings)
        bars = formation(store, symbols, asked, settings)
        sectors = store.sectors.of(symbols)
    screen = identify(bars, asked, settings, sectors, progress=None if json else _progress())
    if json:
        _print_document(screen)
    else:
        _print_page(screen, settings, refusals=refusals)


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


def _progress() -> Any:
    from rich.console import Console

    console = Console(stderr=True)

    def tell(stage: str, done: int, of: int) -> None:
        if console.is_terminal and (done == of or done % 50 == 0):
            console.print(f"{stage}: {done:,} of {of:,}", end="\n" if done == of else "\r")

    return tell


def _print_document(screen: "Screen") -> None:
    import msgspec

    found = {"session": screen.session, "passports": screen.passports, "refusals": list(screen.refusals)}
    document = msgspec.to_builtins({**found, "symbols_refused": screen.symbols_refused, "funnel": screen.funnel})
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
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    if not screen.passports:
        first = screen.refusals[0].refusal if screen.refusals else None
        example = f" The first was refused at {first.reason}: {first.why}." if first else ""
        console.print(f"No pair passed every gate.{example} `tandem identify --refusals` lists them all.")
        return
    table = Table(title="Selected", box=SIMPLE_HEAD, padding=(0, 1))
    headings = ("pair", "score", "p", "q", "half-life", "hedge", "corr.", "fit", "vol.", "trading", "resid.")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "pair" else "right", no_wrap=True)
    for one in screen.passports:
        score = one.score
        figures = (one.pvalue, one.q_bh, one.half_life, one.hedge_ratio, one.correlation_prices)
        parts = (score.fit, score.volatility, score.trading, score.diagnostics)
        cells = [f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}" for value in (score.total, *figures, *parts)]
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
