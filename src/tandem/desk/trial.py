"""Champion and challenger in a world: who gets which pairs, what their records are, and what follows from them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np

from tandem.book import Capital, Mark
from tandem.config import Settings
from tandem.desk.contenders import Traders, challenger_in, champion_in, why_no_trial
from tandem.desk.earned import earned
from tandem.desk.graded import Minutes, graded
from tandem.desk.history import seen
from tandem.desk.lineup import Lineup, alone_because
from tandem.desk.shadow import shadow_of, shadow_session
from tandem.desk.unfitted import LeftOut, left_out, unfitted_in_shadow
from tandem.forecast import (
    BASELINE,
    Assignment,
    Track,
    Trials,
    Verdict,
    assign,
    baseline_of,
    challenger_of,
    compare_split,
    decide,
    verdict_of,
    watch,
)
from tandem.market import Calendar, DataError, Pair, Session
from tandem.screening import Passport, slug
from tandem.store import Facts, Move, Record, Stage, StageChanged, Stages, Store

if TYPE_CHECKING:
    import pandas as pd


def minutes_of(store: Store, seen_by: Facts) -> Minutes:
    """1-minute bars as the desk of a world saw them, up to the close of its last session on record.

    At a recycler the bars of the days to come are in the store already.
    """

    def minutes(symbols: Sequence[str], first: datetime, last: datetime) -> "pd.DataFrame":
        newest = Calendar().session(max(_days(seen_by), default=first.date()))
        return seen(store, seen_by.world, symbols, first, min(last, newest.close) if newest else last)

    return minutes


def split_of(
    facts: Facts, session: Session, settings: Settings, lineups: Sequence[Lineup], passports: Iterable[Passport]
) -> dict[Pair, str]:
    """In the mode `split`, the pairs that the challenger trades today, with its name.

    An assignment is a fact before it is acted upon, and the first one of a trial stays, whatever pairs come and go.

    Args:
        lineups: a sector whose challenger is not fitted keeps all its pairs.
    """
    if settings.trial.mode != "split":
        return {}
    challenger, passports = challenger_of(settings).name, list(passports)
    found: dict[Pair, str] = {}
    for lineup in lineups:
        if challenger in {each.name for each in lineup.recipes} and not why_no_trial(facts, settings, lineup.sector):
            pairs = [each.pair for each in passports if each.sector == lineup.sector]
            made = _assigned(facts, session, settings, lineup.sector, pairs)
            found |= {pair: challenger for pair, each in made.items() if each.recipe == challenger}
    return found


def assignments_of(facts: Facts, settings: Settings, sector: str) -> dict[Pair, Assignment]:
    """The assignments on record of a sector's trial: its champion of now against the challenger of the settings."""
    trial = champion_in(facts, settings, sector), challenger_of(settings).name, settings.trial.seed
    found = (record.body for record in facts.read(Assignment))
    return {each.pair: each for each in found if (each.champion, each.challenger, each.seed) == trial}


def shadow_day(store: Store, facts: Facts, session: Session, settings: Settings) -> list[Facts]:
    """In the mode `shadow`, keep the shadow books of a session that is over: the challenger's and the baseline's.

    Sessions that a book has missed since its last one are made up for. Without a trial in any sector nothing is done.
    """
    sectors = Stages(facts).sectors() or settings.sectors.active
    if settings.trial.mode != "shadow" or all(why_no_trial(facts, settings, sector) for sector in sectors):
        return []
    recipes = challenger_in(facts, settings), baseline_of(settings)
    return [
        [
            shadow_session(store, facts, each, settings, recipe)
            for each in (*_missed(store, facts, session, recipe.name), session)
        ][-1]
        for recipe in recipes
    ]


