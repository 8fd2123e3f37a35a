"""`tandem tune`: better settings of the model, judged on walk-forward blocks only."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter, validators

if TYPE_CHECKING:
    from tandem.config import Settings
    from tandem.desk import Identification
    from tandem.market import Pair, Session
    from tandem.store import Facts, Store, Tracking

Count = Annotated[int, Parameter(validator=validators.Number(gte=1))]
Names = Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())]
Switch = Annotated[bool, Parameter(negative=())]


def tune(
    *,
    sector: str | None = None,
    trials: Count = 50,
    pairs: Names = None,
    session: date | None = None,
    engine: str | None = None,
    workers: Count | None = None,
    world: str = "",
    json: Switch = False,
    top: Count = 10,
) -> None:
    """Search for better settings of the model and print them as a block for the configuration file.

    Every trial is judged on purged walk-forward blocks before the test block, which nothing looks at. The first trial
    is the recipe as it is. The study is kept: the same command goes on where one was killed, several processes and
    machines may run it at once, and more --trials add to it. Each trial counts in the ledger that deflates Sharpe
    ratios.

    Parameters
    ----------
    sector
        Whose recipe; without it the first of the day's sectors.
    trials
        How many to finish.
    pairs
        Judge on these pairs, as AAPL/NVDA; without it the day's selected ones, then those most surely cointegrated.
    session
        The trading day, as 2023-01-27; without it the one after the newest stored bar.
    engine
        Where trials are run: local, dask, or dask://HOST:PORT.
    workers
        Processes of a cluster on this machine; more than one means --engine dask.
    world
        Which account and timeline, as paper-3; without it the one that `tandem trade` would use.
    json
        Print one JSON document instead of a table.
    top
        How many trials are shown.
    """
    import msgspec
    from rich.console import Console

    from tandem.cli.opening import asked_session, open_store, world_to_identify
    from tandem.cli.progress import progress_of, say_compiling
    from tandem.cli.train import engine_options
    from tandem.config import load
    from tandem.desk import as_identified, search_of
    from tandem.desk import tune as run
    from tandem.operations import print_tuning
    from tandem.store import Tracking

    settings, console = load(options=engine_options(engine, workers)), Console(highlight=False)
    chosen = _pairs(pairs or [])
    with open_store() as store:
        asked = asked_session(store, session, settings)
        facts = store.facts(world_to_identify(store, settings, world))
        tracking = Tracking(store.database("mlflow_db"), settings.home.expanduser() / "artifacts")
        say_compiling()
        with progress_of(json) as progress:
            found = _identification(store, facts, asked, settings, tracking)
            own = sector.strip().lower() if sector else found.configuration.sectors[0]
            like_it = as_identified(settings, found.configuration)
            search = search_of(store, asked, like_it, found, own, trials=trials, pairs=chosen)
            tuned, ended, untracked = run(store, facts, asked, search, tracking=tracking, progress=progress)
        if json:
            document = {**msgspec.to_builtins(tuned), "trials": msgspec.to_builtins(ended)["trials"]}
            print(msgspec.json.format(msgspec.json.encode(document)).decode())
            return
        print_tuning(tuned, ended, console, top=top)
    if untracked is not None:
        console.print(f"[yellow]MLflow knows nothing of it: {untracked.why}[/]", soft_wrap=True)


def _pairs(names: list[str]) -> "list[Pair]":
    from tandem.market import DataError, Pair

    chosen = []
    for name in names:
        first, _, second = name.upper().partition("/")
        if not (first and second and first != second):
            raise DataError(f"{name} is no pair", "Give two symbols, as AAPL/NVDA")
        chosen.append(Pair(*sorted((first, second))))
    return chosen


def _identification(
    store: "Store", facts: "Facts", session: "Session", settings: "Settings", tracking: "Tracking"
) -> "Identification":
    from tandem.desk import configuration_of, identify_day, on_record

    known = configuration_of(facts, session.day)
    return on_record(store, facts, known) if known else identify_day(store, facts, session, settings, tracking=tracking)
