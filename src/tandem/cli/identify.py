"""`tandem identify`: the pairs of a trading day, and why every other pair is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter, validators

if TYPE_CHECKING:
    from rich.console import Console

    from tandem.config import Settings
    from tandem.desk import Identification
    from tandem.market import Session, World
    from tandem.screening import Progress
    from tandem.store import Facts, Store

Count = Annotated[int, Parameter(validator=validators.Number(gte=1))]
Names = Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())]
Switch = Annotated[bool, Parameter(negative=())]
NEXT: Final = (
    ("tandem identify --refusals", "refused pairs, nearest misses first; or of a GATE, a SYMBOL or a PAIR"),
    ("tandem trade --dry-run", "the session's signals and orders; nothing is sent"),
)


def identify(
    *,
    session: date | None = None,
    sector: Annotated[list[str] | None, Parameter(negative=())] = None,
    all_sectors: Switch = False,
    across_sectors: bool | None = None,
    timeframe: str | None = None,
    formation_days: int | None = None,
    min_bars: int | None = None,
    engine: str | None = None,
    threads: int | None = None,
    world: str = "",
    dry_run: Switch = False,
    refusals: Names = None,
    json: Switch = False,
    top: Count = 20,
) -> None:
    """Find the pairs of a trading day from the stored bars before it, and record what it may trade.

    Data, correlation and cointegration, GARCH, selection and ranking, MLflow, trading configuration: `tandem trade`
    goes on from there. The same bars and settings change nothing; others make the next version of the day.

    Parameters
    ----------
    session
        The trading day, as 2023-01-27; without it the one after the newest stored bar.
    sector
        Screen this sector instead of those in the settings; may be given several times.
    all_sectors
        Screen every sector that has symbols.
    across_sectors
        Also pair symbols of different sectors.
    timeframe
        Length of the bars, as 1Hour.
    formation_days
        Sessions to look back on.
    min_bars
        Completed bars that both legs must share.
    engine
        Where the work is done: local, dask, or dask://HOST:PORT.
    threads
        How many at once; all cores without it.
    world
        Which account and timeline, as paper-3; without it the one that `tandem trade` would use.
    dry_run
        Record nothing.
    refusals
        Also list refused pairs with their reasons: the nearest misses, or those of a GATE, a SYMBOL or a PAIR.
    json
        Print one JSON document instead of tables.
    top
        How many rows each list has.
    """
    from rich.console import Console

    from tandem.cli.opening import open_store
    from tandem.config import load

    options = {
        "screen.across_sectors": across_sectors,
        "screen.formation_days": formation_days,
        "screen.min_bars": min_bars,
        "screen.engine": engine,
        "screen.threads": threads,
        "model.timeframe": timeframe,
    }
    console = Console(highlight=False)
    with open_store() as store:
        settings = load(options=options | {"sectors.active": _sectors(store, sector, all_sectors)})
        found = _identified(store, settings, session, world, dry_run=dry_run, quiet=json)
    if json:
        _print_document(found, top, refusals or [])
        return
    _print_page(console, found, settings, refusals, top, dry_run=dry_run)


def _sectors(store: "Store", named: list[str] | None, everything: bool) -> list[str] | None:
    """What the command says of sectors; None where it says nothing."""
    from tandem.market import DataError

    if not (named or everything):
        return None
    known = sorted(set(store.sectors.all()["sector"]))
    if not known:
        raise DataError("no symbol has a sector yet", "Run `tandem data load samples`, or `tandem sectors import FILE`")
    if everything:
        return known
    asked = [name.strip().lower() for name in named or []]
    if unknown := [name for name in asked if name not in known]:
        raise DataError(f"no symbols in the sector {unknown[0]}", f"Known sectors: {', '.join(known)}")
    return asked


def _identified(
    store: "Store", settings: "Settings", day: date | None, world: str, *, dry_run: bool, quiet: bool
) -> "Identification":
    from tandem.desk import identify_day
    from tandem.store import Tracking

    asked = _session(store, day, settings)
    facts = store.facts(_world(store, settings, world)) if not dry_run else _facts_to_read(store, settings, world)
    tracking = None if dry_run else Tracking(store.database("mlflow_db"), settings.home.expanduser() / "artifacts")
    with _progress(quiet) as progress:
        found = identify_day(store, facts, asked, settings, tracking=tracking, record=not dry_run, progress=progress)
    _check_bars(found, settings)
    return found


def _world(store: "Store", settings: "Settings", name: str) -> "World":
    from tandem.cli.opening import world_to_trade

    return world_to_trade(store, settings, name)


def _facts_to_read(store: "Store", settings: "Settings", name: str) -> "Facts":
    from tandem.cli.opening import newest_world
    from tandem.market import World, WorldKind
    from tandem.store import MemoryFacts

    known = newest_world(store, settings, name)
    return store.facts(known) if known else MemoryFacts(World(WorldKind.SHADOW, 0))


def _session(store: "Store", day: date | None, settings: "Settings") -> "Session":
    from tandem.market import NEW_YORK, Calendar, DataError

    calendar = Calendar()
    if day is None:
        coverage = store.bars.coverage()
        own = coverage.loc[coverage["timeframe"] == str(settings.model.timeframe), "last"]
        if own.empty:
            raise DataError(
                f"no {settings.model.timeframe} bars are stored",
                "Load some with `tandem data load`; see `tandem data list`",
            )
        return calendar.after(own.max().tz_convert(NEW_YORK).date())
    found = calendar.session(day)
    if found is None:
        raise DataError(f"{day} is not a trading day", f"The next one is {calendar.after(day).day}")
    return found


def _check_bars(found: "Identification", settings: "Settings") -> None:
    """A window that is shorter than what every pair needs is a person's mistake, not a finding."""
    from tandem.market import DataError

    needed, most = settings.screen.min_bars, int(found.table.bars.max(initial=0))
    if len(found.table) and not found.funnel.tested and 0 < most < needed:
        days, timeframe = settings.screen.formation_days, settings.model.timeframe
        raise DataError(
            f"{days} sessions of {timeframe} bars hold {most} that two symbols share, screen.min_bars is {needed}",
            "Give more --formation-days, a shorter --timeframe or fewer --min-bars",
        )