def track_of(
    store: Store,
    facts: Facts,
    recipe: str,
    sector: str,
    *,
    seen_by: Facts | None = None,
    traders: Traders | None = None,
    days: Collection[date] | None = None,
) -> Track:
    """The record of a recipe in a sector, from the facts of the world that it traded in.

    What came of its forecasts is known up to the close of the last session that the world's desk saw.

    Args:
        seen_by: facts of the world whose desk saw the bars; the same world's where None.
        traders: who had which pair; without them everything there is the recipe's.
        days: trading dates; all of the recipe's where None.
    """
    own = traders.days(recipe) if traders else _days(facts)
    chosen = [day for day in own if days is None or day in days]
    grades = graded(facts, minutes_of(store, seen_by or facts), chosen, store.blobs)
    by_pair = earned(facts)
    of_sector = _of_sector(store, {*by_pair, *grades.pairs.tolist()}, sector)

    def had(day: date, pair: str) -> bool:
        return pair in of_sector and (traders is None or traders.had(recipe, day, pair))

    cells = {pair: [days[day] for day in chosen if had(day, pair)] for pair, days in by_pair.items()}
    return Track(
        recipe,
        grades.where(np.array([*map(had, grades.sessions.tolist(), grades.pairs.tolist())], dtype=bool)),
        {day: sum((days[day] for pair, days in by_pair.items() if had(day, pair)), 0.0) for day in chosen},
        _capital(facts),
        {pair: sum(values) / len(values) for pair, values in cells.items() if values},
    )


def try_challenger(store: Store, facts: Facts, settings: Settings, sector: str) -> Verdict:
    """Whether the challenger takes the champion's place, by what is on record up to now.

    Fewer than `trial.min_days` sessions that both have traded are not looked into. Sessions for which a recipe was not
    fitted are not its record; the verdict says how many they are, and why.

    Raises:
        ConfigError: there is no challenger.
        DataError: nothing was tried yet.
    """
    if settings.trial.mode == "split":
        return _try_split(store, facts, settings, sector)
    champion, challenger = champion_in(facts, settings, sector), challenger_of(settings).name
    shadow = shadow_of(facts, challenger)
    if shadow is None:
        raise DataError(f"{challenger} has no shadow beside {facts.world}", "Set trial.mode to shadow and trade.")
    lacking = unfitted_in_shadow(store, facts, store.facts(shadow), sector, challenger)
    days = [day for day in _days(store.facts(shadow)) if day not in lacking]
    traders = Traders.of(facts, settings, sector)
    without = {challenger: lacking, champion: traders.left_out(champion)}
    paired = len(set(days) & set(traders.days(champion)))  # a champion that came yesterday is no record to beat
    if paired < settings.trial.min_days:
        return _telling(without, _too_short(sector, champion, challenger, paired, settings))
    theirs = track_of(store, store.facts(shadow), challenger, sector, seen_by=facts, days=days)
    ours = track_of(store, facts, champion, sector, traders=traders, days=set(days))
    plain = shadow_of(facts, BASELINE)
    baseline = track_of(store, store.facts(plain), BASELINE, sector, seen_by=facts) if plain else None
    return _telling(without, decide(sector, ours, theirs, baseline, settings, _tried(store, sector, theirs)))


def watch_champion(store: Store, facts: Facts, settings: Settings, sector: str) -> Verdict:
    """Whether the champion stands down: its sessions since it came to Production, held to the record before.

    That record is its shadow book of the time before it was promoted. A champion that has none is held to its own
    first `trial.min_days` sessions. The baseline stands down for nobody.
    """
    champion = champion_in(facts, settings, sector)
    if champion == BASELINE:
        return Verdict(sector, champion, "keep", alone_because(Stages(facts).board(sector)), {})
    traders, came = Traders.of(facts, settings, sector), _came(facts, sector, champion)
    own, shadow = traders.days(champion), shadow_of(facts, champion)
    promoted = [record.session for record in came if record.body.move is Move.PROMOTED]
    if promoted and shadow is not None:
        lacking = unfitted_in_shadow(store, facts, store.facts(shadow), sector, champion)
        before = [day for day in _days(store.facts(shadow)) if day <= promoted[-1] and day not in lacking]
    else:
        before, shadow = own[: settings.trial.min_days], None
    since = [day for day in own if day not in before and not (came and traders.began[day] < came[-1].at)]
    without = {champion: traders.left_out(champion)}
    if not since:
        why = "there is no record of live sessions yet"
        figures = {"days": 0.0, "record_days": float(len(before))}
        return _telling(without, Verdict(sector, champion, "keep", why, figures))
    live = track_of(store, facts, champion, sector, traders=traders, days=since)
    if shadow is not None:
        record = track_of(store, store.facts(shadow), champion, sector, seen_by=facts, days=before)
    else:
        record = track_of(store, facts, champion, sector, traders=traders, days=before)
    return _telling(without, watch(sector, record, live, settings.trial))


