"""`tandem demo`: six trading days on real bars, from the morning's screen to the report."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tandem.cli.shipped import LESS, SYMBOLS
from tandem.market import Calendar, Session, Stopwatch, Timeframe, World, WorldKind, follow_parent

if TYPE_CHECKING:
    from rich.console import Console

    from tandem.config import Settings
    from tandem.desk import Difference, Morning
    from tandem.screening import Screen
    from tandem.store import Facts, Store

SECTOR: Final = "technology"
DAYS: Final = 6
AFTER_MONTH: Final = date(2023, 1, 31)
AFTER_YEAR: Final = date(2010, 8, 23)
LIMITS: Final = (
    "Real 1-minute bars of AAPL, IBM, MSFT and NVDA, January 2023. The shipped month is short, so each morning "
    "screens the seven sessions before in 5-minute bars (default: 45 sessions of hourly bars) and trains on them "
    "with at least 400 data points and up to 15 epochs (defaults: 1,800 and 50). Rule, risk and costs are the "
    "defaults. Six days show that it works, not that it pays."
)


def demo(*, out: Path = Path("var/demo")) -> int:
    """Run whole trading days on real bars, offline, from pairs to report.

    The exit status is 1 where replay and backtest did not trade alike.

    Parameters
    ----------
    out:
        Where the store, the report and the summary go.
    """
    from rich.console import Console

    from tandem.sources import samples
    from tandem.store import Store

    watch, console = Stopwatch(), Console(highlight=False)
    home = out.expanduser().resolve() / "home"
    console.print(f"[bold]Tandem demo[/bold]\n{LIMITS}\n")
    with console.status("starting PostgreSQL and loading the shipped bars"):
        store = Store.open(home)
        samples.load(store)
    console.print(f"[green]store[/green]      PostgreSQL with the shipped bars, in {home}")
    with store, ProcessPoolExecutor(1, get_context("spawn"), follow_parent) as aside:
        yearly = aside.submit(screen_of_a_year, home)
        run = _trade(console, store, settings_of(home), out.resolve())
        differences = _compared(console, store, run, aside, home)
        _close(console, store, run, differences, yearly.result(), out.resolve(), watch)
    return 1 if differences else 0


def settings_of(home: Path) -> "Settings":
    """The defaults, but for the window and the training that a month of bars allows."""
    from tandem.config import Settings

    return Settings.model_validate({**LESS, "home": home})


def sessions() -> list[Session]:
    """The last trading days of the shipped month."""
    return Calendar().before(AFTER_MONTH, DAYS)


def screen_of_a_year(home: Path) -> "Screen":
    """The technology names of the shipped daily file, screened as of the session after its last."""
    from tandem.config import Settings
    from tandem.desk import formation
    from tandem.screening import identify
    from tandem.store import Store

    settings = Settings.model_validate({"screen": {"formation_days": 250}, "model": {"timeframe": Timeframe.DAY_1}})
    session = Calendar().session(AFTER_YEAR)
    assert session is not None
    with Store.open(home) as store:
        symbols = sorted(set(store.sectors.symbols(SECTOR)) & set(store.bars.symbols(Timeframe.DAY_1)))
        bars = formation(store, symbols, session, settings)
        return identify(bars, session, settings, store.sectors.of(symbols))


@dataclass(frozen=True)
class _Run:
    world: World
    settings: "Settings"
    bars: int


def _trade(console: "Console", store: "Store", settings: "Settings", out: Path) -> _Run:
    from tandem.desk import prepare, recycled, run_session
    from tandem.forecast import MlflowRegistry

    world = store.new_world(WorldKind.RECYCLER, "demo")
    facts = store.facts(world)
    registry = MlflowRegistry(store.database("mlflow_db"), out / "artifacts")
    bars = 0
    with recycled(store, world, settings, SYMBOLS, sessions(), facts) as line:
        console.print(f"[green]recycler[/green]   a local Alpaca on {line.url}, in lockstep with the desk ({world})")
        for session in sessions():
            with console.status(f"{session.day}: identifying pairs, training, registering"):
                morning = prepare(store, facts, session, settings, registry)
            _tell_morning(console, session, morning)
            with console.status(f"{session.day}: replaying the session, a decision every five minutes"):
                run_session(line.desk, session)
                bars += line.feed.keep()
            _tell_session(console, facts, session)
    return _Run(world, settings, bars)


def _compared(
    console: "Console", store: "Store", run: _Run, aside: ProcessPoolExecutor, home: Path
) -> "list[Difference]":
    from tandem.desk import Rehearsal, compare, in_one_process

    twin = store.new_world(WorldKind.BACKTEST, f"twin of {run.world}")
    rehearsal = Rehearsal(home, run.settings, SYMBOLS, tuple(s.day for s in sessions()), run.world)
    with console.status("the same sessions in one process, in a world of their own"):
        aside.submit(in_one_process, rehearsal, twin).result()
        differences = compare(store.facts(run.world), store.facts(twin))
    if differences:
        console.print(f"[red]parity[/red]     {len(differences)} differences, first: {differences[0]}")
    else:
        console.print(f"[green]parity[/green]     every signal, order and fill equals the backtest's ({twin})")
    return differences


def _close(
    console: "Console",
    store: "Store",
    run: _Run,
    differences: "list[Difference]",
    yearly: "Screen",
    out: Path,
    watch: Stopwatch,
) -> None:
    from tandem.operations import print_summary, summarise, write_report, write_summary

    facts, same = store.facts(run.world), not differences
    with console.status("writing the report"):
        summary = summarise(store, facts, bars_replayed=run.bars, seconds=watch.seconds, parity=same)
        write_report(
            out / "report.html",
            store,
            facts,
            summary=summary,
            differences=differences,
            yearly=yearly.funnel,
            limits=LIMITS,
        )
    summary = replace(summary, seconds=round(watch.seconds, 1))
    write_summary(out / "summary.json", summary)
    print_summary(summary, console, run.settings.home)
    console.print(f"\n{out / 'report.html'}\n{out / 'summary.json'}")


def _tell_morning(console: "Console", session: Session, morning: "Morning | None") -> None:
    if morning is None:
        return
    names = ", ".join(
        f"{passport.pair} (score {passport.score.total:.2f}, {morning.models[passport.pair].trades_with} trades)"
        for passport in morning.entering
    )
    selected = names or "no pair passes every gate"
    console.print(f"[cyan]{session.day}[/cyan] {morning.plan.tested} pairs tested: {selected}")


def _tell_session(console: "Console", facts: "Facts", session: Session) -> None:
    from tandem.book import Mark
    from tandem.market import Fill, cents
    from tandem.signals import Signal

    marks = facts.read(Mark)
    today = [mark for mark in marks if mark.session == session.day]
    fills, signals = len(facts.read(Fill, session=session.day)), len(facts.read(Signal, session=session.day))
    traded = f"{fills} fills" if fills else "no trade"
    net = cents(today[-1].body.net_pnl)
    console.print(
        f"           {len(today)} decision times, {signals} signals, {traded}; net P&L so far {net:+,} dollars"
    )
