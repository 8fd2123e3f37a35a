"""Training and judging the models of pairs (STATISTICS 6).

The order of things, so that nothing is judged on what it has seen:

1. the window is cut in time order into train, validation and test blocks; before each of the latter two a gap
   of the longest look-back, the horizon and an embargo keeps features and labels apart;
2. hedge, equilibrium, AR(1), GARCH and scaler are estimated on the train block alone;
3. the GRU learns from the train block and from sequences simulated with what was estimated on it; the validation
   block ends its training and calibrates;
4. the test block is touched once. Every score of every forecast is taken there, and so is the one choice that is
   made on it: the GRU replaces the AR(1) baseline only where a one-sided Diebold-Mariano test of their
   log losses rejects at `model.evidence_pvalue`, its Matthews correlation is higher and its log loss is below that
   of the base rate. With the few hundred points of a formation window that rarely happens, and on an
   Ornstein-Uhlenbeck spread it would be a mistake;
5. the GRU is refitted on the whole window with the passport's own hedge, equilibrium and GARCH, for as
   many epochs as were best; the calibration stays that of the validation block.

Each step is done for all pairs of a batch before the next, so that their networks can be taught together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from tandem.config import ModelSettings, Settings
from tandem.forecast.answering.network import Network
from tandem.forecast.gru import Assignment, train_grus
from tandem.forecast.labels import horizon_of
from tandem.forecast.model import PairModel, Period
from tandem.forecast.ranking.rating import Rating
from tandem.forecast.rivals import fit_scaler
from tandem.forecast.scaler import Scaler
from tandem.forecast.training.judgement import Judgement, assignment_of, baseline_calibration, baseline_metrics, judge
from tandem.forecast.training.pair_bars import PairBars
from tandem.forecast.training.practice import practised
from tandem.forecast.window import Spread, Window, refused
from tandem.market import Refusal
from tandem.statistics import Equilibrium, one_thread

if TYPE_CHECKING:
    from tandem.screening import Passport

Pupil = tuple["Passport", PairBars]


def train_pair(
    passport: "Passport",
    closes_a: ArrayLike,
    closes_b: ArrayLike,
    settings: Settings,
    starts: Sequence[datetime] | None = None,
) -> PairModel:
    """Train, judge and refit the model of one pair, as `train_pairs` does.

    Args:
        passport: the pair's passport.
        closes_a: closes of leg a over the training window, shape [bars].
        closes_b: of leg b, on the same bars.
        settings: `model` and `garch` are read.
        starts: of the bars; the passport's own where the window is the passport's.
    """
    return train_pairs([(passport, PairBars.of(passport.pair, closes_a, closes_b, starts or ()))], settings)[0]


def train_pairs(pupils: Sequence[Pupil], settings: Settings, *, threads: int | None = None) -> list[PairModel]:
    """Train, judge and refit the model of each pair; the baseline trades where the GRU has no evidence.

    A window of fewer than `model.min_data_points` bars, a train block whose spread does not revert, and
    blocks with fewer than 30 samples train no GRU: the baseline trades and the model carries the Refusal.

    Args:
        pupils: passports, each with its bars: the training window ends where the passport's does and may reach
            further back.
        settings: `model` and `garch` are read.
        threads: to teach networks on; None is every core that this process may use. They change no result.
    """
    recipe = settings.model
    with one_thread():
        found = _judged([bars for _, bars in pupils], settings, threads)
        learned = [
            (passport, bars, each.judgement.lesson.best_epoch)
            for (passport, bars), each in zip(pupils, found, strict=True)
            if each.judgement is not None
        ]
        networks = iter(_refitted(learned, recipe, threads))
        return [
            _with_gru(_plain(passport, bars, each, recipe), each.judgement, next(networks))
            if each.judgement is not None
            else _plain(passport, bars, each, recipe)
            for (passport, bars), each in zip(pupils, found, strict=True)
        ]


def rate_pairs(pairs: Sequence[PairBars], settings: Settings, *, threads: int | None = None) -> list[Rating]:
    """Train and judge a model for each pair without one to trade by: what `train_pairs` does up to the fourth step.

    Args:
        pairs: with their bars.
        settings: `model` and `garch` are read.
        threads: as for `train_pairs`.
    """
    with one_thread():
        found = _judged(pairs, settings, threads)
        return [_rated(bars, each, settings.model) for bars, each in zip(pairs, found, strict=True)]


@dataclass(frozen=True, eq=False)
class _Found:
    window: Window | None
    judgement: Judgement | None
    refusal: Refusal | None


def _judged(pairs: Sequence[PairBars], settings: Settings, threads: int | None) -> list[_Found]:
    recipe, windows = settings.model, [Window.cut(*bars.logs, settings) for bars in pairs]
    refusals = [_refusal(window, len(bars), recipe) for window, bars in zip(windows, pairs, strict=True)]
    taught = [
        window
        for window, refusal in zip(windows, refusals, strict=True)
        if refusal is None and isinstance(window, Window)
    ]
    assignments = [assignment_of(window, recipe) for window in taught]
    learned = train_grus(assignments, recipe, recipe.epochs, threads=threads)
    judged = iter([judge(window, recipe, lesson=lesson) for window, lesson in zip(taught, learned, strict=True)])
    return [
        _Found(window if isinstance(window, Window) else None, None if refusal else next(judged), refusal)
        for window, refusal in zip(windows, refusals, strict=True)
    ]


def _refusal(window: Window | Refusal, bars: int, recipe: ModelSettings) -> Refusal | None:
    if isinstance(window, Refusal):
        return window
    if bars < recipe.min_data_points:
        return refused(f"{bars} bars, model.min_data_points is {recipe.min_data_points}")
    return None


def _plain(passport: "Passport", bars: PairBars, found: _Found, recipe: ModelSettings) -> PairModel:
    model = PairModel(
        pair=passport.pair,
        session=passport.session,
        phi=passport.phi,
        horizon=horizon_of(passport.half_life),
        settings=recipe,
        trades_with="baseline",
        why=f"no GRU was trained: {found.refusal.why}" if found.refusal else "",
        metrics={},
        refusal=found.refusal,
    )
    if found.window is None:
        return model
    return replace(
        model,
        metrics=baseline_metrics(found.window, recipe),
        calibration=baseline_calibration(found.window, recipe),
        periods=_periods(found.window, bars.starts or (passport.starts if len(passport.starts) == len(bars) else ())),
    )


def _with_gru(model: PairModel, judged: Judgement, network: Network) -> PairModel:
    gru_trades, why = judged.choice(model.settings)
    return replace(
        model,
        trades_with="gru" if gru_trades else "baseline",
        why=why,
        metrics=judged.metrics,
        history=judged.lesson.history,
        best_epoch=judged.lesson.best_epoch,
        calibration=judged.calibration if gru_trades else model.calibration,
        network=network,
    )


def _refitted(
    asked: Sequence[tuple["Passport", PairBars, int]], recipe: ModelSettings, threads: int | None
) -> list[Network]:
    prepared = [_whole(passport, bars, recipe, epochs) for passport, bars, epochs in asked]
    learned = train_grus([assignment for assignment, _ in prepared], recipe, recipe.epochs, threads=threads)
    return [Network(lesson.gru, scaler) for lesson, (_, scaler) in zip(learned, prepared, strict=True)]


def _whole(passport: "Passport", bars: PairBars, recipe: ModelSettings, epochs: int) -> tuple[Assignment, Scaler]:
    values = passport.spread(bars.closes_a, bars.closes_b)
    equilibrium, horizon = Equilibrium(passport.mean, passport.deviation), horizon_of(passport.half_life)
    path = passport.garch.filter(values)
    spread = Spread(values, equilibrium, passport.phi, horizon, passport.garch, path)
    samples = spread.samples(recipe)
    scaler, taught = fit_scaler(samples, spread, recipe), practised(samples, spread, recipe)
    return Assignment((scaler.scale(taught.rows), taught.labels), None, recipe.seed, epochs), scaler


def _rated(bars: PairBars, found: _Found, recipe: ModelSettings) -> Rating:
    window, judged = found.window, found.judgement
    rating = Rating(
        pair=bars.pair,
        horizon=window.spread.horizon if window else 0,
        metrics=baseline_metrics(window, recipe) if window and judged is None else {},
        periods=_periods(window, bars.starts) if window else {},
        refusal=found.refusal,
    )
    if judged is None:
        return rating
    beats, why = judged.choice(recipe)
    return replace(rating, metrics=judged.metrics, best_epoch=judged.lesson.best_epoch, gru_trades=beats, why=why)


def _periods(window: Window, starts: Sequence[datetime]) -> dict[str, Period]:
    if not starts:
        return {}
    return {
        name: Period(starts[block.bars[0]].date(), starts[block.bars[-1]].date(), len(block))
        for name, block in window.blocks.items()
    }
