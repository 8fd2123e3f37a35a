"""Two pairs with round figures on bars that go where a test says, and a desk in one process over them."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tandem.config import DriftSettings, ModelSettings, RiskSettings, Settings
from tandem.desk import ConfiguredPair, Desk, Plan, TradingConfiguration
from tandem.desk.plan import Refit, record_plan
from tandem.execution import InProcess, in_process
from tandem.forecast import PairModel
from tandem.market import Bar, Calendar, Pair, Session, Timeframe, World, WorldKind
from tandem.screening import PairLife, Passport, Score
from tandem.sources import samples
from tandem.statistics import GarchFit
from tandem.store import MemoryFacts, Record, Store

AB, CD = Pair("A", "B"), Pair("C", "D")
PHI, HALF_LIFE, FORMATION = 0.95, 13.5, 40
LOOSE = DriftSettings(min_correlation=-1, max_correlation_drop=2, max_hedge_change=1e9)
SETTINGS = Settings(
    model=ModelSettings(timeframe=Timeframe.MIN_5), risk=RiskSettings(drift=LOOSE, max_pair_share=0.2)
)  # fmt: skip
Steps = Sequence[tuple[int, float]]
"""From a minute of the session on, the z-score of a pair."""


class MemoryBlobs:
    """Blobs that need no database."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def put(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self._kept[digest] = content
        return digest

    def get(self, digest: str) -> bytes:
        return self._kept[digest]


@dataclass
class Stage:
    """Sessions, their bars, a world's facts, and a desk on all of that.

    Attributes:
        frame: 1-minute bars of A, B, C, D.
        inside: clock, feed and broker, which outlive a desk that is killed.
    """

    sessions: list[Session]
    frame: pd.DataFrame
    settings: Settings
    facts: MemoryFacts
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    inside: InProcess = field(init=False)

    def __post_init__(self) -> None:
        self.inside = in_process(self.frame, self.facts.world, Decimal(100_000), self.settings.costs)

    def desk(self, **changes: Any) -> Desk:
        """A desk, with other seams where a test wants them."""
        seams = {
            "clock": self.inside.clock,
            "feed": self.inside.feed,
            "broker": self.inside.broker,
            "facts": self.facts,
        }
        known = {"world": self.facts.world, "settings": self.settings, "calendar": Calendar(), "blobs": self.blobs}
        return Desk(**{**known, **seams, "history": self.history, **changes})

    def history(self, symbols: Sequence[str], first: datetime, last: datetime) -> list[Bar]:
        ends = self.frame["start"] + timedelta(minutes=1)
        chosen = self.frame[self.frame["symbol"].isin(symbols) & (self.frame["start"] >= first) & (ends <= last)]
        return bars_of(chosen)

    def plan(self, session: Session, *pairs: Pair, **passport: Any) -> None:
        """Put a plan for a session on record."""
        passports = [passport_of(pair, session, **passport) for pair in pairs]
        models = {str(made.pair): self.blobs.put(model_of(made).to_bytes()) for made in passports}
        record_plan(self.facts, session, Plan(len(pairs), models), passports)

    def refit(
        self,
        session: Session,
        horizons: Mapping[str, int],
        *,
        refused: str = "",
        without: str = "",
        split: Mapping[str, str] | None = None,
        sectors: Mapping[Pair, str] | None = None,
    ) -> None:
        """Put a plan on record with a refit of each recipe, told apart by the horizon of its models.

        Args:
            refused: why the last recipe's must not trade.
            without: a recipe that has none.
            split: the recipe of each pair that a challenger trades.
            sectors: of pairs that are not of technology.
        """
        passports = [passport_of(p, session, sector=(sectors or {}).get(p, "technology")) for p in (AB, CD)]
        refits, first = [], {}
        for recipe, horizon in horizons.items():
            models = {str(p.pair): self.blobs.put(replace(model_of(p), horizon=horizon).to_bytes()) for p in passports}
            first = first or models
            why = refused if recipe == list(horizons)[-1] else ""
            for sector in sorted({passport.sector for passport in passports}):
                own = {str(p.pair): models[str(p.pair)] for p in passports if p.sector == sector}
                name = f"pairs_trading_gru_garch_{sector}_{recipe}_{session.day:%Y%m%d}"
                refits.append(Refit(sector, recipe, name, own, loss=0.6, refused=why))
        kept = tuple(refit for refit in refits if refit.recipe != without)
        record_plan(self.facts, session, Plan(2, first, 1, kept, split or {}), passports)

    def configure(self, session: Session, *lives: PairLife) -> None:
        """Put a configuration on record under which pairs stand like this."""
        made = TradingConfiguration(
            session.day, 1, str(self.facts.world), ("technology",), False, Timeframe.MIN_5, 7, session.open,
            session.open, "settings", "data", "", tuple(ConfiguredPair(life.pair, life) for life in lives),
        )  # fmt: skip
        self.facts.append(Record(made, session.day, session.morning, f"configuration.{session.day}"))