@contextmanager
def _progress(quiet: bool) -> "Iterator[Progress | None]":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        tasks: dict[str, object] = {}

        def tell(stage: str, done: int, of: int) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(stage, total=of)
            shown.update(tasks[stage], completed=done, total=of)  # type: ignore[arg-type]

        yield tell


def _print_document(found: "Identification", top: int, asked: list[str]) -> None:
    import msgspec

    from tandem.operations import findings_document

    print(msgspec.json.format(msgspec.json.encode(findings_document(found, top=top, asked=asked))).decode())


def _print_page(
    console: "Console",
    found: "Identification",
    settings: "Settings",
    refusals: list[str] | None,
    top: int,
    *,
    dry_run: bool,
) -> None:
    from tandem.operations import print_findings, print_refusals

    print_findings(found, console, level=settings.screen.max_pvalue, top=top)
    if refusals is not None:
        print_refusals(found, console, asked=refusals, top=top)
    console.print()
    console.print(_where(found, dry_run=dry_run), soft_wrap=True)
    for command, meaning in NEXT:
        if refusals is None or command != NEXT[0][0]:
            console.print(f"  [cyan]{command}[/]  [dim]{meaning}[/]", soft_wrap=True)


def _where(found: "Identification", *, dry_run: bool) -> str:
    made = found.configuration
    if dry_run:
        return "Nothing was recorded."
    said = f"Recorded as version {made.version} of {made.session} in {made.world}."
    if found.untracked:
        return f"{said} [yellow]MLflow knows nothing of it: {found.untracked.why}[/]"
    if not found.runs:
        return said
    first, *others = found.runs.values()
    more = f" and {len(others)} more" if others else ""
    late = ", sent just now" if found.is_sent and not found.is_new else ""
    return f"{said} MLflow run {first}{more}{late}: `tandem mlflow ui`."
