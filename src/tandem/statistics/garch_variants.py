"""Variance models in which a fall and a rise of a spread are unlike, for one chosen spread."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from tandem.statistics.garch_table import LEAST, Distribution
from tandem.statistics.series import Series, series_of

if TYPE_CHECKING:
    from arch.univariate.base import ARCHModel, ARCHModelResult

Variant = Literal["gjr", "egarch"]


@dataclass(frozen=True, slots=True)
class VariantFit:
    """An AR(1) spread with an asymmetric variance, fitted by arch to the spread over `scale`.

    Attributes:
        variant: `gjr` (Glosten, Jagannathan and Runkle 1993) or `egarch` (Nelson 1991).
        distribution: of the innovations.
        scale: the spread's standard deviation.
        parameters: value of each parameter by arch's name, in units of `scale`; `gamma[1]` is the asymmetry.
        loglikelihood, aic, bic: on the n - 1 bars that have a predecessor, in units of `scale`.
        converged: whether arch's optimiser says so.
    """

    variant: Variant
    distribution: Distribution
    scale: float
    parameters: dict[str, float]
    loglikelihood: float
    aic: float
    bic: float
    converged: bool


def fit_variant(spread: ArrayLike, variant: Variant, distribution: Distribution = "normal") -> VariantFit:
    """Fit an asymmetric variance with an AR(1) mean to one spread.

    Its AIC and BIC compare with those of `fit_spread`, which have the same units.

    Args:
        spread: shape (n,), n at least 30, finite, not constant.
        variant: `gjr` or `egarch`.
        distribution: of the innovations.

    Raises:
        ValueError: the spread is constant, or there is no such variant.
    """
    values = series_of(spread, least=LEAST)
    scale = float(values.std())
    if np.ptp(values) == 0:
        raise ValueError("a constant spread has no variance to model")
    fitted = _quietly(_model(values / scale, variant, distribution))
    return VariantFit(
        variant=variant,
        distribution=distribution,
        scale=scale,
        parameters={str(name): float(value) for name, value in fitted.params.items()},
        loglikelihood=float(fitted.loglikelihood),
        aic=float(fitted.aic),
        bic=float(fitted.bic),
        converged=fitted.convergence_flag == 0,
    )


def _model(values: Series, variant: Variant, distribution: Distribution) -> "ARCHModel":
    from arch.univariate import ARX, EGARCH, GARCH, Normal, StudentsT

    if variant not in ("gjr", "egarch"):
        raise ValueError(f"there is no variant {variant}: gjr or egarch")
    volatility = GARCH(p=1, o=1, q=1) if variant == "gjr" else EGARCH(p=1, o=1, q=1)
    innovations = StudentsT() if distribution == "studentst" else Normal()
    return ARX(values, lags=1, rescale=False, volatility=volatility, distribution=innovations)


def _quietly(model: "ARCHModel") -> "ARCHModelResult":
    import warnings

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return model.fit(disp="off", show_warning=False)
