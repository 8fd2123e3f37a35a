"""The variance models of many spreads: constant and GARCH, with and without reversion (STATISTICS 4, 5)."""

from dataclasses import dataclass, fields
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from tandem.config import GarchSettings
from tandem.screening.examination.spreads import Column, Matrix
from tandem.statistics import GarchTable, arch_lms, fit_constant_variance, fit_garch, ljung_boxes

Rows = NDArray[np.intp]
Mean = Literal["zero", "ar1"]


@dataclass(frozen=True, slots=True)
class Fits:
    """One variance model of n spreads, shape (n,) each; a spread that has no such model did not converge.

    Attributes:
        converged: whether the fit is to be used.
        aic, bic: in the spreads' own units; infinite without a model.
        persistence: alpha + beta.
        ljung_box_pvalue, arch_lm_pvalue: of the standardised residuals; 0 without a model.
    """

    converged: NDArray[np.bool_]
    aic: Column
    bic: Column
    persistence: Column
    ljung_box_pvalue: Column
    arch_lm_pvalue: Column

    @classmethod
    def of(cls, table: GarchTable, count: int) -> Self:
        """The fits of `count` spreads, those that the table refused among them."""
        fits = cls(np.zeros(count, np.bool_), *np.full((2, count), np.inf), *np.zeros((3, count)))
        fits.converged[table.row] = table.converged
        fits.aic[table.row], fits.bic[table.row] = table.aic, table.bic
        fits.persistence[table.row] = table.persistence
        fits.ljung_box_pvalue[table.row] = ljung_boxes(table.standardised_residuals).pvalue
        fits.arch_lm_pvalue[table.row] = arch_lms(table.standardised_residuals).pvalue
        return fits

    def at(self, rows: Rows) -> Self:
        """Some of the spreads."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Models:
    """Both variance models of n spreads on the same bars."""

    constant: Fits
    garch: Fits

    def __len__(self) -> int:
        return self.garch.aic.size

    def at(self, rows: Rows) -> "Models":
        """Some of the spreads."""
        return Models(self.constant.at(rows), self.garch.at(rows))

    def least(self, criterion: str) -> Column:
        """The lower `aic` or `bic` of the models that converged."""
        constant, garch = getattr(self.constant, criterion), getattr(self.garch, criterion)
        least: Column = np.where(self.garch.converged, np.minimum(constant, garch), constant)
        return least

    def chosen(self, figure: str) -> Column:
        """A figure of the model with the lower AIC among those that converged."""
        garch = self.garch.converged & (self.garch.aic < self.constant.aic)
        chosen: Column = np.where(garch, getattr(self.garch, figure), getattr(self.constant, figure))
        return chosen


def fit_models(spreads: Matrix, settings: GarchSettings) -> Models:
    """AR(1) with a constant and with a GARCH(1,1) variance, of every spread.

    Args:
        spreads: shape (n, n_obs); a row may end in NaN.
        settings: innovations and initial variance.
    """
    return _fit(spreads, settings, "ar1")


def fit_walks(spreads: Matrix, settings: GarchSettings) -> Models:
    """The same without reversion: a walk without drift, whose steps have a constant or a GARCH(1,1) variance."""
    return _fit(np.diff(spreads, axis=1), settings, "zero")


def _fit(series: Matrix, settings: GarchSettings, mean: Mean) -> Models:
    constant = fit_constant_variance(series, mean=mean)
    garch = fit_garch(series, mean=mean, distribution=settings.distribution, backcast=settings.backcast, threads=1)
    return Models(Fits.of(constant, len(series)), Fits.of(garch, len(series)))