def bars_of(frame: pd.DataFrame) -> list[Bar]:
    rows = frame.sort_values(["start", "symbol"]).itertuples()
    return [Bar(r.symbol, r.start.to_pydatetime(), r.open, r.high, r.low, r.close, int(r.volume)) for r in rows]


def passport_of(pair: Pair, session: Session, **changes: Any) -> Passport:
    before = Calendar().before(session.day, 1)[0]
    starts = [before.close - timedelta(minutes=5 * back) for back in range(FORMATION, 0, -1)]
    garch = GarchFit(
        mu=0.0, phi=PHI, omega=1e-5, alpha=0.0, beta=0.0, nu=None, scale=1.0, backcast=1e-5, loglikelihood=0.0,
        aic=0.0, bic=0.0, persistence=0.0, converged=True, ljung_box_pvalue=0.5, arch_lm_pvalue=0.5,
    )  # fmt: skip
    known = {
        "pair": pair, "sector": "technology", "timeframe": Timeframe.MIN_5, "session": session.day,
        "window_first": starts[0], "window_last": starts[-1], "bars": FORMATION, "hedge_ratio": 1.0, "intercept": 0.0,
        "mean": 0.0, "deviation": 0.01, "phi": PHI, "half_life": HALF_LIFE, "garch": garch,
        "correlation_prices": 0.9, "correlation_returns": 0.8, "statistic": -4.0, "pvalue": 0.01, "lags": 0,
        "q_bh": 0.02, "q_by": 0.03, "adf_pvalue": 0.01, "score": Score(0.8, 0.9, 0.8, 0.5, 1.0, 1, ()),
        "data_version": "", "starts": tuple(starts), "closes_a": (100.0,) * FORMATION, "closes_b": (100.0,) * FORMATION,
    }  # fmt: skip
    return Passport(**{**known, **changes})


def model_of(passport: Passport) -> PairModel:
    return PairModel(passport.pair, passport.session, PHI, 14, SETTINGS.model, "baseline", "no GRU", {})


def minutes_of(session: Session, steps: Mapping[Pair, Steps]) -> pd.DataFrame:
    """Minute bars of both legs of each pair, whose z-score goes in steps; opens are the closes before."""
    count = len(session.minutes)
    rng = np.random.default_rng(session.day.toordinal())
    parts = []
    for pair, path in steps.items():
        z = np.zeros(count)
        for minute, level in path:
            z[minute:] = level
        b = 100 * np.exp(0.0005 * rng.standard_normal(count).cumsum())
        parts += [leg(pair.a, b * np.exp(0.01 * z), session), leg(pair.b, b, session)]
    return pd.concat(parts, ignore_index=True)


def leg(symbol: str, closes: np.ndarray, session: Session) -> pd.DataFrame:
    closes = closes.round(4)
    opens = np.concatenate([closes[:1], closes[:-1]])
    starts = pd.date_range(session.open, periods=len(closes), freq="min", unit="us")
    return pd.DataFrame({
        "symbol": symbol, "start": starts, "open": opens, "high": np.maximum(opens, closes),
        "low": np.minimum(opens, closes), "close": closes, "volume": 100_000,
    })  # fmt: skip


@pytest.fixture(scope="module")
def filled(module_store: Store) -> Store:
    """A module's store with the bars that ship with Tandem."""
    samples.load(module_store)
    return module_store


@pytest.fixture(scope="session")
def half_day() -> Session:
    """The Friday after Thanksgiving 2022: 210 minutes."""
    session = Calendar().session(date(2022, 11, 25))
    assert session is not None
    return session


BUSY: Mapping[Pair, Steps] = {
    AB: [(12, 2.5), (48, 0.2), (77, -2.6), (98, -4.6), (110, -2.2), (182, -2.3)],
    CD: [(33, -2.2), (140, 0.1), (165, 2.4)],
}
"""Entries both ways, a target, a stop and the rest after it, and trades that are open at the end."""


@pytest.fixture
def stage(half_day: Session) -> Callable[..., Stage]:
    """Makes stages: of one half day by default."""

    def make(
        steps: Mapping[Pair, Steps] = BUSY,
        *,
        sessions: Sequence[Session] = (half_day,),
        settings: Settings = SETTINGS,
        run: int = 1,
        plan: bool = True,
        drop: Callable[[pd.DataFrame], pd.Series] | None = None,
        **passport: Any,
    ) -> Stage:
        frame = pd.concat([minutes_of(session, steps) for session in sessions], ignore_index=True)
        if drop is not None:
            frame = frame[~drop(frame)].reset_index(drop=True)
        made = Stage(list(sessions), frame, settings, MemoryFacts(World(WorldKind.BACKTEST, run)))
        if plan:
            made.plan(sessions[0], *steps, **passport)
        return made

    return make
