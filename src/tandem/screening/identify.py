"""The daily identification of pairs, from a formation window to passports and refusals."""

from collections.abc import Callable, Mapping
from datetime import UTC

import numpy as np

from tandem.config import Settings
from tandem.market import DataError, Session, Step, at_once
from tandem.screening.eligible.pairing import eligible
from tandem.screening.eligible.universe import Universe, universe_of
from tandem.screening.engines.engine import Engine, LocalEngine
from tandem.screening.examination.examine import screen_spreads
from tandem.screening.family import screen_family
from tandem.screening.funnel import funnel_of
from tandem.screening.market import Market
from tandem.screening.passports import passports_of
from tandem.screening.screen import Screen
from tandem.screening.table import PairTable
from tandem.statistics import one_thread
from tandem.store import Panel

Progress = Callable[[str, int, int], None]


def identify(
    panel: Panel,
    session: Session,
    settings: Settings,
    sectors: Mapping[str, str],
    *,
    same_source: Mapping[str, str] | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
    step: Step = at_once,
) -> Screen:
    """Screen every pair within each active sector, or across them (STATISTICS 1-5).

    Every eligible pair is tested for cointegration before any other gate; it ends selected, or refused
    by the first gate in the order of `gates.STEPS`. The same bars and settings give the same bits, whatever the
    engine.

    Args:
        panel: bars of the model's timeframe; the formation window and nothing else.
        session: the trading day to identify for.
        settings: gates, rule, GARCH and costs.
        sectors: sector of each symbol; symbols without an active one are left out.
        same_source: what a symbol's bars really are, where they are another's (a proxy).
        engine: where blocks of pairs are worked on; threads of this process where it is None.
        progress: called with a stage, the pairs done and the pairs in all.
        step: does each of the three stages.

    Raises:
        DataError: a bar of another timeframe, one that ends after the session's open, or a close that is not
            positive.
    """
    _check(panel, session, settings)
    market, universe = Market.of(panel, settings), universe_of(panel, settings, sectors)
    workers, tell = engine or LocalEngine(settings.screen.threads), progress or _silent
    with one_thread():
        considered = eligible(universe, market, same_source or {})
        tested = step("validation and screening", lambda: screen_family(considered, market, workers, tell))
        table = step("GARCH model fitting", lambda: screen_spreads(tested, market, workers, tell))
        return step("selection and ranking", lambda: _ranked(table, universe, market, session, settings))


def _ranked(table: PairTable, universe: Universe, market: Market, session: Session, settings: Settings) -> Screen:
    passports = passports_of(table, universe, market, session.day)
    return Screen(session.day, passports, funnel_of(table, universe, market, settings.model.seed), table)


def _check(panel: Panel, session: Session, settings: Settings) -> None:
    timeframe = settings.model.timeframe
    if panel.timeframe != timeframe:
        raise DataError(f"the bars are of {panel.timeframe}, the model lives on {timeframe}")
    latest = np.datetime64(session.open.astimezone(UTC).replace(tzinfo=None) - timeframe.length)
    if panel.starts.size and panel.starts[-1] > latest:
        raise DataError(f"a bar from {panel.starts[-1]} UTC ends after the open of {session.day}")
    if bool((panel.closes <= 0).any()):
        raise DataError("a close is not a positive number")


def _silent(_stage: str, _done: int, _all: int) -> None:
    return None