def record_verdict(facts: Facts, session: Session, verdict: Verdict) -> None:
    """Put a verdict of a session that is over on record, before anybody acts upon it; again, it changes nothing.

    Raises:
        FactConflict: another verdict of that day is on record.
    """
    purpose = "trial" if verdict.against else "watch"
    key = f"verdict.{purpose}.{session.day}.{verdict.sector}.{verdict.recipe}"
    facts.append(Record(verdict, session.day, session.close, key))


def _assigned(
    facts: Facts, session: Session, settings: Settings, sector: str, pairs: Iterable[Pair]
) -> dict[Pair, Assignment]:
    before, champion = assignments_of(facts, settings, sector), champion_in(facts, settings, sector)
    found = assign(pairs, champion, challenger_of(settings).name, settings.trial, before)
    facts.append(*(
        Record(each, session.day, session.morning, _key(each), str(pair))
        for pair, each in found.items() if pair not in before
    ))  # fmt: skip
    return found


def _missed(store: Store, facts: Facts, session: Session, recipe: str) -> list[Session]:
    shadow = shadow_of(facts, recipe)
    done = _days(store.facts(shadow)) if shadow else []
    lacking = [day for day in _days(facts) if done and done[-1] < day < session.day]
    return [found for day in lacking if (found := Calendar().session(day)) is not None]


def _try_split(store: Store, facts: Facts, settings: Settings, sector: str) -> Verdict:
    champion, challenger = champion_in(facts, settings, sector), challenger_of(settings).name
    traders, found = Traders.of(facts, settings, sector), assignments_of(facts, settings, sector)
    own = [each for pair, each in found.items() if str(pair) in traders.pairs]
    since = min((record.session for record in facts.read(Assignment) if record.body in own), default=date.max)
    beside = {day for day in traders.days(champion) if day >= since}  # it may have been away in between
    days = [day for day in traders.days(challenger) if day in beside]
    without = {each: traders.left_out(each) for each in (challenger, champion)}
    if len(days) < settings.trial.min_days:
        return _telling(without, _too_short(sector, champion, challenger, len(days), settings))
    ours, theirs = (track_of(store, facts, name, sector, traders=traders, days=days) for name in (champion, challenger))
    compared = compare_split(ours, theirs, settings.trial)
    return _telling(without, verdict_of(sector, compared, theirs, settings, _tried(store, sector, theirs)))


def _too_short(sector: str, champion: str, challenger: str, days: int, settings: Settings) -> Verdict:
    least = settings.trial.min_days
    why = f"{days} sessions on record, at least {least}"
    return Verdict(sector, challenger, "keep", why, {"days": float(days), "min_days": float(least)}, champion)


def _telling(without: Mapping[str, LeftOut], verdict: Verdict) -> Verdict:
    """The verdict with what was left out of the records that it looked at."""
    said = [left_out(recipe, days) for recipe, days in without.items() if days]
    figures = {f"left_out_{recipe}": float(len(days)) for recipe, days in without.items() if days}
    return replace(verdict, why="; ".join([verdict.why, *said]), evidence={**verdict.evidence, **figures})


def _tried(store: Store, sector: str, track: Track) -> Trials:
    tried = store.ledger.count([slug(sector)])
    return Trials(tried.count, tried.variance_over(len(track.pnl)))


def _came(facts: Facts, sector: str, recipe: str) -> list[Record[StageChanged]]:
    history = Stages(facts).history(sector)
    return [each for each in history if each.body.recipe == recipe and each.body.after is Stage.PRODUCTION]


def _days(facts: Facts) -> list[date]:
    return sorted({record.session for record in facts.read(Mark)})


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
