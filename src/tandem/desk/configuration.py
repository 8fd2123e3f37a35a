"""The trading configuration of a day: which pairs may be traded, and how they came to be. Never edited."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, ClassVar, Final

from tandem.config import Settings
from tandem.market import Pair, Refusal, Timeframe
from tandem.screening import PairLife
from tandem.store import Facts

# How the work is shared out changes no result.
NO_MATTER: Final = {"screen": {"engine", "threads"}}


@dataclass(frozen=True, slots=True)
class ConfiguredPair:
    """What a session may do with one pair.

    Attributes:
        life: where the pair stands, since when, and why.
        rank: by score among the morning's selected pairs, 1 is the best; None where it was refused.
        score: composite score of the morning (STATISTICS 5); None where it was refused.
        passport: key of its newest passport among the facts: the morning's where it was selected, an earlier one
            where the morning's screen was of other sectors or bars; empty where it was refused.
        timeframe: of that passport's bars; None where there is none.
    """

    pair: Pair
    life: PairLife
    rank: int | None = None
    score: float | None = None
    passport: str = ""
    timeframe: Timeframe | None = None

    @property
    def is_selected(self) -> bool:
        """Whether the morning's screen selected it: nothing else has figures of that day."""
        return self.rank is not None

    @property
    def entries(self) -> bool:
        """Whether positions may be opened; otherwise exits only."""
        return self.life.may_enter and self.is_selected

    @property
    def exits_only(self) -> Refusal | None:
        """Why no position may be opened, in words."""
        if self.entries:
            return None
        return Refusal("exits only", f"the pair is {_standing(self.life)}: {self.life.why}", "risk")


@dataclass(frozen=True, slots=True)
class TradingConfiguration:
    """What the identification of one morning came to, as one document.

    Other data or settings make the next version of a day; the session reads the newest at its start.

    Attributes:
        session: the trading day.
        version: 1, and one more for each later identification of the same day.
        world: whose account.
        sectors: that were screened.
        across_sectors: whether pairs across them were.
        timeframe: of the bars.
        formation_days: sessions asked for.
        window_first, window_last: starts of the first and the last bar read, UTC.
        settings: SHA-256 of every setting that decides.
        data_version: SHA-256 of the bars.
        screen: SHA-256 of the table of all pairs, a blob of the store.
        pairs: those that stand somewhere: selected ones by rank, then the others by name.
    """

    kind: ClassVar = "trading_configuration"

    session: date
    version: int
    world: str
    sectors: tuple[str, ...]
    across_sectors: bool
    timeframe: Timeframe
    formation_days: int
    window_first: datetime
    window_last: datetime
    settings: str
    data_version: str
    screen: str
    pairs: tuple[ConfiguredPair, ...]

    @property
    def changes(self) -> tuple[PairLife, ...]:
        """Pairs that the morning moved from one state to another."""
        return tuple(each.life for each in self.pairs if each.life.has_changed)

    def of(self, pair: Pair) -> ConfiguredPair | None:
        """What is configured for a pair; None where it stands nowhere."""
        return next((each for each in self.pairs if each.pair == pair), None)

    def is_of(self, settings: str, data_version: str) -> bool:
        """Whether these settings and bars made it."""
        return (self.settings, self.data_version) == (settings, data_version)


def configuration_of(facts: Facts, day: date, version: int | None = None) -> TradingConfiguration | None:
    """The newest configuration of a trading date, or the one of a version."""
    found = [record.body for record in facts.read(TradingConfiguration, session=day)]
    return max((each for each in found if version in (None, each.version)), key=_version, default=None)


def last_configuration(facts: Facts, before: date) -> TradingConfiguration | None:
    """The newest configuration of the last configured date before another."""
    found = (record.body for record in facts.read(TradingConfiguration))
    return max((each for each in found if each.session < before), key=_age, default=None)


def settings_digest(settings: Settings, sectors: Mapping[str, str]) -> str:
    """SHA-256 of what decides which pairs are found in the bars: screen, GARCH, rule, costs, timeframe and sectors.

    Args:
        sectors: of each symbol.
    """
    plain: dict[str, Any] = {
        name: getattr(settings, name).model_dump(mode="json", exclude=NO_MATTER.get(name))
        for name in ("screen", "garch", "rule", "costs")
    }
    plain |= {"timeframe": settings.model.timeframe, "seed": settings.model.seed}
    plain |= {"active": sorted(sector.casefold() for sector in settings.sectors.active), "sectors": dict(sectors)}
    return sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def fact_key(kind: str, day: date, version: int, *names: object) -> str:
    """The key of a fact of a day's configuration."""
    return ".".join([kind, str(day), *([f"v{version}"] if version > 1 else []), *map(str, names)])


def ranked(pairs: Iterable[ConfiguredPair]) -> tuple[ConfiguredPair, ...]:
    """Selected pairs by rank, then the others by name."""
    return tuple(sorted(pairs, key=lambda each: (each.rank is None, each.rank or 0, each.pair)))


def _version(configuration: TradingConfiguration) -> int:
    return configuration.version


def _age(configuration: TradingConfiguration) -> tuple[date, int]:
    return configuration.session, configuration.version


def _standing(life: PairLife) -> str:
    return "on probation" if life.state == "probation" else f"{life.state}"


def as_identified(settings: Settings, configuration: TradingConfiguration) -> Settings:
    """The settings with the bars and the window that a configuration was made from."""
    model = settings.model.model_copy(update={"timeframe": configuration.timeframe})
    screen = settings.screen.model_copy(update={"formation_days": configuration.formation_days})
    return settings.model_copy(update={"model": model, "screen": screen})
