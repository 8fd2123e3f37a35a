"""The gates that need a model of the spread: half-life, hedge, GARCH, diagnostics, score (STATISTICS 1, 4, 5)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tandem.screening.engines.engine import Engine
from tandem.screening.examination.examined import Examined
from tandem.screening.examination.hedge import hedged
from tandem.screening.examination.models import Models, fit_models
from tandem.screening.examination.score import Scores, score_pairs
from tandem.screening.examination.spreads import Legs
from tandem.screening.gates import DIAGNOSTICS, GARCH, HALF_LIFE, HEDGE_RATIO, SELECTED, SPREAD_GATES, STEPS
from tandem.screening.market import Market
from tandem.screening.table import PairTable

Block = tuple[NDArray[np.int64], NDArray[np.int64]]
Rows = NDArray[np.intp]
Progress = Callable[[str, int, int], None]

# Fixed, so that no result depends on who works on a block; one holds all its pairs' paths.
BLOCK: Final = 256


def screen_spreads(table: PairTable, market: Market, engine: Engine, tell: Progress) -> PairTable:
    """Measure the spreads of the pairs that are left and close the gates that look at them."""
    rows = np.flatnonzero(table.gate == SELECTED)
    blocks = [(own, table.legs(own)) for own in np.split(rows, range(BLOCK, rows.size, BLOCK)) if own.size]
    parts, done = [], 0
    for found in engine.map(examine, market, blocks):
        parts.append(found)
        done += len(found)
        tell("models", done, rows.size)
    return _closed(replace(table, examined=Examined.joined(parts)))


def examine(market: Market, block: Block) -> Examined:
    """Measure the spreads of a block of pairs, each as far as the gates let it.

    Args:
        market: the formation window.
        block: the pairs' rows in their table, shape (n,), and their legs' rows in the panel, shape (n, 2).
    """
    rows, pairs = block
    found, legs = Examined.unmeasured(rows), Legs.of(market.log_prices, pairs)
    everything = np.arange(len(found))
    found.write(everything, {"bars": legs.bars, **hedged(legs, market.screen.hedge)})
    left = np.flatnonzero(HALF_LIFE.passes(found, market.screen) & HEDGE_RATIO.passes(found, market.screen))
    if left.size:
        _model(found, legs, left, market)
    return found


def _model(found: Examined, legs: Legs, left: Rows, market: Market) -> None:
    spreads = legs.at(left).spreads(found.hedge_ratio[left], found.intercept[left])
    models = fit_models(spreads, market.garch)
    found.write(left, _figures(models))
    passing = (GARCH.passes(found, market.screen) & DIAGNOSTICS.passes(found, market.screen))[left]
    clean = np.flatnonzero(passing)
    if clean.size:
        scores = score_pairs(legs.at(left[clean]), spreads[clean], models.at(clean), market)
        found.write(left[clean], _parts(scores))


def _figures(models: Models) -> dict[str, NDArray[np.generic]]:
    return {
        "garch_converged": models.garch.converged,
        "persistence": models.garch.persistence,
        "ljung_box_pvalue": models.chosen("ljung_box_pvalue"),
        "arch_lm_pvalue": models.chosen("arch_lm_pvalue"),
    }


def _parts(scores: Scores) -> dict[str, NDArray[np.generic]]:
    names = ("fit", "volatility", "trading", "diagnostics", "round_trips", "trial_converged")
    return {"score": scores.total, **{name: getattr(scores, name) for name in names}}


def _closed(table: PairTable) -> PairTable:
    gate, spreads = table.gate.copy(), table.examined
    left = np.ones(len(spreads), np.bool_)
    for one in SPREAD_GATES:
        passing = one.passes(spreads, table.settings)
        gate[spreads.row[left & ~passing]] = STEPS.index(one.name)
        left &= passing
    return replace(table, gate=gate)
