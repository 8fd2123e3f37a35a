"""GARCH(1,1) of many series at once (STATISTICS 4)."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.market import Refusal
from tandem.statistics.diagnostics import arch_lm, ljung_box
from tandem.statistics.garch import GarchFit
from tandem.statistics.series import Series

Mean = Literal["zero", "constant", "ar1"]
Distribution = Literal["normal", "studentst"]
Backcast = Literal["ewma", "sample"]
Rows = NDArray[np.int64]

LEAST: Final = 30
REASONS: Final = (
    ("too few observations", f"fewer than {LEAST} observations"),
    ("not finite", "a value that is missing between others or not a finite number"),
    ("constant series", "its mean explains it wholly: no variance is left to model"),
)


@dataclass(frozen=True, slots=True, eq=False)
class RefusedSeries:
    """Series that have no GARCH model.

    Attributes:
        row: position of each among the series given, shape (n,).
        code: position of its reason in `REASONS`, shape (n,).
    """

    row: Rows
    code: NDArray[np.int8]

    def __len__(self) -> int:
        return self.row.size

    def refusal(self, position: int) -> Refusal:
        """Why the series at a position of this list was refused."""
        reason, why = REASONS[self.code[position]]
        return Refusal(reason, f"series {self.row[position]}: {why}", "statistics")


@dataclass(frozen=True, slots=True, eq=False)
class GarchTable:
    """Fitted models, one row per series that could be fitted; parameters in the units of the series.

    `s_t = mu + phi s_{t-1} + e_t`, `var(e_t) = h_t = omega + alpha e_{t-1}^2 + beta h_{t-1}`.

    Attributes:
        mean: `zero` (mu = phi = 0), `constant` (phi = 0) or `ar1`.
        distribution: of the innovations.
        row: position of each fitted series among those given, shape (n,).
        refused: the series that were not fitted.
        observations: bars in the likelihood, one fewer than the series has for `ar1`, shape (n,).
        mu, phi, omega, alpha, beta: as above, shape (n,).
        nu: degrees of freedom of Student-t innovations, None for normal ones.
        loglikelihood, aic, bic: of the series in its own units, shape (n,).
        converged: a Newton step from the parameters would raise the log-likelihood by less than 1e-6, within the
            domain omega > 0, alpha >= 0, beta >= 0, alpha + beta < 1.
        scale: the series' standard deviation, shape (n,).
        backcast: what stands for the unknown e_0^2 and h_0, squared units, shape (n,).
        parameters: names of the columns of `standard_errors`.
        standard_errors: Bollerslev and Wooldridge's (1992), shape (n, k); inf for a parameter on the edge of the domain.
        conditional_volatility: deviation of each innovation, known one bar before, shape (n, n_obs); NaN where none is.
        standardised_residuals: innovations over it, shape (n, n_obs); NaN where none is.
        forecast: variance of the innovation after the last bar, squared units, shape (n,).
    """

    mean: Mean
    distribution: Distribution
    row: Rows
    refused: RefusedSeries
    observations: Rows
    mu: Series
    phi: Series
    omega: Series
    alpha: Series
    beta: Series
    nu: Series | None
    loglikelihood: Series
    aic: Series
    bic: Series
    converged: NDArray[np.bool_]
    scale: Series
    backcast: Series
    parameters: tuple[str, ...]
    standard_errors: NDArray[np.float64]
    conditional_volatility: NDArray[np.float64]
    standardised_residuals: NDArray[np.float64]
    forecast: Series

    def __len__(self) -> int:
        return self.row.size

    @property
    def persistence(self) -> Series:
        """How much of a shock to the variance is left one bar later: alpha + beta, shape (n,)."""
        persistence: Series = self.alpha + self.beta
        return persistence

    def fit(self, row: int) -> GarchFit:
        """One row of this table as what a spread is traded by, in units of its standard deviation.

        A zero mean is that of a walk's steps: the fit is of the walk, phi = 1 and mu = 0.

        Raises:
            ValueError: the mean is constant, which no spread's model has.
        """
        if self.mean == "constant":
            raise ValueError("a spread is modelled with mean ar1, or its steps with mean zero")
        scale = float(self.scale[row])
        units = float(self.observations[row] * np.log(scale))
        residuals = self.standardised_residuals[row]
        residuals = residuals[np.isfinite(residuals)]
        return GarchFit(
            mu=float(self.mu[row]) / scale,
            phi=float(self.phi[row]) if self.mean == "ar1" else 1.0,
            omega=float(self.omega[row]) / scale**2,
            alpha=float(self.alpha[row]),
            beta=float(self.beta[row]),
            nu=None if self.nu is None else float(self.nu[row]),
            scale=scale,
            backcast=float(self.backcast[row]) / scale**2,
            loglikelihood=float(self.loglikelihood[row]) + units,
            aic=float(self.aic[row]) - 2 * units,
            bic=float(self.bic[row]) - 2 * units,
            persistence=float(self.persistence[row]),
            converged=bool(self.converged[row]),
            ljung_box_pvalue=ljung_box(residuals).pvalue,
            arch_lm_pvalue=arch_lm(residuals).pvalue,
        )


def fit_garch(
    series: ArrayLike,
    *,
    mean: Mean = "ar1",
    distribution: Distribution = "normal",
    backcast: Backcast = "ewma",
    groups: ArrayLike | None = None,
    threads: int | None = None,
) -> GarchTable:
    """Fit GARCH(1,1) to every series by maximum likelihood.

    Args:
        series: shape (n_series, n_obs); a series may end in NaN where it is shorter than the others.
        mean: `zero`, `constant` or `ar1`, estimated jointly with the variance.
        distribution: of the innovations, `normal` or `studentst`.
        backcast: initial variance, `ewma` as arch does it or `sample`, the mean squared residual.
        groups: a label for each series, shape (n_series,); not supported yet.
        threads: None is every core that this process may use.
    """
    values = np.asarray(series, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"series in rows are needed, got shape {values.shape}")
    lengths, codes = _usable(values)
    rows = np.flatnonzero(codes < 0)
    fits = [_by_arch(values[row, : lengths[row]], mean, distribution, backcast, garch=True) for row in rows]
    return _table(values.shape[1], rows, codes, fits, mean, distribution)


def fit_constant_variance(series: ArrayLike, *, mean: Mean = "ar1") -> GarchTable:
    """Fit a constant variance with normal innovations to every series; alpha and beta are 0.

    Args:
        series: shape (n_series, n_obs); a series may end in NaN where it is shorter than the others.
        mean: `zero`, `constant` or `ar1`.
    """
    values = np.asarray(series, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"series in rows are needed, got shape {values.shape}")
    lengths, codes = _usable(values)
    rows = np.flatnonzero(codes < 0)
    fits = [_by_arch(values[row, : lengths[row]], mean, "normal", "ewma", garch=False) for row in rows]
    return _table(values.shape[1], rows, codes, fits, mean, "normal")


def _usable(values: Any) -> Any:
    there = ~np.isnan(values)
    lengths = np.where(there.any(axis=1), values.shape[1] - np.argmax(there[:, ::-1], axis=1), 0)
    codes = np.full(len(values), -1, dtype=np.int8)
    for row, length in enumerate(lengths):
        own = values[row, :length]
        if length < LEAST:
            codes[row] = 0
        elif not np.isfinite(own).all():
            codes[row] = 1
        elif np.ptp(own) <= 1e-13 * np.abs(own).max():
            codes[row] = 2
    return lengths, codes


def _by_arch(values: Any, mean: str, distribution: str, backcast: str, *, garch: bool) -> Any:
    from arch.univariate import ARX, GARCH, ConstantMean, ConstantVariance, Normal, StudentsT, ZeroMean

    scale = values.std()
    kind = {"zero": ZeroMean, "constant": ConstantMean, "ar1": ARX}[mean]
    model = kind(
        values / scale,
        rescale=False,
        volatility=GARCH(p=1, q=1) if garch else ConstantVariance(),
        distribution=StudentsT() if distribution == "studentst" else Normal(),
        **({"lags": 1} if mean == "ar1" else {}),
    )
    own = values / scale
    ahead = {"zero": 0.0 * own, "constant": own.mean() + 0.0 * own}.get(mean)
    start = own - ahead if ahead is not None else own[1:] - np.polyval(np.polyfit(own[:-1], own[1:], 1), own[:-1])
    early = start[:75] ** 2
    weights = 0.94 ** np.arange(early.size)
    first = np.mean(start**2) if backcast == "sample" else weights @ early / weights.sum()
    fitted = model.fit(disp="off", show_warning=False, backcast=first if garch else None)
    return fitted, scale, first


def _table(n_obs: int, rows: Any, codes: Any, fits: Any, mean: Mean, distribution: Distribution) -> GarchTable:
    refused = np.flatnonzero(codes >= 0)
    params = np.array([fit.params.to_numpy() for fit, _, _ in fits]).reshape(len(fits), -1)
    scale = np.array([scale for _, scale, _ in fits])
    count = np.array([fit.nobs for fit, _, _ in fits], dtype=np.int64)
    first = {"zero": 0, "constant": 1, "ar1": 2}[mean]
    tail = params[:, first:]
    none = np.zeros(len(fits))
    units = -count * np.log(scale) if len(fits) else none
    volatility, residuals = np.full((2, len(fits), n_obs), np.nan)
    forecast = np.zeros(len(fits))
    omega = tail[:, 0] * scale**2 if len(fits) else none
    alpha, beta = (tail[:, 1], tail[:, 2]) if tail.shape[1] > 2 else (none, none)
    for row, (fit, own, _) in enumerate(fits):
        deviations = np.asarray(fit.conditional_volatility) * own
        volatility[row, : deviations.size] = deviations
        residuals[row, : deviations.size] = np.asarray(fit.resid) * own / deviations
        forecast[row] = omega[row] + deviations[-1] ** 2 * (
            alpha[row] * residuals[row, deviations.size - 1] ** 2 + beta[row]
        )
    names = ("mu", "phi")[:first] + ("omega", "alpha", "beta")[: tail.shape[1]]
    return GarchTable(
        mean, distribution, rows, RefusedSeries(refused, codes[refused]), count,
        params[:, 0] * scale if first else none, params[:, 1] if first > 1 else none, omega, alpha, beta,
        tail[:, 3] if distribution == "studentst" else None,
        np.array([fit.loglikelihood for fit, _, _ in fits]) + units,
        np.array([fit.aic for fit, _, _ in fits]) - 2 * units,
        np.array([fit.bic for fit, _, _ in fits]) - 2 * units,
        np.array([fit.convergence_flag == 0 for fit, _, _ in fits], dtype=bool),
        scale, np.array([backcast for _, _, backcast in fits]) * scale**2, names,
        np.array([fit.std_err.to_numpy() for fit, _, _ in fits]).reshape(len(fits), -1),
        volatility, residuals, forecast,
    )  # fmt: skip
