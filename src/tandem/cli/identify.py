"""`tandem identify`: the pairs of a trading day, and why every other pair is none."""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter, validators

if TYPE_CHECKING:
    from rich.console import Console

    from tandem.config import Settings
    from tandem.desk import Identification, TradingConfiguration
    from tandem.store import Facts, Store

Count = Annotated[int, Parameter(validator=validators.Number(gte=1))]
Names = Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())]
Switch = Annotated[bool, Parameter(negative=())]
# Of the accounts that may have the same day on record.
NEWEST: Final = 20
# What a command line may say of which pairs are screened, and the key of each in the settings.
WHICH: Final = {
    "--sector": "sectors.active",
    "--across-sectors": "screen.across_sectors",
    "--formation-days": "screen.formation_days",
    "--min-bars": "screen.min_bars",
    "--timeframe": "model.timeframe",
}
REFUSALS: Final = ("tandem identify --refusals", "nearest misses, or of a GATE, SYMBOL or PAIR")
PASSPORT: Final = ("tandem identify --passport A/B", "all that is known of a pair")
TRADING: Final = ("tandem trade --dry-run", "signals and orders; nothing is sent")


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
    record: Switch = False,
    dry_run: Switch = False,
    refusals: Names = None,
    passport: str = "",
    json: Switch = False,
    top: Count = 20,
) -> None:
    """Find the pairs of a trading day from the stored bars before it, and record what it may trade.

    Data, correlation and cointegration, GARCH, selection and ranking, MLflow, trading configuration: `tandem trade`
    goes on from there. The same bars and settings change nothing; others make the next version of the day. Options
    that screen other pairs than the settings name are a look, which is not recorded without --record.

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
    record
        Make it the day's trading configuration though the options differ from the settings.
    dry_run
        Record nothing.
    refusals
        Also list refused pairs with their reasons: the nearest misses, or those of a GATE, a SYMBOL or a PAIR.
    passport
        Screen nothing: show what is on record of this pair, as AAPL/NVDA.
    json
        Print one JSON document instead of tables.
    top
        How many rows each list has.
    """
    from rich.console import Console

    from tandem.cli.opening import open_store
    from tandem.config import load
    from tandem.market import ConfigError

    if record and dry_run:
        raise ConfigError("--record and --dry-run contradict each other", "Give one of them")
    console = Console(highlight=False)
    how: dict[str, object] = {"screen.engine": engine, "screen.threads": threads}
    with open_store() as store:
        which: dict[str, object] = {
            "sectors.active": _sectors(store, sector, all_sectors),
            "screen.across_sectors": across_sectors,
            "screen.formation_days": formation_days,
            "screen.min_bars": min_bars,
            "model.timeframe": _timeframe(timeframe),
        }
        settings, usual = load(options=how | which), load(options=how)
        if passport:
            _show_passport(console, store, settings, session, world, passport)
            return
        _check_refusals(store, settings, refusals or [])
        other = [flag for flag, key in WHICH.items() if load(options=how | {key: which[key]}) != usual]
        trial = dry_run or bool(other and not record)
        found = _identified(store, settings, session, world, dry_run=trial, quiet=json)
        if json:
            _print_document(found, top, refusals or [])
            return
        remarks = list(_remarks(store, settings, found, world))
    _print_page(console, found, refusals, top, [_where(found, [] if dry_run or record else other), *remarks])


def _timeframe(text: str | None) -> str | None:
    """As the settings spell it, in whatever case a person does."""
    from tandem.market import Timeframe

    return next((str(known) for known in Timeframe if text and known.casefold() == text.strip().casefold()), text)


def _check_refusals(store: "Store", settings: "Settings", asked: list[str]) -> None:
    """A word that names nothing is told before anything runs."""
    from tandem.desk import symbols_of
    from tandem.screening import check_asked

    symbols = set(symbols_of(store, settings)) if asked else set()
    for name in asked:
        check_asked(name, symbols)


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
    from tandem.cli.opening import asked_session, world_to_identify
    from tandem.cli.progress import progress_of, say_compiling
    from tandem.desk import identify_day
    from tandem.store import Tracking

    asked = asked_session(store, day, settings)
    if dry_run:
        facts, tracking = _facts_to_read(store, settings, world), None
    else:
        facts = store.facts(world_to_identify(store, settings, world))
        tracking = Tracking(store.database("mlflow_db"), settings.home.expanduser() / "artifacts")
    say_compiling()
    with progress_of(quiet) as progress:
        found = identify_day(store, facts, asked, settings, tracking=tracking, record=not dry_run, progress=progress)
    _check_bars(found, settings)
    return found


