"""GARCH(1,1) of many series at once (STATISTICS 4)."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.statistics.descent import (
    EDGES,
    LEAST_ETA,
    LEAST_OMEGA,
    MOST_ETA,
    MOST_OMEGA,
    NO_ALPHA,
    NO_BETA,
    PERSISTENCE,
)
from tandem.statistics.diagnostics import arch_lm, ljung_box
from tandem.statistics.garch import GarchFit
from tandem.statistics.garch_kernel import Batch, fit_group, fit_rows, standardise_rows
from tandem.statistics.garch_likelihood import SIZE
from tandem.statistics.rows import RefusedSeries
from tandem.statistics.series import Series
from tandem.statistics.threads import in_chunks

Mean = Literal["zero", "constant", "ar1"]
Distribution = Literal["normal", "studentst"]
Backcast = Literal["ewma", "sample"]
Rows = NDArray[np.int64]
Matrix = NDArray[np.float64]

PARAMETERS: Final = ("mu", "phi", "omega", "alpha", "beta", "nu")
MEANS: Final[dict[Mean, tuple[str, ...]]] = {"zero": (), "constant": ("mu",), "ar1": ("mu", "phi")}
VARIANCE: Final = ("omega", "alpha", "beta")
CHUNK: Final = 128
ENOUGH: Final = 1e-6
FAR: Final = 4.5

# omega, alpha, beta and 1 / nu of unit variance. Chosen among 66 on 4,382 real and simulated series, on which the
# first five alone end below the best of the 66 four times.
STARTS: Final = np.array(
    [
        [0.001, 0.2, 0.799, 0.1],
        [0.001, 0.0, 0.999, 0.1],
        [0.15, 0.7, 0.15, 0.1],
        [0.001, 0.01, 0.989, 0.1],
        [0.3, 0.01, 0.69, 0.1],
        [0.15, 0.06, 0.79, 0.1],
        [0.001, 0.06, 0.939, 0.1],
        [0.07, 0.0, 0.93, 0.1],
    ]
)
CONSTANT_START: Final = np.array([[1.0, 0.0, 0.0, 0.1]])

LEAST: Final = 30
LARGEST: Final = 1e100
SMALLEST: Final = 1e-100
ROUNDING: Final = 1e-12
FITTED: Final = -1
TOO_FEW: Final = 0
NOT_FINITE: Final = 1
CONSTANT: Final = 2
REASONS: Final[dict[int, tuple[str, str]]] = {
    TOO_FEW: ("too few observations", f"fewer than {LEAST} observations"),
    NOT_FINITE: ("not finite", "a value that is missing between others or not a finite number"),
    CONSTANT: ("constant series", "its mean explains it wholly: no variance is left to model"),
}


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
        converged: the gradient is nought but for the domain's edges (omega > 0, alpha >= 0, beta >= 0,
            alpha + beta < 1): a Newton step would raise the log-likelihood by less than 1e-6, shape (n,).
        scale: the series' standard deviation, shape (n,).
        backcast: what stands for the unknown e_0^2 and h_0, squared units, shape (n,).
        parameters: names of the columns of `standard_errors`.
        standard_errors: Bollerslev and Wooldridge's (1992), shape (n, k); inf on the domain's edge.
        conditional_volatility: deviation of each innovation, known one bar before, shape (n, n_obs); NaN where none.
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

    def fit(self, row: int, *, scale: float | None = None) -> GarchFit:
        """One row of this table as what a spread is traded by.

        A zero mean is that of a walk's steps: the fit is of the walk, phi = 1 and mu = 0.

        Args:
            row: of this table, not of the series given.
            scale: units of the fit; the series' standard deviation where none is given.

        Raises:
            ValueError: the mean is constant, which no spread's model has.
        """
        if self.mean == "constant":
            raise ValueError("a spread is modelled with mean ar1, or its steps with mean zero")
        scale = float(self.scale[row]) if scale is None else scale
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


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """Rows brought to units of their innovations' deviation, and what the kernel leaves about them."""

    z: Matrix
    lengths: Rows
    means: NDArray[np.float64]
    xs: Matrix
    moments: Matrix
    numbers: Matrix
    early: Series
    found: Series
    gains: Series
    active: NDArray[np.bool_]
    observed: NDArray[np.float64]
    outer: NDArray[np.float64]
    residuals: Matrix
    variances: Matrix

    def run(self, rows: Rows | slice) -> "_Work":
        return _Work(*(getattr(self, each)[rows] for each in self.__slots__))


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

    A row's result depends on that row alone, or on those of its group.

    Args:
        series: shape (n_series, n_obs); a series may end in NaN where it is shorter than the others.
        mean: `zero`, `constant` or `ar1`, estimated jointly with the variance.
        distribution: of the innovations, `normal` or `studentst`.
        backcast: initial variance, `ewma` of the first 75 squared least-squares residuals as arch does it, or
            `sample`, the mean squared residual at the estimated mean.
        groups: a number for each series, shape (n_series,). Series of one group share omega (of the series over
            its standard deviation), alpha, beta and nu, and each keeps its own mean; AIC and BIC count a shared
            parameter as a share of one.
        threads: None is every core that this process may use.

    Raises:
        ValueError: not a matrix, a choice that there is not, or groups of another length.
    """
    return _fitted(series, mean, distribution, backcast, groups, threads, VARIANCE)


def fit_constant_variance(
    series: ArrayLike, *, mean: Mean = "ar1", distribution: Distribution = "normal", threads: int | None = None
) -> GarchTable:
    """Fit a constant variance, omega, to every series; alpha and beta are 0.

    Args:
        series: shape (n_series, n_obs); a series may end in NaN where it is shorter than the others.
        mean: `zero`, `constant` or `ar1`.
        distribution: of the innovations, `normal` or `studentst`.
        threads: None is every core that this process may use.
    """
    return _fitted(series, mean, distribution, "ewma", None, threads, VARIANCE[:1])


def _fitted(
    series: ArrayLike,
    mean: Mean,
    distribution: Distribution,
    backcast: Backcast,
    groups: ArrayLike | None,
    threads: int | None,
    variance: tuple[str, ...],
) -> GarchTable:
    if np.iscomplexobj(series):
        raise ValueError("series are real numbers, got complex ones")
    values = np.ascontiguousarray(series, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"series in rows are needed, got shape {values.shape}")
    if mean not in MEANS or distribution not in ("normal", "studentst") or backcast not in ("ewma", "sample"):
        raise ValueError(f"no GARCH model has mean {mean}, distribution {distribution} and backcast {backcast}")
    labels = None if groups is None else np.asarray(groups)
    if labels is not None and labels.shape != values.shape[:1]:
        raise ValueError(f"{len(values)} series need as many groups, got shape {labels.shape}")
    lengths, codes = _usable(values)
    rows = np.flatnonzero(codes == FITTED)
    work = _prepared(values[rows], lengths[rows], mean, distribution, backcast, grouped=labels is not None)
    usable = work.found == 0
    codes[rows[~usable]] = CONSTANT
    rows, work = rows[usable], work.run(np.flatnonzero(usable))
    names = MEANS[mean] + variance + (("nu",) if distribution == "studentst" else ())
    _estimate(work, names, mean, distribution, None if labels is None else labels[rows], threads)
    gone = np.flatnonzero(codes != FITTED)
    refused = RefusedSeries(gone, codes[gone], lengths[gone], REASONS)
    return _table(work, rows, refused, names, mean, distribution, None if labels is None else labels[rows])


def _usable(values: Matrix) -> tuple[Rows, Rows]:
    there = ~np.isnan(values)
    width = values.shape[1]
    lengths: Rows = np.zeros(len(values), dtype=np.int64)
    if width:
        lengths[:] = np.where(there.any(axis=1), width - np.argmax(there[:, ::-1], axis=1), 0)
    inside = np.arange(width) < lengths[:, None]
    finite = np.where(np.isfinite(values) & (np.abs(values) < LARGEST), values, 0.0)
    whole = ((finite == values) | ~inside).all(axis=1)
    top = np.where(inside, finite, -np.inf).max(axis=1, initial=-np.inf)
    bottom = np.where(inside, finite, np.inf).min(axis=1, initial=np.inf)
    largest = np.maximum(np.abs(finite).max(axis=1, initial=0.0), SMALLEST)
    codes = np.full(len(values), FITTED, dtype=np.int64)
    codes[top - bottom <= ROUNDING * largest] = CONSTANT
    codes[~whole] = NOT_FINITE
    codes[lengths < LEAST] = TOO_FEW
    return lengths, codes


def _prepared(
    values: Matrix, lengths: Rows, mean: Mean, distribution: Distribution, backcast: Backcast, *, grouped: bool
) -> _Work:
    count, width = values.shape
    z, xs = np.empty((count, width)), np.zeros((count, SIZE))
    moments, numbers = np.empty((count, SIZE)), np.empty((count, 4))
    usable = standardise_rows(values, lengths, list(MEANS).index(mean), grouped, z, xs, moments, numbers)
    means = xs[:, None, :2].copy()
    if distribution == "studentst" and not grouped and count:
        means = np.concatenate([means, _robust_means(values, mean, numbers)[:, None]], axis=1)
    return _Work(
        z,
        lengths,
        means,
        xs,
        moments,
        numbers,
        early=np.full(count, -1.0) if backcast == "sample" else numbers[:, 3].copy(),
        found=np.where(usable, 0.0, np.inf),
        gains=np.zeros(count),
        active=np.zeros((count, EDGES), dtype=np.bool_),
        observed=np.zeros((count, SIZE, SIZE)),
        outer=np.zeros((count, SIZE, SIZE)),
        residuals=np.full((count, width), np.nan),
        variances=np.full((count, width), np.nan),
    )


def _robust_means(values: Matrix, mean: Mean, numbers: Matrix) -> Matrix:
    """Least squares of mu and phi with far values drawn in, in the kernel's units, shape (n, 2).

    With heavy tails a wild value may be no innovation's, and one alone can hide what phi is.
    """
    if mean == "zero":
        return np.zeros((len(values), 2))
    middle = np.nanmedian(values, axis=1, keepdims=True)
    reach = FAR * np.nanmedian(np.abs(values - middle), axis=1, keepdims=True)
    drawn_in = np.clip(values, middle - reach, middle + reach) - middle
    phi = np.zeros((len(values), 1))
    if mean == "ar1":
        lag = np.where(np.isnan(drawn_in[:, 1:]), np.nan, drawn_in[:, :-1])
        lag -= np.nanmean(lag, axis=1, keepdims=True)
        spread = np.nansum(lag**2, axis=1, keepdims=True)
        phi = np.nansum(lag * drawn_in[:, 1:], axis=1, keepdims=True) / np.where(spread > 0, spread, 1.0)
    level = middle + np.nanmean(drawn_in, axis=1, keepdims=True)
    mu: Matrix = (level - numbers[:, :1]) * (1 - phi) / numbers[:, 1:2]
    return np.hstack([mu, phi])


def _estimate(
    work: _Work, names: tuple[str, ...], mean: Mean, distribution: Distribution, labels: Any, threads: int | None
) -> None:
    free = np.isin(PARAMETERS, names)
    starts = STARTS if "alpha" in names else CONSTANT_START
    first, student = int(mean == "ar1"), distribution == "studentst"

    def batch(of: _Work) -> Batch:
        return Batch(
            of.z, of.lengths, of.moments, of.early, first, student, free, starts,
            of.means, of.xs, of.found, of.gains, of.active, of.observed, of.outer, of.residuals, of.variances,
        )  # fmt: skip

    def each(start: int, stop: int) -> None:
        fit_rows(batch(work.run(slice(start, stop))))

    def together(start: int, stop: int) -> None:
        for label in found[start:stop]:
            rows = np.flatnonzero(labels == label)
            part = work.run(rows)
            fit_group(batch(part))
            for name in ("xs", "found", "gains", "active", "observed", "outer", "residuals", "variances"):
                getattr(work, name)[rows] = getattr(part, name)

    if labels is None:
        in_chunks(work.lengths.size, each, size=CHUNK, threads=threads)
    else:
        found = np.unique(labels)
        in_chunks(found.size, together, size=1, threads=threads)


def _table(
    work: _Work,
    rows: Rows,
    refused: RefusedSeries,
    names: tuple[str, ...],
    mean: Mean,
    distribution: Distribution,
    labels: Any,
) -> GarchTable:
    mu, phi, omega, alpha, beta, eta = np.maximum(work.xs, [-np.inf, -np.inf, 0, 0, 0, 0]).T
    centre, unit, scale, _ = work.numbers.T
    observations = work.lengths - int(mean == "ar1")
    loglikelihood = -work.found - observations * np.log(unit)
    counted = _counted(names, labels, len(rows))
    last = (np.arange(len(rows)), work.lengths - 1)
    forecast = omega + alpha * work.residuals[last] ** 2 + beta * work.variances[last]
    return GarchTable(
        mean=mean,
        distribution=distribution,
        row=rows,
        refused=refused,
        observations=observations,
        mu=mu * unit + centre * (1 - phi),
        phi=phi.copy(),
        omega=omega * unit**2,
        alpha=alpha.copy(),
        beta=beta.copy(),
        nu=1 / eta if distribution == "studentst" else None,
        loglikelihood=loglikelihood,
        aic=2 * counted - 2 * loglikelihood,
        bic=np.log(observations) * counted - 2 * loglikelihood,
        converged=(work.gains >= -ENOUGH) & (work.gains < ENOUGH),
        scale=scale.copy(),
        backcast=_backcast(work) * unit**2,
        parameters=names,
        standard_errors=_standard_errors(work, names, labels),
        conditional_volatility=np.sqrt(work.variances) * unit[:, None],
        standardised_residuals=work.residuals / np.sqrt(work.variances),
        forecast=forecast * unit**2,
    )


def _counted(names: tuple[str, ...], labels: Any, count: int) -> Series:
    if labels is None:
        return np.full(count, float(len(names)))
    _, group, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    own = sum(name in ("mu", "phi") for name in names)
    counted: Series = own + (len(names) - own) / sizes[group]
    return counted


def _backcast(work: _Work) -> Series:
    sample = np.nanmean(work.residuals**2, axis=1) if len(work.early) else work.early
    backcast: Series = np.where(work.early < 0, sample, work.early)
    return backcast


def _standard_errors(work: _Work, names: tuple[str, ...], labels: Any) -> Matrix:
    """Roots of the diagonal of H^-1 B H^-1 over the parameters inside the domain."""
    places = [PARAMETERS.index(name) for name in names]
    inside = _inside(work)
    basis = np.zeros((len(work.xs), SIZE, SIZE))
    diagonal = np.arange(SIZE)
    basis[:, diagonal, diagonal] = inside
    # On the edge alpha + beta = 1 the two move against each other.
    tied = work.active[:, PERSISTENCE] & inside[:, 3] & inside[:, 4]
    basis[tied, 4, 3], basis[tied, 4, 4] = -1.0, 0.0
    covariance = _sandwich(work, basis, labels)
    own = _to_own_units(work)
    errors = np.sqrt(np.maximum(np.einsum("nij,njk,nik->ni", own, covariance, own), 0.0))
    errors[~inside] = np.inf
    chosen: Matrix = errors[:, places]
    return chosen


def _inside(work: _Work) -> NDArray[np.bool_]:
    inside = np.ones((len(work.xs), SIZE), dtype=np.bool_)
    inside[:, 2] = ~(work.active[:, LEAST_OMEGA] | work.active[:, MOST_OMEGA])
    inside[:, 3], inside[:, 4] = ~work.active[:, NO_ALPHA], ~work.active[:, NO_BETA]
    inside[:, 5] = ~(work.active[:, LEAST_ETA] | work.active[:, MOST_ETA])
    return inside


def _sandwich(work: _Work, basis: NDArray[np.float64], labels: Any) -> NDArray[np.float64]:
    turned = basis.transpose(0, 2, 1)
    observed, outer = turned @ work.observed @ basis, turned @ work.outer @ basis
    if labels is not None:
        return np.stack([_joint(observed, outer, labels == labels[row], row) for row in range(len(labels))])
    inverse = np.linalg.pinv(observed, hermitian=True) if len(observed) else observed
    covariance: NDArray[np.float64] = basis @ inverse @ outer @ inverse @ turned
    return covariance


def _joint(observed: NDArray[np.float64], outer: NDArray[np.float64], group: Any, row: int) -> Matrix:
    members = np.flatnonzero(group)
    size = 2 * len(members) + 4
    bread, filling = np.zeros((size, size)), np.zeros((size, size))
    for place, member in enumerate(members):
        where = np.r_[4 + 2 * place, 5 + 2 * place, 0:4]
        bread[np.ix_(where, where)] += observed[member]
        filling[np.ix_(where, where)] += outer[member]
    inverse = np.linalg.pinv(bread, hermitian=True)
    own = 4 + 2 * int(np.flatnonzero(members == row)[0])
    where = np.r_[own, own + 1, 0:4]
    covariance: Matrix = (inverse @ filling @ inverse)[np.ix_(where, where)]
    return covariance


def _to_own_units(work: _Work) -> NDArray[np.float64]:
    centre, unit = work.numbers[:, 0], work.numbers[:, 1]
    own = np.zeros((len(unit), SIZE, SIZE))
    own[:, 0, 0], own[:, 0, 1] = unit, -centre
    own[:, 1, 1] = own[:, 3, 3] = own[:, 4, 4] = 1.0
    own[:, 2, 2] = unit**2
    own[:, 5, 5] = -1.0 / np.maximum(work.xs[:, 5], 1e-3) ** 2
    return own
