"""Training and judging the model of one pair (STATISTICS 6).

The order of things, so that nothing is judged on what it has seen:

1. the window is cut in time order into train, validation and test blocks; before each of the latter two a gap
   of the longest look-back, the horizon and an embargo keeps features and labels apart;
2. hedge, equilibrium, AR(1), GARCH and scaler are estimated on the train block alone;
3. the GRU learns from the train block and from sequences simulated with what was estimated on it; the validation
   block ends its training and calibrates;
4. the test block is touched once. Every score of every forecast is taken there, and so is the one choice that is
   made on it: the GRU replaces the AR(1) baseline only where a one-sided Diebold-Mariano test of their
   log losses rejects at `model.evidence_pvalue` and its Matthews correlation is higher. With the few hundred
   points of a formation window that rarely happens, and on an Ornstein-Uhlenbeck spread it would be a mistake;
5. the GRU is refitted on the whole window with the passport's own hedge, equilibrium and GARCH, for as
   many epochs as were best; the calibration stays that of the validation block.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from tandem.config import ModelSettings, Settings
from tandem.forecast.features import Array
from tandem.forecast.gru import train_gru
from tandem.forecast.judgement import Judgement, baseline_calibration, baseline_metrics, judge
from tandem.forecast.labels import horizon_of
from tandem.forecast.model import Network, PairModel, Period
from tandem.forecast.practice import practised
from tandem.forecast.rivals import fit_scaler
from tandem.forecast.window import Spread, Window, refused
from tandem.market import Refusal
from tandem.statistics import Equilibrium, one_thread

if TYPE_CHECKING:
    from tandem.screening import Passport


def train_pair(
    passport: "Passport",
    closes_a: ArrayLike,
    closes_b: ArrayLike,
    settings: Settings,
    starts: Sequence[datetime] | None = None,
) -> PairModel:
    """Train, judge and refit the model of one pair; the baseline trades where the GRU has no evidence.

    A window of fewer than `model.min_data_points` bars, a train block whose spread does not revert, and
    blocks with fewer than 30 samples train no GRU: the baseline trades and the model carries the Refusal.

    Args:
        passport: the pair's passport.
        closes_a: closes of leg a over the training window, shape [bars]; it ends where the passport's window
            ends and may reach further back.
        closes_b: of leg b, on the same bars.
        settings: `model` and `garch` are read.
        starts: of the bars; the passport's own where the window is the passport's.
    """
    with one_thread():
        return _model(passport, closes_a, closes_b, settings, starts)


def _model(
    passport: "Passport",
    closes_a: ArrayLike,
    closes_b: ArrayLike,
    settings: Settings,
    starts: Sequence[datetime] | None,
) -> PairModel:
    log_a, log_b = np.log(np.asarray(closes_a, np.float64)), np.log(np.asarray(closes_b, np.float64))
    window, recipe, bars = Window.cut(log_a, log_b, settings), settings.model, len(log_a)
    plain = _plain(passport, recipe)
    if isinstance(window, Refusal):
        return _without_gru(plain, window)
    dated = replace(
        plain,
        metrics=baseline_metrics(window, recipe),
        calibration=baseline_calibration(window, recipe),
        periods=_periods(window, starts or (passport.starts if len(passport.starts) == bars else None)),
    )
    if bars < recipe.min_data_points:
        return _without_gru(dated, refused(f"{bars} bars, model.min_data_points is {recipe.min_data_points}"))
    return _with_gru(dated, judge(window, recipe), passport, passport.spread(closes_a, closes_b))


def _plain(passport: "Passport", recipe: ModelSettings) -> PairModel:
    return PairModel(
        pair=passport.pair,
        session=passport.session,
        phi=passport.phi,
        horizon=horizon_of(passport.half_life),
        settings=recipe,
        trades_with="baseline",
        why="",
        metrics={},
    )


def _without_gru(model: PairModel, refusal: Refusal) -> PairModel:
    return replace(model, why=f"no GRU was trained: {refusal.why}", refusal=refusal)


def _with_gru(model: PairModel, judged: Judgement, passport: "Passport", spread: Array) -> PairModel:
    gru_trades, why = judged.choice(model.settings)
    lesson = judged.lesson
    return replace(
        model,
        trades_with="gru" if gru_trades else "baseline",
        why=why,
        metrics=judged.metrics,
        history=lesson.history,
        best_epoch=lesson.best_epoch,
        calibration=judged.calibration if gru_trades else model.calibration,
        network=_refitted(passport, spread, model.settings, lesson.best_epoch),
    )


def _refitted(passport: "Passport", values: Array, recipe: ModelSettings, epochs: int) -> Network:
    equilibrium, horizon = Equilibrium(passport.mean, passport.deviation), horizon_of(passport.half_life)
    path = passport.garch.filter(values)
    spread = Spread(values, equilibrium, passport.phi, horizon, passport.garch, path)
    samples = spread.samples(recipe)
    scaler, taught = fit_scaler(samples, spread, recipe), practised(samples, spread, recipe)
    lesson = train_gru((scaler.scale(taught.rows), taught.labels), None, recipe, epochs)
    return Network(lesson.gru, scaler)


def _periods(window: Window, starts: Sequence[datetime] | None) -> dict[str, Period]:
    if starts is None:
        return {}
    return {
        name: Period(starts[block.bars[0]].date(), starts[block.bars[-1]].date(), len(block))
        for name, block in window.blocks.items()
    }
