"""The models of a day's pairs: of those that may be entered, and of all that move together."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Final

from tandem.config import Settings
from tandem.desk.configuration import TradingConfiguration, fact_key
from tandem.desk.history import training
from tandem.desk.identification import Identification
from tandem.forecast import (
    PairBars,
    PairModel,
    Ranked,
    Ranking,
    Training,
    track_ranking,
    training_trials,
    with_record,
)
from tandem.market import DataError, Pair, Refusal, Session, StoreError
from tandem.screening import Passport, Progress, engine_of, slug
from tandem.store import Facts, Record, Store, Tracking

NO_NETWORK: Final = 1_000_000_000
"""More bars than there are: none is enough to train on."""


@dataclass(frozen=True, slots=True)
class RankedDay:
    """All pairs of a day, ranked.

    Attributes:
        fact: the counts.
        ranking: the ratings.
        trials: of the sector that the ledger has counted by now.
        run: MLflow's; empty where it knows nothing of it.
        untracked: why it does not; None where it does, or was not asked.
    """

    fact: Ranked
    ranking: Ranking
    trials: int
    run: str = ""
    untracked: Refusal | None = None


def pair_bars(store: Store, session: Session, settings: Settings, pairs: Sequence[Pair]) -> list[PairBars]:
    """The bars that each pair is trained on: those that both legs have, known at 6:00."""
    if not pairs:
        return []
    frame = training(store, sorted({symbol for pair in pairs for symbol in pair.symbols}), session, settings)
    closes = frame.pivot(index="start", columns="symbol", values="close")
    found = []
    for pair in pairs:
        both = closes.reindex(columns=list(pair.symbols)).dropna()
        a, b = (both[symbol].to_numpy() for symbol in pair.symbols)
        found.append(PairBars.of(pair, a, b, [start.to_pydatetime() for start in both.index]))
    return found


def day_models(
    store: Store,
    session: Session,
    settings: Settings,
    passports: Sequence[Passport],
    progress: Progress | None = None,
    *,
    networks: bool = True,
) -> dict[Pair, PairModel]:
    """Train a model for each passport and count the trainings in the ledger; one that was killed goes on.

    Args:
        networks: without them the baseline trades every pair.
    """
    if not passports:
        return {}
    bars = pair_bars(store, session, settings, [passport.pair for passport in passports])
    with _training(settings if networks else _without_networks(settings), session, progress) as trainer:
        models = trainer.models(list(zip(passports, bars, strict=True)))
    for passport, model in zip(passports, models, strict=True):
        store.ledger.record(*training_trials(passport.sector, [model], settings.model))
    return {
        model.pair: with_record(model, each.closes_a, each.closes_b, settings, each.starts)
        for model, each in zip(models, bars, strict=True)
    }


def _without_networks(settings: Settings) -> Settings:
    return settings.model_copy(update={"model": settings.model.model_copy(update={"min_data_points": NO_NETWORK})})


def rank_day(
    store: Store,
    facts: Facts,
    session: Session,
    settings: Settings,
    found: Identification,
    sector: str,
    *,
    limit: int | None = None,
    tracking: Tracking | None = None,
    progress: Progress | None = None,
) -> RankedDay:
    """Train and judge a model for every pair of a sector that passed the day's correlation gate; put it on record.

    None of them is traded by it. The same bars and settings change nothing.

    Args:
        found: the day's identification.
        sector: both legs are in it.
        limit: no more pairs than that, the strongest correlations first.
        tracking: MLflow; without it nothing is sent there.

    Raises:
        DataError: no pair passed the gate.
    """
    rows = correlated(store, found, sector)
    pairs = [found.table.pair(row) for row in rows[:limit]]
    bars = pair_bars(store, session, settings, pairs)
    with _training(settings, session, progress) as trainer:
        ranking = Ranking.of(trainer.ratings(bars))
    store.ledger.record(*training_trials(sector, ranking.ratings, settings.model))
    fact = _fact(store, found.configuration, ranking, settings, sector, len(rows))
    key = fact_key("ranked", session.day, fact.version, sha256(repr(fact).encode()).hexdigest()[:12])
    facts.append(Record(fact, session.day, session.morning, key))
    forget_training(settings, session)
    trials = store.ledger.count([slug(sector)]).trials
    return _tracked(facts, session, settings, RankedDay(fact, ranking, trials), tracking)


def correlated(store: Store, found: Identification, sector: str) -> list[int]:
    """Rows of a sector's pairs that passed the day's correlation gate, the strongest correlation first.

    Raises:
        DataError: there are none.
    """
    table, sectors = found.table, store.sectors.of(found.table.symbols)
    own = {symbol for symbol, name in sectors.items() if name.casefold() == sector.casefold()}
    rows = [row for row in table.correlated.tolist() if own.issuperset(table.pair(row).symbols)]
    if not rows:
        raise DataError(
            f"no pair of {sector} passed the correlation gate of {found.configuration.session}",
            "`tandem identify --refusals correlation` shows the nearest misses",
        )
    return rows


def _fact(
    store: Store,
    made: TradingConfiguration,
    ranking: Ranking,
    settings: Settings,
    sector: str,
    correlated: int,
) -> Ranked:
    rated, trained = len(ranking.ratings), len(ranking.trained)
    return Ranked(
        session=made.session,
        sector=sector,
        recipe=settings.model.version,
        version=made.version,
        correlated=correlated,
        trained=trained,
        refused=rated - trained,
        left_out=correlated - rated,
        table=store.blobs.put(ranking.to_bytes()),
    )


def _tracked(
    facts: Facts, session: Session, settings: Settings, day: RankedDay, tracking: Tracking | None
) -> RankedDay:
    if tracking is None:
        return day
    try:
        run = track_ranking(tracking, session, day.ranking, day.fact, settings, facts.world, day.trials)
    except StoreError as error:
        return replace(day, untracked=Refusal("not tracked", str(error), "forecast"))
    return replace(day, run=run)


@contextmanager
def _training(settings: Settings, session: Session, progress: Progress | None) -> Iterator[Training]:
    where = settings.training
    home = settings.home.expanduser()
    workers = 1 if where.engine == "local" else where.workers
    with engine_of(where.engine, workers, home) as engine:
        yield Training(settings, engine, _folder(home, session), progress)


def forget_training(settings: Settings, session: Session) -> None:
    """What a day's trainings have kept is not needed any more once their results are on record."""
    rmtree(_folder(settings.home.expanduser(), session), ignore_errors=True)


def _folder(home: Path, session: Session) -> Path:
    return home / "training" / str(session.day)
