"""A search for better settings of the model on the pairs of a day."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from os import cpu_count
from threading import Event, Thread
from typing import Final

import msgspec
import numpy as np

from tandem.config import Settings
from tandem.desk.configuration import fact_key
from tandem.desk.identification import Identification
from tandem.desk.training import correlated, pair_bars
from tandem.forecast import (
    Outcome,
    PairBars,
    Search,
    Tuned,
    finished,
    next_version,
    outcome,
    params_of,
    run_trials,
    take_seat,
    track_tuning,
)
from tandem.market import DataError, Pair, Refusal, Session, StoreError
from tandem.screening import Progress, engine_of, slug
from tandem.store import Facts, Record, Store, Tracking

LOOK: Final = 1.0
TRIALS: Final = "trials"


def search_of(
    store: Store,
    session: Session,
    settings: Settings,
    found: Identification,
    sector: str,
    *,
    trials: int,
    pairs: Sequence[Pair] = (),
) -> Search:
    """A search on some pairs of a day; without a choice its selected ones, and then those most surely cointegrated.

    Args:
        found: the day's identification.
        sector: whose recipe is searched.
        trials: to finish.
        pairs: to judge on, instead of that choice.

    Raises:
        DataError: no pair of the sector passed the correlation gate, none has bars enough, or a chosen one has none.
    """
    chosen = list(pairs) or _chosen(store, found, sector)[: settings.tuning.pairs]
    address = store.url if store.server is not None else ""
    bars = tuple(pair_bars(store, session, settings, chosen))
    if pairs:
        _check_bars(store, session, settings, bars)
    search = Search(sector, bars, settings, trials, address=address)
    assert search.steps
    return search


def tune(
    store: Store,
    facts: Facts,
    session: Session,
    search: Search,
    *,
    tracking: Tracking | None = None,
    progress: Progress | None = None,
) -> tuple[Tuned, Outcome, Refusal | None]:
    """Run a search to its end and put on record what it came to; one that was killed goes on.

    Args:
        search: `search_of` the day.
        tracking: MLflow; without it nothing is sent there.
        progress: called with a stage, the trials finished and the trials in all.

    Returns:
        The fact, the trials, and why MLflow knows nothing of it, if it does not.

    Raises:
        ConfigError, StoreError: as the engine that `training.engine` names.
    """
    with _watched(search, store, progress):
        _run(search, store)
    ended = outcome(search, store)
    tuned = _tuned(session, search, ended)
    digest = store.blobs.put(msgspec.json.encode(ended))
    facts.append(Record(tuned, session.day, session.morning, fact_key("tuned", session.day, 1, digest[:12])))
    return tuned, ended, _tracked(tracking, store, facts, session, search, tuned, ended)


def _check_bars(store: Store, session: Session, settings: Settings, bars: Sequence[PairBars]) -> None:
    """A pair that is named and of which there is nothing is a slip; one that is too short is left out."""
    empty, timeframe = [each.pair for each in bars if not len(each)], settings.model.timeframe
    if not empty:
        return
    absent = sorted({symbol for pair in empty for symbol in pair.symbols} - set(store.bars.symbols(timeframe)))
    what = f"there are no {timeframe} bars of {', '.join(absent)}"
    if not absent:
        what = f"the two symbols of {empty[0]} have no {timeframe} bars in common before {session.day}"
    raise DataError(what, "Load some, or name other --pairs")


def _chosen(store: Store, found: Identification, sector: str) -> list[Pair]:
    rows = correlated(store, found, sector)
    table = found.table
    selected = [passport.pair for passport in found.passports if passport.sector.casefold() == sector.casefold()]
    surest = [table.pair(row) for row in np.array(rows)[np.argsort(table.pvalue[rows], kind="stable")].tolist()]
    return list(dict.fromkeys([*selected, *surest]))


def _run(search: Search, store: Store) -> None:
    where = search.settings.training
    if where.engine == "local":
        run_trials(search, store)
        return
    seats = list(range(where.workers or cpu_count() or 1))
    with engine_of(where.engine, where.workers, search.settings.home) as engine:
        for _ in engine.map(take_seat, replace(search, threads=engine.threads_each), seats):
            pass


def _tuned(session: Session, search: Search, ended: Outcome) -> Tuned:
    recipe, best = search.settings.model, ended.best
    own = ended.tried(params_of(recipe))
    walks = search.walks
    return Tuned(
        session=session.day,
        sector=search.sector,
        study=ended.study,
        pairs=tuple(str(pair) for pair, stages in walks.items() if not isinstance(stages, Refusal)),
        version=next_version(recipe.version),
        params=best.params,
        loss=best.loss,
        own_loss=own.loss if own else None,
        baselines=ended.baselines,
        scores=best.scores,
        trials=len(ended.trials),
        pruned=sum(each.is_pruned for each in ended.trials),
        left_out={str(pair): stages.why for pair, stages in walks.items() if isinstance(stages, Refusal)},
    )


def _tracked(
    tracking: Tracking | None,
    store: Store,
    facts: Facts,
    session: Session,
    search: Search,
    tuned: Tuned,
    ended: Outcome,
) -> Refusal | None:
    if tracking is None:
        return None
    trials = store.ledger.count([slug(tuned.sector)]).trials
    try:
        track_tuning(tracking, session, search.settings, tuned, ended, facts.world, trials)
    except StoreError as error:
        return Refusal("not tracked", str(error), "forecast")
    return None


@contextmanager
def _watched(search: Search, store: Store, progress: Progress | None) -> Iterator[None]:
    """Tell how many trials are finished, whoever runs them."""
    if progress is None:
        yield
        return
    over = Event()

    def look() -> None:
        while not over.wait(LOOK):
            progress(TRIALS, finished(search, store), search.trials)

    watcher = Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
