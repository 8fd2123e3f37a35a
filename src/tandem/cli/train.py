"""`tandem train`: models of a trading day's pairs, or of every pair that moves together."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, validators

if TYPE_CHECKING:
    from rich.console import Console

    from tandem.config import Settings
    from tandem.desk import RankedDay
    from tandem.forecast import Ranking
    from tandem.market import Session
    from tandem.store import Facts, Store

Count = Annotated[int, Parameter(validator=validators.Number(gte=1))]
Switch = Annotated[bool, Parameter(negative=())]


def train(
    *,
    session: date | None = None,
    all: Switch = False,
    sector: str | None = None,
    limit: Count | None = None,
    engine: str | None = None,
    workers: Count | None = None,
    world: str = "",
    json: Switch = False,
    csv: Path | None = None,
    top: Count = 20,
) -> None:
    """Train a model for each pair that a trading day may enter, as its morning does, and record the day's plan.

    With --all every pair that passed the correlation gate is trained and judged, and all are ranked: the baseline
    that a selection has to beat. None of them is traded by it. A training that was killed goes on where it was.

    Parameters
    ----------
    session
        The trading day, as 2023-01-27; without it the one after the newest stored bar.
    all
        Train every pair that passed the correlation gate, and rank them.
    sector
        With --all: only this sector.
    limit
        With --all: no more pairs of a sector than that, the strongest correlations first.
    engine
        Where the work is done: local, dask, or dask://HOST:PORT.
    workers
        Processes of a cluster on this machine; more than one means --engine dask.
    world
        Which account and timeline, as paper-3; without it the one that `tandem trade` would use.
    json
        Print one JSON document instead of tables.
    csv
        Also write every pair with all its figures to this file.
    top
        How many rows the table has.
    """
    from rich.console import Console

    from tandem.cli.opening import asked_session, open_store, world_to_identify
    from tandem.config import load
    from tandem.market import ConfigError

    if (sector or limit) and not all:
        raise ConfigError("--sector and --limit choose among all pairs", "Give --all too")
    settings, console = load(options=engine_options(engine, workers)), Console(highlight=False)
    with open_store() as store:
        asked = asked_session(store, session, settings)
        facts = store.facts(world_to_identify(store, settings, world))
        if all:
            days = _ranked(store, facts, asked, settings, sector, limit, quiet=json)
            rankings = {day.fact.sector: day.ranking for day in days}
            notes = {day.fact.sector: _notes(day) for day in days}
        else:
            rankings = _trained(store, facts, asked, settings, quiet=json)
            notes = {name: [_counted(store, name)] for name in rankings}
        if csv is not None:
            _write(csv, rankings)
        if json:
            _print_document(asked, str(facts.world), settings, rankings)
            return
        _print_page(console, asked, str(facts.world), settings, rankings, notes, top)


def engine_options(engine: str | None, workers: int | None) -> dict[str, object]:
    """What a command line says of where models are trained, as settings.

    Raises:
        ConfigError: it counts the processes of a cluster that it does not start.
    """
    from tandem.market import ConfigError

    if engine == "local" and workers is not None and workers > 1:
        raise ConfigError(
            f"--workers {workers} are processes of a cluster, and --engine local has none",
            "Leave --workers out, or take --engine dask",
        )
    if engine is not None and "://" in engine and workers is not None:
        raise ConfigError(
            f"--workers are processes on this machine, and {engine} has workers of its own",
            "Leave --workers out, or take --engine dask",
        )
    if engine is None and workers is not None and workers > 1:
        engine = "dask"
    return {"training.engine": engine, "training.workers": workers}


def _ranked(
    store: "Store",
    facts: "Facts",
    session: "Session",
    settings: "Settings",
    sector: str | None,
    limit: int | None,
    *,
    quiet: bool,
) -> "list[RankedDay]":
    from tandem.cli.progress import progress_of, say_compiling
    from tandem.desk import as_identified, configuration_of, identify_day, on_record, rank_day
    from tandem.store import Tracking

    tracking = Tracking(store.database("mlflow_db"), settings.home.expanduser() / "artifacts")
    known = configuration_of(facts, session.day)
    say_compiling()
    with progress_of(quiet) as progress:
        if known is not None:
            found = on_record(store, facts, known)
        else:
            found = identify_day(store, facts, session, settings, tracking=tracking, progress=progress)
        like_it = as_identified(settings, found.configuration)
        return [
            rank_day(store, facts, session, like_it, found, name, limit=limit, tracking=tracking, progress=progress)
            for name in ([sector.strip().lower()] if sector else found.configuration.sectors)
        ]


def _trained(
    store: "Store", facts: "Facts", session: "Session", settings: "Settings", *, quiet: bool
) -> "dict[str, Ranking]":
    from tandem.cli.progress import progress_of, say_compiling
    from tandem.desk import plan_of, prepare, registry_of
    from tandem.forecast import PairModel, Ranking, Rating

    registry = registry_of(store, settings)
    say_compiling()
    with progress_of(quiet) as progress:
        prepare(store, facts, session, settings, registry, progress)
    plan = plan_of(facts, session.day)
    assert plan is not None
    models = [PairModel.from_bytes(store.blobs.get(digest)) for digest in plan.models.values()]
    sectors = store.sectors.of(sorted({symbol for model in models for symbol in model.pair.symbols}))
    named = {model.pair: sectors.get(model.pair.a, "") for model in models}
    return {
        name: Ranking.of([Rating.of(model) for model in models if named[model.pair] == name])
        for name in dict.fromkeys(named.values())
    }


def _notes(day: "RankedDay") -> list[str]:
    fact = day.fact
    left_out = (
        f" {fact.left_out:,} of {fact.correlated:,} pairs that passed were left out by --limit."
        if fact.left_out
        else ""
    )
    run = f" MLflow run {day.run}: `tandem mlflow ui`." if day.run else ""
    away = f" [yellow]MLflow knows nothing of it: {day.untracked.why}[/]" if day.untracked else ""
    return [f"{_trials(day.trials, fact.sector)}{left_out}{run}{away}"]


def _counted(store: "Store", sector: str) -> str:
    from tandem.screening import slug

    return _trials(store.ledger.count([slug(sector)]).trials, sector)


def _trials(count: int, sector: str) -> str:
    trials, them = ("trial", "it") if count == 1 else ("trials", "them")
    return f"The ledger has {count:,} {trials} of {sector}; Sharpe ratios are deflated by {them}."


def _write(path: Path, rankings: "Mapping[str, Ranking]") -> None:
    from tandem.market import DataError
    from tandem.operations import ranking_csv

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(ranking_csv(list(rankings.items())), encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}", "Choose another file for --csv") from error


def _print_document(session: "Session", world: str, settings: "Settings", rankings: "Mapping[str, Ranking]") -> None:
    import msgspec

    from tandem.operations import ranking_document

    level = settings.model.evidence_pvalue
    document: dict[str, Any] = {
        "session": str(session.day),
        "world": world,
        "recipe": settings.model.version,
        "sectors": {name: ranking_document(ranking, level) for name, ranking in rankings.items()},
    }
    print(msgspec.json.format(msgspec.json.encode(document)).decode())


def _print_page(
    console: "Console",
    session: "Session",
    world: str,
    settings: "Settings",
    rankings: "Mapping[str, Ranking]",
    notes: Mapping[str, Sequence[str]],
    top: int,
) -> None:
    from tandem.operations import print_ranking

    if not rankings:
        console.print(f"{world}, {session.day}: no pair may be entered; `tandem identify` says why.")
    for name, ranking in rankings.items():
        title = f"{name}, {session.day}, recipe {settings.model.version}, {world}"
        print_ranking(ranking, console, title=title, level=settings.model.evidence_pvalue, top=top)
        for note in notes[name]:
            console.print(note, width=min(console.width, 100), highlight=False)
