"""What the mornings found: funnels, configurations, passports, plans."""

from collections import OrderedDict
from collections.abc import Iterator
from datetime import date
from typing import Final, TypeVar

from tandem.desk import Plan, TradingConfiguration, fact_key
from tandem.market import Pair
from tandem.screening import Funnel, PairLife, Passport
from tandem.store import Record

MOST_DAYS: Final = 260
MOST_PASSPORTS: Final = 20_000
T = TypeVar("T")


class Mornings:
    """The newest mornings. Passports are kept without their bars, which the store has.

    Of each day the newest version counts, as a session that starts now would have it.
    """

    def __init__(self) -> None:
        self._configurations: dict[date, TradingConfiguration] = {}
        self._funnels: dict[date, dict[str, Funnel]] = {}
        self._plans: dict[date, Plan] = {}
        self._passports: OrderedDict[tuple[Pair, date], Passport] = OrderedDict()
        self._lives: dict[Pair, list[Record[PairLife]]] = {}

    def configure(self, record: Record[TradingConfiguration]) -> None:
        """Take a morning's document; an older version of a day is left out."""
        known = self._configurations.get(record.session)
        if known is None or known.version <= record.body.version:
            self._configurations[record.session] = record.body
        _shorten(self._configurations)

    def count(self, record: Record[Funnel]) -> None:
        """Take a screen's counts."""
        self._funnels.setdefault(record.session, {})[record.key] = record.body
        _shorten(self._funnels)

    def plan(self, record: Record[Plan]) -> None:
        """Take what a session lives by."""
        self._plans[record.session] = record.body
        _shorten(self._plans)

    def identify(self, record: Record[Passport]) -> None:
        """Take all we know of a pair on one morning."""
        self._passports[record.body.pair, record.session] = record.body
        if len(self._passports) > MOST_PASSPORTS:
            self._passports.popitem(last=False)

    def live(self, record: Record[PairLife]) -> None:
        """Take a change in the life of a pair."""
        lives = self._lives.setdefault(record.body.pair, [])
        lives.append(record)
        del lives[:-100]

    @property
    def days(self) -> list[date]:
        """Those with a screen, newest first."""
        return sorted(self._funnels.keys() | self._configurations.keys() | self._plans.keys(), reverse=True)

    def configuration(self, day: date | None = None) -> TradingConfiguration | None:
        """Of a day; without one the newest."""
        return _of(self._configurations, day)

    def newest_plan(self, day: date | None = None) -> tuple[date, Plan] | None:
        """Of a day; without one the newest."""
        plan = _of(self._plans, day)
        return None if plan is None else (day or max(self._plans), plan)

    def plans(self) -> Iterator[tuple[date, Plan]]:
        """Oldest first."""
        yield from sorted(self._plans.items())

    def funnel(self, day: date) -> Funnel | None:
        """Of a day: that of its configuration."""
        found = self._funnels.get(day)
        if not found:
            return None
        made = self._configurations.get(day)
        key = fact_key("funnel", day, made.version) if made else ""
        return found.get(key) or list(found.values())[-1]

    def passports(self, pair: Pair) -> list[Passport]:
        """Of a pair, oldest first; their bars are left out."""
        return sorted((each for (one, _), each in self._passports.items() if one == pair), key=lambda p: p.session)

    def passport(self, pair: Pair, day: date) -> Passport | None:
        """Of a pair on a morning."""
        return self._passports.get((pair, day))

    def newest_passport(self, pair: Pair) -> Passport | None:
        """The last one that a pair was given."""
        found = self.passports(pair)
        return found[-1] if found else None

    def lives(self, pair: Pair) -> list[Record[PairLife]]:
        """Changes in the life of a pair, oldest first."""
        return list(self._lives.get(pair, ()))

    @property
    def pairs(self) -> set[Pair]:
        """Every pair that ever had a passport or a life."""
        return {pair for pair, _ in self._passports} | self._lives.keys()


def _of(days: dict[date, T], day: date | None) -> T | None:
    if not days:
        return None
    return days.get(day or max(days))


def _shorten(days: dict[date, T]) -> None:
    if len(days) > MOST_DAYS:
        del days[min(days)]
