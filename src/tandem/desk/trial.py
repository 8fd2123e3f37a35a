"""Champion and challenger in a world: who gets which pairs, what their records are, and what follows from them."""

from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np

from tandem.book import Capital, Mark
from tandem.config import Settings
from tandem.desk.earned import earned
from tandem.desk.graded import graded
from tandem.desk.history import seen
from tandem.desk.shadow import shadow_of, shadow_session
from tandem.forecast import (
    BASELINE,
    Assignment,
    Contender,
    Track,
    Trials,
    Verdict,
    assign,
    baseline_of,
    challenger_of,
    champion_of,
    compare_split,
    decide,
    verdict_of,
    watch,
)
from tandem.market import DataError, Pair, Session
from tandem.store import Facts, Record, Store


def recipes_of(facts: Facts, session: Session, pairs: Iterable[Pair], settings: Settings) -> dict[Pair, Contender]:
    """Which recipe trades each pair today: the champion, or in a split the one that the pair is assigned to.

    An assignment is a fact before it is acted upon, and the first one of a trial stays, whatever pairs come and go.

    Raises:
        ConfigError: a split without a challenger.
    """
    champion = champion_of(settings)
    if settings.trial.mode != "split":
        return dict.fromkeys(pairs, champion)
    challenger, before = challenger_of(settings), assignments_of(facts, settings)
    found = assign(pairs, champion.name, challenger.name, settings.trial, before)
    facts.append(*(
        Record(each, session.day, session.morning, _key(each), str(pair))
        for pair, each in found.items() if pair not in before
    ))  # fmt: skip
    named = {recipe.name: recipe for recipe in (champion, challenger)}
    return {pair: named[each.recipe] for pair, each in found.items()}


def assignments_of(facts: Facts, settings: Settings) -> dict[Pair, Assignment]:
    """The assignments on record of the trial that the settings name."""
    trial = champion_of(settings).name, challenger_of(settings).name, settings.trial.seed
    found = (record.body for record in facts.read(Assignment))
    return {each.pair: each for each in found if (each.champion, each.challenger, each.seed) == trial}


def shadow_day(store: Store, facts: Facts, session: Session, settings: Settings) -> list[Facts]:
    """In the mode `shadow`, keep the shadow books of a session that is over: the challenger's and the baseline's."""
    if settings.trial.mode != "shadow":
        return []
    recipes = challenger_of(settings), baseline_of(settings)
    return [shadow_session(store, facts, session, settings, recipe) for recipe in recipes]


def track_of(
    store: Store,
    facts: Facts,
    recipe: str,
    sector: str,
    *,
    seen_by: Facts | None = None,
    pairs: Iterable[Pair] | None = None,
    since: date = date.min,
    until: date = date.max,
) -> Track:
    """The record of a recipe in a sector, from the facts of the world that it traded in.

    Args:
        seen_by: facts of the world whose desk saw the bars; the same world's where None.
        pairs: only those; all of the sector where None.
        since, until: trading dates, both included.
    """
    days = [day for day in sorted({record.session for record in facts.read(Mark)}) if since <= day <= until]
    world = (seen_by or facts).world
    grades = graded(facts, lambda symbols, first, last: seen(store, world, symbols, first, last), days)
    by_pair = earned(facts)
    chosen = _of_sector(store, {*by_pair, *grades.pairs.tolist()}, sector)
    if pairs is not None:
        chosen &= set(map(str, pairs))
    pnl = {day: sum((by_pair[pair][day] for pair in chosen & by_pair.keys()), 0.0) for day in days}
    means = {pair: sum(by_pair[pair][day] for day in days) / len(days) for pair in chosen & by_pair.keys() if days}
    own = grades.where(np.isin(grades.pairs, sorted(chosen)))
    return Track(recipe, own, pnl, _capital(facts), means)


