"""The daily identification of pairs, from a formation window to passports and refusals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from itertools import combinations
from typing import TYPE_CHECKING

from tandem.config import ScreenSettings, Settings
from tandem.market import DataError, Pair, Refusal, Session
from tandem.screening import gates
from tandem.screening.candidate import Aligned, Candidate, Window, cointegration, measure
from tandem.screening.passport import Passport
from tandem.screening.score import Models, Score, fit_models, score_pair
from tandem.screening.screen import Funnel, RefusedPair, Screen, Step
from tandem.statistics import (
    Hedge,
    Series,
    SimulatedNull,
    Walk,
    adf,
    benjamini_hochberg,
    benjamini_yekutieli,
    expected_by_chance,
    fit_equilibrium,
    fit_hedge,
    half_life,
    one_thread,
    simulated_null,
)

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[str, int, int], None]
LEAST_DRAWS, MOST_DRAWS = 400, 1000


def identify(
    bars: "pd.DataFrame",
    session: Session,
    settings: Settings,
    sectors: Mapping[str, str],
    *,
    same_source: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Screen:
    """Screen every pair within each active sector (STATISTICS 1-5).

    Every eligible pair is tested for cointegration before any other gate; it ends selected, or refused
    by the first gate in the order of `gates.STEPS`.

    Args:
        bars: bars frame of the model's timeframe; the formation window and nothing else.
        session: the trading day to identify for.
        settings: gates, rule, GARCH and costs.
        sectors: sector of each symbol; symbols without an active one are left out.
        same_source: what a symbol's bars really are, where they are another's (a proxy).
        progress: called with a stage, the pairs done and the pairs in all.

    Raises:
        DataError: a bar that ends after the session's open, two bars of one symbol at one start, or a
            close that is not positive.
    """
    _check(bars, session, settings)
    tell = progress or _silent
    with one_thread():
        window = Window.of(bars)
        pairs = _pairs(window, settings, sectors)
        refused: dict[Pair, Refusal] = {}
        family = _family(pairs, window, settings, same_source=same_source or {}, refused=refused, tell=tell)
        passports = _select(family, window, session, settings, refused=refused, tell=tell)
        funnel = _funnel(list(pairs), refused, family, settings)
    return Screen(session.day, _ranked(passports), _listed(refused), funnel)


def _check(bars: "pd.DataFrame", session: Session, settings: Settings) -> None:
    timeframe = settings.model.timeframe
    late = bars.loc[bars["start"] + timeframe.length > session.open]
    if len(late):
        row = late.iloc[0]
        raise DataError(f"{row['symbol']} has a bar from {row['start']} that ends after the open of {session.day}")
    if bars.duplicated(["symbol", "start"]).any():
        raise DataError("two bars of one symbol have the same start", "Read one source at a time.")
    if not bool((bars["close"] > 0).all()):
        raise DataError("a close is not a positive number")


def _pairs(window: Window, settings: Settings, sectors: Mapping[str, str]) -> dict[Pair, str]:
    found: dict[Pair, str] = {}
    for sector in settings.sectors.active:
        members = sorted(s for s in window.closes if sectors.get(s, "").casefold() == sector.casefold())
        found.update({Pair(a, b): sector for a, b in combinations(members, 2)})
    return found


def _family(
    pairs: Mapping[Pair, str],
    window: Window,
    settings: Settings,
    *,
    same_source: Mapping[str, str],
    refused: dict[Pair, Refusal],
    tell: Progress,
) -> list[Candidate]:
    family: list[Candidate] = []
    for done, (pair, sector) in enumerate(pairs.items(), start=1):
        legs = Aligned.of(pair, sector, window)
        refusal = gates.enough_bars(legs.log_a, legs.log_b, settings.screen) or gates.own_sources(
            pair, legs.log_a, legs.log_b, same_source
        )
        if refusal:
            refused[pair] = refusal
        else:
            family.append(measure(legs, settings.screen))
        tell("cointegration", done, len(pairs))
    return _with_q_values(family)


def _with_q_values(family: Sequence[Candidate]) -> list[Candidate]:
    pvalues = [candidate.test.pvalue for candidate in family]
    rates = zip(benjamini_hochberg(pvalues).tolist(), benjamini_yekutieli(pvalues).tolist(), strict=True)
    return [replace(candidate, q_bh=bh, q_by=by) for candidate, (bh, by) in zip(family, rates, strict=True)]


def _select(
    family: Sequence[Candidate],
    window: Window,
    session: Session,
    settings: Settings,
    *,
    refused: dict[Pair, Refusal],
    tell: Progress,
) -> list[Passport]:
    left = []
    for candidate in family:
        if refusal := _cheap_gates(candidate, settings.screen):
            refused[candidate.legs.pair] = refusal
        else:
            left.append(candidate)
    passports = []
    for done, candidate in enumerate(left, start=1):
        outcome = examine(candidate, window, session, settings)
        if isinstance(outcome, Refusal):
            refused[candidate.legs.pair] = outcome
        else:
            passports.append(outcome)
        tell("models", done, len(left))
    return passports


def _cheap_gates(candidate: Candidate, settings: ScreenSettings) -> Refusal | None:
    return (
        gates.correlated(candidate.correlation_prices, candidate.correlation_returns, settings)
        or gates.cointegrated(candidate.test.pvalue, settings)
        or gates.discovered(candidate.q_bh, settings)
    )


def examine(candidate: Candidate, window: Window, session: Session, settings: Settings) -> Passport | Refusal:
    """The gates that need a model of the spread: half-life, hedge, GARCH, diagnostics, score."""
    legs, screen = candidate.legs, settings.screen
    hedge = fit_hedge(legs.log_a, legs.log_b)
    spread = hedge.spread(legs.log_a, legs.log_b)
    half = half_life(spread)
    if refusal := gates.comes_back(half, spread.size, screen) or gates.hedgeable(hedge.hedge_ratio, screen):
        return refusal
    models = fit_models(spread, settings.garch)
    if refusal := gates.garch_fits(models.garch) or gates.clean_residuals(models.chosen, screen):
        return refusal
    score = score_pair(legs.log_a, legs.log_b, models, settings)
    if refusal := gates.scored(score, screen):
        return refusal
    return _passport(candidate, window, session, settings, hedge=hedge, models=models, score=score)


def _passport(
    candidate: Candidate,
    window: Window,
    session: Session,
    settings: Settings,
    *,
    hedge: Hedge,
    models: Models,
    score: Score,
) -> Passport:
    legs = candidate.legs
    spread = hedge.spread(legs.log_a, legs.log_b)
    equilibrium, half = fit_equilibrium(spread), half_life(spread)
    assert half.bars is not None
    starts = tuple(window.starts[bar] for bar in legs.bars.tolist())
    return Passport(
        pair=legs.pair,
        sector=legs.sector,
        timeframe=settings.model.timeframe,
        session=session.day,
        window_first=starts[0],
        window_last=starts[-1],
        bars=len(starts),
        hedge_ratio=hedge.hedge_ratio,
        intercept=hedge.intercept,
        mean=equilibrium.mean,
        deviation=equilibrium.deviation,
        phi=half.phi,
        half_life=half.bars,
        garch=models.garch,
        correlation_prices=candidate.correlation_prices,
        correlation_returns=candidate.correlation_returns,
        statistic=candidate.test.statistic,
        pvalue=candidate.test.pvalue,
        lags=candidate.test.lags,
        q_bh=candidate.q_bh,
        q_by=candidate.q_by,
        adf_pvalue=adf(spread).pvalue,
        score=score,
        data_version=_version(legs, starts),
        starts=starts,
        closes_a=tuple(legs.closes_a.tolist()),
        closes_b=tuple(legs.closes_b.tolist()),
    )


def _version(legs: Aligned, starts: Sequence[datetime]) -> str:
    digest = sha256(str(legs.pair).encode())
    digest.update("".join(start.isoformat() for start in starts).encode())
    digest.update(legs.closes_a.tobytes() + legs.closes_b.tobytes())
    return digest.hexdigest()


def _funnel(
    pairs: Sequence[Pair], refused: Mapping[Pair, Refusal], family: Sequence[Candidate], settings: Settings
) -> Funnel:
    level = settings.screen.max_pvalue
    steps, left = [Step("pairs", len(pairs))], len(pairs)
    for gate in gates.STEPS:
        left -= sum(refusal.reason == gate for refusal in refused.values())
        steps.append(Step(gate, left))
    return Funnel(
        steps=tuple(steps),
        tested=len(family),
        passing=sum(candidate.test.pvalue < level for candidate in family),
        expected_by_chance=expected_by_chance(len(family), level),
        simulated_null=_null(family, settings),
    )


def _null(family: Sequence[Candidate], settings: Settings) -> SimulatedNull:
    walks = [Walk(c.legs.log_a.size, c.volatility_a, c.volatility_b) for c in family]

    def pvalue(log_a: Series, log_b: Series) -> float:
        return cointegration(log_a, log_b, settings.screen).pvalue

    draws = min(max(len(walks), LEAST_DRAWS), MOST_DRAWS)
    return simulated_null(walks, pvalue, settings.screen.max_pvalue, draws=draws, seed=settings.model.seed)


def _ranked(passports: Sequence[Passport]) -> tuple[Passport, ...]:
    return tuple(sorted(passports, key=lambda passport: (-passport.score.total, passport.pair)))


def _listed(refused: Mapping[Pair, Refusal]) -> tuple[RefusedPair, ...]:
    return tuple(RefusedPair(pair, refused[pair]) for pair in sorted(refused))


def _silent(_stage: str, _done: int, _all: int) -> None:
    return None
