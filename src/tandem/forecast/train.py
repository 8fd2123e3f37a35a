"""Training and judging the model of one pair (STATISTICS 6).

The order of things, so that nothing is judged on what it has seen:

1. the window is cut in time order into train, validation and test blocks; before each of the latter two a gap
   of the longest look-back, the horizon and an embargo keeps features and labels apart;
2. hedge, equilibrium, AR(1), GARCH and scaler are estimated on the train block alone;
3. the GRU learns from the train block; the validation block ends its training and calibrates;
4. the test block is touched once. Every score of every forecast is taken there, and so is the one choice that is
   made on it: the GRU replaces the AR(1) baseline only where a one-sided Diebold-Mariano test of their
   log losses rejects at `model.evidence_pvalue` and its Matthews correlation is higher. With the few hundred
   points of a formation window that rarely happens, and on an Ornstein-Uhlenbeck spread it would be a mistake;
5. the GRU is refitted on the whole window with the passport's own hedge, equilibrium and GARCH, for as
   many epochs as were best; the calibration stays that of the validation block.
"""

from typing import TYPE_CHECKING

import numpy as np

from tandem.config import ModelSettings, Settings
from tandem.forecast.calibration import Calibration
from tandem.forecast.features import Array
from tandem.forecast.gru import train_gru
from tandem.forecast.judgement import baseline_calibration, baseline_metrics, fit_scaler, judge
from tandem.forecast.labels import horizon_of
from tandem.forecast.model import Network, PairModel, Period
from tandem.forecast.window import Samples, Spread, Window, refused
from tandem.market import Refusal
from tandem.statistics import Equilibrium

if TYPE_CHECKING:
    from tandem.screening import Passport


def train_pair(passport: "Passport", closes_a: Array, closes_b: Array, settings: Settings) -> PairModel:
    """Train, judge and refit the model of one pair; the baseline trades where the GRU has no evidence.

    A window of fewer than `model.min_data_points` bars, a train block whose spread does not revert, and
    blocks with fewer than 30 samples train no GRU: the baseline trades and the model carries the Refusal.

    Args:
        passport: the pair's passport, estimated on the same window.
        closes_a: closes of leg a over the formation window, shape [bars].
        closes_b: of leg b, on the same bars.
        settings: `model` and `garch` are read.
    """
    closes_a, closes_b = np.asarray(closes_a, dtype=np.float64), np.asarray(closes_b, dtype=np.float64)
    window = Window.cut(np.log(closes_a), np.log(closes_b), settings)
    if isinstance(window, Refusal):
        return _untrained(passport, settings.model, window, None)
    bars, needed = len(closes_a), settings.model.min_data_points
    if bars < needed:
        return _untrained(passport, settings.model, refused(f"{bars} bars, model.min_data_points is {needed}"), window)
    return _trained(passport, passport.spread(closes_a, closes_b), settings.model, window)


def _trained(passport: "Passport", spread: Array, recipe: ModelSettings, window: Window) -> PairModel:
    judged = judge(window, recipe)
    gru_trades, why = judged.choice(recipe)
    return PairModel(
        pair=passport.pair,
        session=passport.session,
        phi=passport.phi,
        horizon=horizon_of(passport.half_life),
        settings=recipe,
        trades_with="gru" if gru_trades else "baseline",
        why=why,
        metrics=judged.metrics,
        history=judged.lesson.history,
        best_epoch=judged.lesson.best_epoch,
        calibration=judged.calibration if gru_trades else baseline_calibration(window),
        periods=_periods(passport, window),
        network=_refit(passport, spread, recipe, judged.lesson.best_epoch),
    )


def _untrained(passport: "Passport", recipe: ModelSettings, refusal: Refusal, window: Window | None) -> PairModel:
    return PairModel(
        pair=passport.pair,
        session=passport.session,
        phi=passport.phi,
        horizon=horizon_of(passport.half_life),
        settings=recipe,
        trades_with="baseline",
        why=f"no GRU was trained: {refusal.why}",
        metrics=baseline_metrics(window) if window else {},
        calibration=baseline_calibration(window) if window else Calibration(),
        periods=_periods(passport, window) if window else {},
        refusal=refusal,
    )


def _refit(passport: "Passport", values: Array, recipe: ModelSettings, epochs: int) -> Network:
    equilibrium = Equilibrium(passport.mean, passport.deviation)
    path = passport.garch.filter(values)
    spread = Spread(values, equilibrium, passport.phi, horizon_of(passport.half_life), path)
    samples = spread.samples(recipe)
    scaler = fit_scaler(samples)
    lesson = train_gru((scaler.scale(samples.rows), samples.labels), None, recipe, epochs)
    return Network(lesson.gru, scaler)


def _periods(passport: "Passport", window: Window) -> dict[str, Period]:
    return {name: _period(passport, block) for name, block in window.blocks.items()}


def _period(passport: "Passport", block: Samples) -> Period:
    first, last = (str(passport.starts[bar])[:10] for bar in (block.bars[0], block.bars[-1]))
    return Period(first, last, len(block))