def _facts_to_read(store: "Store", settings: "Settings", name: str) -> "Facts":
    from tandem.cli.opening import newest_world
    from tandem.market import World, WorldKind
    from tandem.store import MemoryFacts

    known = newest_world(store, settings, name)
    return store.facts(known) if known else MemoryFacts(World(WorldKind.SHADOW, 0))


def _check_bars(found: "Identification", settings: "Settings") -> None:
    """A window that is shorter than what every pair needs is a person's mistake, not a finding."""
    from tandem.market import Calendar, DataError

    needed, most = settings.screen.min_bars, int(found.table.bars.max(initial=0))
    if not len(found.table) or found.funnel.tested or not 0 < most < needed:
        return
    made, days, timeframe = found.configuration, settings.screen.formation_days, settings.model.timeframe
    first = made.window_first.date()
    is_all = first > Calendar().before(made.session, days)[0].day
    more = f"the stored ones begin on {first}, so load more" if is_all else "give more --formation-days"
    raise DataError(
        f"{days} sessions of {timeframe} bars hold {most} that two symbols share, screen.min_bars is {needed}",
        f"{more[0].upper()}{more[1:]}, or take a shorter --timeframe or fewer --min-bars",
    )


def _print_document(found: "Identification", top: int, asked: list[str]) -> None:
    import msgspec

    from tandem.operations import findings_document

    print(msgspec.json.format(msgspec.json.encode(findings_document(found, top=top, asked=asked))).decode())


def _print_page(
    console: "Console", found: "Identification", refusals: list[str] | None, top: int, remarks: list[str]
) -> None:
    from tandem.operations import print_findings, print_hints, print_refusals

    print_findings(found, console, top=top)
    if refusals is not None:
        print_refusals(found, console, asked=refusals, top=top)
    hints = [REFUSALS] if refusals is None else []
    if found.configuration.screen:
        hints += [PASSPORT, TRADING] if found.passports else [TRADING]
    print_hints(console, remarks, hints)


def _where(found: "Identification", other: list[str]) -> str:
    """What became of it.

    Args:
        other: options that differ from the settings and kept it from being recorded.
    """
    made = found.configuration
    if other:
        what = f"{' and '.join(other)} differ{'s' if len(other) == 1 else ''} from the settings"
        return f"Nothing was recorded: {what}. With --record it is the day's trading configuration."
    if not made.screen:
        return "Nothing was recorded."
    said = f"{'Recorded' if found.is_new else 'On record'} as version {made.version} of {made.session} in {made.world}."
    if found.untracked:
        return f"{said} [yellow]MLflow knows nothing of it: {found.untracked.why}[/]"
    if not found.runs:
        return said
    first, *others = found.runs.values()
    more = f" and {len(others)} more" if others else ""
    late = ", sent just now" if found.is_sent and not found.is_new else ""
    return f"{said} MLflow run {first}{more}{late}: `tandem mlflow ui`."


def _remarks(store: "Store", settings: "Settings", found: "Identification", world: str) -> "Iterator[str]":
    """What a person should know of the world it is in, and of the bars to trade it on."""
    from tandem.cli.opening import stranger_of
    from tandem.operations import without_minutes

    made = found.configuration
    if not world and (stranger := stranger_of(store, settings)):
        yield f"Beware: {stranger}; `tandem trade` needs one of this home, on a port of its own."
    if made.screen and (elsewhere := _elsewhere(store, made)):
        yield elsewhere
    if settings.websocket.mode == "recycler":
        symbols = {symbol for passport in found.passports for symbol in passport.pair.symbols}
        if lacking := without_minutes(store, symbols, made.session):
            yield lacking


def _elsewhere(store: "Store", made: "TradingConfiguration") -> str:
    """Which other account of this home has the day on record."""
    from tandem.desk import configuration_of

    kind = made.world.partition("-")[0]
    others = [world for world in store.worlds() if world.kind == kind and str(world) != made.world]
    for world in others[: -NEWEST - 1 : -1]:
        if other := configuration_of(store.facts(world), made.session):
            return f"{world} of this home has {made.session} on record too, version {other.version}: --world {world}."
    return ""


def _show_passport(
    console: "Console", store: "Store", settings: "Settings", day: date | None, world: str, asked: str
) -> None:
    from tandem.cli.opening import world_of
    from tandem.desk import configuration_of, last_configuration
    from tandem.market import DataError, Pair
    from tandem.operations import print_passport

    first, _, second = asked.upper().partition("/")
    if not (first and second and first != second):
        raise DataError(f"{asked} is no pair", "Give two symbols, as AAPL/NVDA")
    facts, pair = store.facts(world_of(store, settings, world)), Pair(*sorted((first, second)))
    made = configuration_of(facts, day) if day else last_configuration(facts, date.max)
    if made is None:
        raise DataError(f"{facts.world} has no identification{f' of {day}' if day else ''}", "Run `tandem identify`")
    print_passport(store, facts, made, pair, console)
