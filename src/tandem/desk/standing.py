"""Where every pair stands after a morning's screen, and why."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tandem.book import Book
from tandem.config import Settings
from tandem.desk.configuration import ConfiguredPair, TradingConfiguration, last_configuration
from tandem.desk.plan import passport_key
from tandem.market import Pair, Refusal, Session
from tandem.screening import PairLife, PairState, PairTable, Passport, Screen, next_morning, not_looked_at
from tandem.store import Facts

Sectors = Callable[[Sequence[str]], Mapping[str, str]]

NO_BARS: Final = "a leg has no bars in the window"


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which pairs a screen judges: those of its sectors, on its bars.

    Args:
        settings: of the screen.
        sectors: of each symbol.
    """

    settings: Settings
    sectors: Mapping[str, str]

    def lacks(self, pair: Pair, known: ConfiguredPair | None) -> str:
        """Why the screen says nothing of a pair; empty where it judges it."""
        timeframe, own = self.settings.model.timeframe, known.timeframe if known else None
        if own is not None and own != timeframe:
            return f"not looked at this morning: it was found on {own} bars, the screen was of {timeframe}"
        active = {name.casefold() for name in self.settings.sectors.active}
        sectors = [self.sectors.get(symbol, "") for symbol in pair.symbols]
        if away := [name for name in sectors if name.casefold() not in active]:
            return f"not looked at this morning: {away[0] or 'a leg without a sector'} was not screened"
        if len({name.casefold() for name in sectors}) > 1 and not self.settings.screen.across_sectors:
            return "not looked at this morning: pairs across sectors were not screened"
        return ""


def standing(
    facts: Facts, session: Session, screen: Screen, settings: Settings, sectors: Sectors, version: int
) -> Iterable[ConfiguredPair]:
    """Every pair that stands somewhere after a morning: selected, known from before, or in the book.

    A pair is judged by a screen that covers its sectors and its bars; any other leaves it as it is, and it is not
    entered on figures of another day.

    Args:
        facts: of the world: earlier mornings and its book.
        sectors: looks up the sectors of symbols.
        version: of the configuration that is being made.
    """
    last = last_configuration(facts, session.day)
    before = {each.pair: each for each in last.pairs} if last else {}
    held = Book.from_facts(facts).open.keys()
    passed = {passport.pair: passport for passport in screen.passports}
    pairs = sorted(passed.keys() | before.keys() | held)
    coverage = Coverage(settings, sectors(sorted({symbol for pair in pairs for symbol in pair.symbols})))
    for pair in pairs:
        known = _with_timeframe(before.get(pair), last)
        if pair in passed:
            yield _selected(passed[pair], known, settings, version, held=pair in held)
        elif why := coverage.lacks(pair, known):
            yield from _left(pair, known, why)
        else:
            yield from _refused(pair, known, screen.table, settings, held=pair in held)


def refusal_of(table: PairTable, pair: Pair) -> Refusal | None:
    """Why a table's screen refused a pair; None where it was selected."""
    places = {symbol: place for place, symbol in enumerate(table.symbols) if symbol in pair.symbols}
    if len(places) == len(pair.symbols):
        first, last = np.searchsorted(table.first, [places[pair.a], places[pair.a] + 1])
        row = int(first + np.searchsorted(table.second[first:last], places[pair.b]))
        if row < last and table.second[row] == places[pair.b]:
            return table.why(row)
    return Refusal("data quality", NO_BARS, "screening")


def _with_timeframe(known: ConfiguredPair | None, last: TradingConfiguration | None) -> ConfiguredPair | None:
    """Configurations of earlier versions do not say on which bars a pair was found: theirs."""
    if known is None or last is None or known.timeframe is not None:
        return known
    return ConfiguredPair(known.pair, known.life, known.rank, known.score, known.passport, last.timeframe)


def _selected(
    passport: Passport, known: ConfiguredPair | None, settings: Settings, version: int, *, held: bool
) -> ConfiguredPair:
    most, rank = settings.screen.max_pairs, passport.rank
    crowded = f"ranked {ordinal(rank)}, screen.max_pairs is {most}" if most is not None and rank > most else ""
    life = next_morning(
        passport.pair, known.life if known else None, None, settings.screen.life, held=held, crowded_out=crowded
    )
    assert life is not None
    key = passport_key(passport, version)
    return ConfiguredPair(passport.pair, life, rank, passport.score.total, key, passport.timeframe)


def _left(pair: Pair, known: ConfiguredPair | None, why: str) -> Iterator[ConfiguredPair]:
    if known is None:
        yield ConfiguredPair(pair, not_looked_at(pair, None, why))
    elif known.life.state is not PairState.RETIRED:
        life = not_looked_at(pair, known.life, why)
        yield ConfiguredPair(pair, life, passport=known.passport, timeframe=known.timeframe)


def _refused(
    pair: Pair, known: ConfiguredPair | None, table: PairTable, settings: Settings, *, held: bool
) -> Iterator[ConfiguredPair]:
    life: PairLife | None = next_morning(
        pair, known.life if known else None, refusal_of(table, pair), settings.screen.life, held=held
    )
    if life is None or (life.state is PairState.RETIRED and not life.has_changed):
        return
    yield ConfiguredPair(pair, life, timeframe=known.timeframe if known else None)


def ordinal(number: int) -> str:
    """`51st`."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