def try_challenger(
    store: Store, facts: Facts, settings: Settings, sector: str, trials: Trials | None = None
) -> Verdict:
    """Whether the challenger takes the champion's place, by what is on record up to now.

    Args:
        trials: by the ledger; the challenger alone where it is not known.

    Raises:
        ConfigError: there is no challenger.
        DataError: nothing was tried yet.
    """
    champion, challenger = champion_of(settings), challenger_of(settings)
    if settings.trial.mode == "split":
        return _try_split(store, facts, settings, sector, trials or Trials())
    shadow = shadow_of(facts, challenger.name)
    if shadow is None:
        raise DataError(f"{challenger.name} has no shadow beside {facts.world}", "Set trial.mode to shadow and trade.")
    theirs = track_of(store, store.facts(shadow), challenger.name, sector, seen_by=facts)
    ours = track_of(store, facts, champion.name, sector, since=min(theirs.days, default=date.min))
    plain = shadow_of(facts, BASELINE)
    baseline = track_of(store, store.facts(plain), BASELINE, sector, seen_by=facts) if plain else None
    return decide(sector, ours, theirs, baseline, settings, trials)


def watch_champion(store: Store, facts: Facts, settings: Settings, sector: str) -> Verdict:
    """Whether the champion stands down: its sessions since it was promoted, held to the record before.

    That record is its shadow book of the time when it was the challenger. A champion that never was one is held to
    its own first `trial.min_days` sessions.
    """
    champion = champion_of(settings).name
    promoted = [r.session for r in facts.read(Verdict) if _promotes(r.body, champion, sector)]
    shadow = shadow_of(facts, champion)
    if promoted and shadow is not None:
        record = track_of(store, store.facts(shadow), champion, sector, seen_by=facts, until=promoted[-1])
        live = track_of(store, facts, champion, sector, since=promoted[-1] + timedelta(days=1))
        return watch(sector, record, live, settings.trial)
    days = sorted({record.session for record in facts.read(Mark)})
    first = days[: settings.trial.min_days]
    record = track_of(store, facts, champion, sector, until=first[-1] if first else date.min)
    live = track_of(store, facts, champion, sector, since=days[len(first)] if len(days) > len(first) else date.max)
    return watch(sector, record, live, settings.trial)


def record_verdict(facts: Facts, session: Session, verdict: Verdict) -> None:
    """Put a verdict of a session that is over on record, before anybody acts upon it; again, it changes nothing.

    Raises:
        FactConflict: another verdict of that day is on record.
    """
    purpose = "trial" if verdict.against else "watch"
    key = f"verdict.{purpose}.{session.day}.{verdict.sector}.{verdict.recipe}"
    facts.append(Record(verdict, session.day, session.close, key))


def _try_split(store: Store, facts: Facts, settings: Settings, sector: str, trials: Trials) -> Verdict:
    names = champion_of(settings).name, challenger_of(settings).name
    found = assignments_of(facts, settings)
    if not found:
        raise DataError(f"no pair of {facts.world} was assigned yet", "Set trial.mode to split and trade.")
    since = min(record.session for record in facts.read(Assignment) if record.body in found.values())
    tracks = [
        track_of(store, facts, name, sector, pairs=[p for p, each in found.items() if each.recipe == name], since=since)
        for name in names
    ]
    compared = compare_split(tracks[0], tracks[1], settings.trial)
    return verdict_of(sector, compared, tracks[1], settings, trials)


def _promotes(verdict: Verdict, recipe: str, sector: str) -> bool:
    return (verdict.action, verdict.recipe, verdict.sector) == ("promote", recipe, sector)


def _of_sector(store: Store, pairs: Iterable[str], sector: str) -> set[str]:
    known = {pair: Pair.parse(pair).a for pair in pairs}
    sectors = store.sectors.of(sorted(set(known.values())))
    return {pair for pair, symbol in known.items() if sectors.get(symbol, "").casefold() == sector.casefold()}


def _capital(facts: Facts) -> float:
    capital = facts.read(Capital)
    if not capital:
        raise DataError(f"{facts.world} has not traded", "A trial needs sessions on record.")
    return float(capital[0].body.cash)


def _key(assignment: Assignment) -> str:
    return f"assignment.{assignment.champion}.{assignment.challenger}.{assignment.seed}.{assignment.pair}"
