"""What a refit has to pass before it trades. It is no judgement of skill: that is made of recipes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING, Final

from tandem.config import RefitSettings
from tandem.forecast.calibration import Calibration
from tandem.forecast.model import PairModel
from tandem.market import Pair, Refusal

if TYPE_CHECKING:
    from tandem.screening import Passport

LOSS: Final = "validation_log_loss"


def insane(passport: "Passport", model: PairModel) -> Refusal | None:
    """Why one pair of a refit must not trade: figures that are not finite, or a fit that did not converge."""
    strange = sorted(name for name, value in model.metrics.items() if not isfinite(value))
    if strange:
        return _refused(f"figures that are not finite: {', '.join(strange[:3])}")
    if not passport.garch.converged:
        return _refused("GARCH did not converge")
    if model.history and not isfinite(model.history[-1].loss):
        return _refused("its training diverged")
    return None


def out_of_band(
    failed: Mapping[Pair, Refusal], models: Mapping[Pair, PairModel], record: Sequence[float], settings: RefitSettings
) -> Refusal | None:
    """Why a whole refit must not trade: too many of its pairs fail, or its losses are out of its recipe's band.

    Args:
        failed: pairs that `insane` refuses.
        models: all of its pairs.
        record: losses of the recipe's earlier refits, as `loss_of` has them.
    """
    share = len(failed) / len(models)
    if share > settings.max_refused_share:
        first = next(iter(failed.values())).why
        most = f"refit.max_refused_share is {settings.max_refused_share:g}"
        return _refused(f"{len(failed)} of {len(models)} pairs fail, {most}; the first: {first}")
    loss = loss_of(model for pair, model in models.items() if pair not in failed)
    if loss is None or len(record) < settings.min_record:
        return None
    usual = sum(record) / len(record)
    highest = usual * (1 + settings.max_loss_rise)
    if loss <= highest:
        return None
    return _refused(
        f"validation log loss {loss:.3f}, {len(record)} earlier refits have {usual:.3f} and {highest:.3f} is the most"
    )


def loss_of(models: Iterable[PairModel]) -> float | None:
    """Mean validation log loss of a refit's networks; None where it has none."""
    losses = [model.metrics[LOSS] for model in models if LOSS in model.metrics]
    known = [loss for loss in losses if isfinite(loss)]
    return sum(known) / len(known) if known else None


def as_baseline(model: PairModel, why: str) -> PairModel:
    """The same pair with the AR(1) forecast in place of the model, plainly marked.

    Where the model was trusted, the baseline has no record of its own: its confidence is 0.5.
    """
    calibration = model.calibration if model.trades_with == "baseline" else Calibration()
    return replace(model, trades_with="baseline", why=f"the baseline trades: {why}", calibration=calibration)


def _refused(why: str) -> Refusal:
    return Refusal("refit", why, "forecast")
