"""Likelihood, gradient and optimiser of GARCH(1,1), compiled.

Everything here works on series in units of their innovations' deviation. A parameter vector is
`mu, phi, omega, alpha, beta, eta` with `eta = 1 / nu`; `free` lists the positions that are estimated.
The method is sequential quadratic programming: a quasi-Newton model of the likelihood that starts from the
expected information, minimised within the linear bounds by an active-set method, and at the end Newton
steps with the observed information.
"""

from collections.abc import Callable
from math import lgamma, log, pi
from typing import Any, Final, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tandem.statistics.series import Series

Matrix = NDArray[np.float64]
Cube = NDArray[np.float64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
Loop = TypeVar("Loop", bound=Callable[..., Any])

SIZE: Final = 6
MU: Final = 0
OMEGA: Final = 2
ALPHA: Final = 3
BETA: Final = 4
ETA: Final = 5

LEAST_VARIANCE: Final = 1e-14
STEPS: Final = 100
ROUGH: Final = 1e-6
EXACT: Final = 1e-10
HELD: Final = 1e-9
EARLY: Final = 75
DECAY: Final = 0.94
PATIENCE: Final = 1e5
SAME: Final = 0.002
DEGENERATE: Final = 1e-10
ROUNDS: Final = 200
NUDGE: Final = 1e-5

# Least omega and the range of nu are arch's; a persistence of 1 itself has no finite variance.
BOUNDS: Final = np.array([1e-8, -10.0, 0.0, 0.0, -(1 - 1e-10), 1 / 500, -1 / 2.05])
NORMALS: Final = np.array(
    [
        [0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, -1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, -1.0, -1.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, -1.0],
    ]
)
PERSISTENCE_BOUND: Final = 4

OPTIONS: Final[dict[str, Any]] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}


def entry(loop: Loop) -> Loop:
    """A compiled loop that Python calls."""
    return cast(Loop, njit(**OPTIONS)(loop))


def compiled(loop: Loop) -> Loop:
    """A compiled loop that others alone call: it needs no way in from Python, which takes long to compile."""
    return cast(Loop, njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)(loop))  # type: ignore[call-overload]


@compiled
def _digamma(x: float) -> float:
    shift = 0.0
    while x < 8.0:
        shift -= 1.0 / x
        x += 1.0
    i = 1.0 / (x * x)
    series = i * (1 / 12 - i * (1 / 120 - i * (1 / 252 - i * (1 / 240 - i * (5 / 660 - i * 691 / 32760)))))
    return shift + log(x) - 0.5 / x - series


@compiled
def _backcast_of(x: Series, moments: Series, early: float, slopes: Series) -> Any:
    if early >= 0:
        slopes[0] = 0.0
        slopes[1] = 0.0
        return early
    n, y, lag, yy, yl, ll = moments
    mu, phi = x[0], x[1]
    slopes[0] = -2 * (y - n * mu - phi * lag) / n
    slopes[1] = -2 * (yl - mu * lag - phi * ll) / n
    return (yy - 2 * mu * y - 2 * phi * yl + n * mu * mu + 2 * mu * phi * lag + phi * phi * ll) / n


@compiled
def _finished(n: int, logs: float, tails: float, weighted: float, nu: float, gradient: Series) -> float:
    if nu == 0.0:
        return 0.5 * (n * log(2 * pi) + logs + weighted)
    level = lgamma((nu + 1) / 2) - lgamma(nu / 2) - 0.5 * log(pi * (nu - 2))
    slope = 0.5 * (_digamma((nu + 1) / 2) - _digamma(nu / 2) - 1 / (nu - 2))
    # The derivative for eta is -nu^2 times that for nu.
    gradient[ETA] -= nu * nu * (0.5 * tails - n * slope - 0.5 * weighted / (nu - 2))
    return 0.5 * (logs + (nu + 1) * tails) - n * level


@compiled
def _evaluate(  # noqa: PLR0915
    z: Series, first: int, x: Series, moments: Series, early: float, student: bool, gradient: Series
) -> float:
    """Negative log-likelihood; its gradient is added to `gradient`."""
    mu, phi, omega, alpha, beta = x[0], x[1], x[2], x[3], x[4]
    nu = 1.0 / x[5] if student else 0.0
    slopes = np.empty(2)
    q = _backcast_of(x, moments, early, slopes)
    qm, qp = slopes[0], slopes[1]
    h, hm, hp, hw, ha, hb = q, qm, qp, 0.0, 0.0, 0.0
    gm, gp, gw, ga, gb, gn = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    lag = z[0] if first == 1 else 0.0
    logs, tails, product, tail = 0.0, 0.0, 1.0, 1.0
    weight = 1.0
    for t in range(first, z.size):
        y = z[t]
        hm = alpha * qm + beta * hm
        hp = alpha * qp + beta * hp
        hw = 1.0 + beta * hw
        ha = q + beta * ha
        hb = h + beta * hb
        h = max(omega + alpha * q + beta * h, LEAST_VARIANCE)
        e = y - mu - phi * lag
        q = e * e
        r = 1.0 / h
        s = q * r
        if student:
            weight = (nu + 1.0) / (nu - 2.0 + s)
            tail *= 1.0 + s / (nu - 2.0)
        gn += weight * s
        u = 0.5 * r * (1.0 - weight * s)
        v = weight * e * r
        gm += u * hm - v
        gp += u * hp - v * lag
        gw += u * hw
        ga += u * ha
        gb += u * hb
        qm = -2.0 * e
        qp = qm * lag
        lag = y
        product *= h
        if t & 7 == 7:
            # One logarithm for eight bars; a product of eight variances stays far from the ends of float64.
            logs += log(product)
            product = 1.0
            if student:
                tails += log(tail)
                tail = 1.0
    logs += log(product)
    gradient[0] += gm
    gradient[1] += gp
    gradient[2] += gw
    gradient[3] += ga
    gradient[4] += gb
    if student:
        tails += log(tail)
    return _finished(z.size - first, logs, tails, gn, nu, gradient)


@compiled
def _evaluate_squares(squares: Series, early: float, x: Series, student: bool, gradient: Series) -> float:
    """The same from squared residuals: of the variance's parameters alone, at half the cost."""
    omega, alpha, beta = x[2], x[3], x[4]
    nu = 1.0 / x[5] if student else 0.0
    q, h, hw, ha, hb = early, early, 0.0, 0.0, 0.0
    gw, ga, gb, gn = 0.0, 0.0, 0.0, 0.0
    logs, tails, product, tail, weight = 0.0, 0.0, 1.0, 1.0, 1.0
    for t in range(squares.size):
        hw = 1.0 + beta * hw
        ha = q + beta * ha
        hb = h + beta * hb
        h = max(omega + alpha * q + beta * h, LEAST_VARIANCE)
        q = squares[t]
        r = 1.0 / h
        s = q * r
        if student:
            weight = (nu + 1.0) / (nu - 2.0 + s)
            tail *= 1.0 + s / (nu - 2.0)
        s *= weight
        gn += s
        u = 0.5 * r * (1.0 - s)
        gw += u * hw
        ga += u * ha
        gb += u * hb
        product *= h
        if t & 7 == 7:
            logs += log(product)
            product = 1.0
            if student:
                tails += log(tail)
                tail = 1.0
    logs += log(product)
    if student:
        tails += log(tail)
    gradient[2] += gw
    gradient[3] += ga
    gradient[4] += gb
    return _finished(squares.size, logs, tails, gn, nu, gradient)


@compiled
def _expected_information(z: Series, first: int, x: Series, moments: Series, early: float, curvature: Matrix) -> None:
    """Add the information that normal innovations are expected to carry; none between mean and variance."""
    slopes = np.empty(2)
    q = _backcast_of(x, moments, early, slopes)
    qm, qp = slopes[0], slopes[1]
    h, hm, hp, hw, ha, hb = q, qm, qp, 0.0, 0.0, 0.0
    mm, mp, pp, ww, wa, wb, aa, ab, bb = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    omega, alpha, beta = x[2], x[3], x[4]
    lag = z[0] if first == 1 else 0.0
    for t in range(first, z.size):
        hm = alpha * qm + beta * hm
        hp = alpha * qp + beta * hp
        hw = 1.0 + beta * hw
        ha = q + beta * ha
        hb = h + beta * hb
        h = max(omega + alpha * q + beta * h, LEAST_VARIANCE)
        e = z[t] - x[0] - x[1] * lag
        r = 1.0 / h
        w = 0.5 * r * r
        mm += r + w * hm * hm
        mp += r * lag + w * hm * hp
        pp += r * lag * lag + w * hp * hp
        ww += w * hw * hw
        wa += w * hw * ha
        wb += w * hw * hb
        aa += w * ha * ha
        ab += w * ha * hb
        bb += w * hb * hb
        q = e * e
        qm = -2.0 * e
        qp = qm * lag
        lag = z[t]
    curvature[0, 0] += mm
    curvature[1, 0] += mp
    curvature[1, 1] += pp
    curvature[2, 2] += ww
    curvature[3, 2] += wa
    curvature[4, 2] += wb
    curvature[3, 3] += aa
    curvature[4, 3] += ab
    curvature[4, 4] += bb


@compiled
def _expected_of_variance(squares: Series, early: float, x: Series, curvature: Matrix) -> None:
    q, h, hw, ha, hb = early, early, 0.0, 0.0, 0.0
    ww, wa, wb, aa, ab, bb = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    omega, alpha, beta = x[2], x[3], x[4]
    for t in range(squares.size):
        hw = 1.0 + beta * hw
        ha = q + beta * ha
        hb = h + beta * hb
        h = max(omega + alpha * q + beta * h, LEAST_VARIANCE)
        w = 0.5 / (h * h)
        ww += w * hw * hw
        wa += w * hw * ha
        wb += w * hw * hb
        aa += w * ha * ha
        ab += w * ha * hb
        bb += w * hb * hb
        q = squares[t]
    curvature[2, 2] += ww
    curvature[3, 2] += wa
    curvature[4, 2] += wb
    curvature[3, 3] += aa
    curvature[4, 3] += ab
    curvature[4, 4] += bb


@compiled
def _solve(a: Matrix, b: Series, n: int) -> None:
    """Gaussian elimination in place with row exchange; the answer is in b."""
    for i in range(n):
        pivot = i
        for j in range(i + 1, n):
            if abs(a[j, i]) > abs(a[pivot, i]):
                pivot = j
        if pivot != i:
            for j in range(i, n):
                a[i, j], a[pivot, j] = a[pivot, j], a[i, j]
            b[i], b[pivot] = b[pivot], b[i]
        if a[i, i] == 0.0:
            a[i, i] = 1e-300
        for j in range(i + 1, n):
            f = a[j, i] / a[i, i]
            if f != 0.0:
                for k in range(i + 1, n):
                    a[j, k] -= f * a[i, k]
                b[j] -= f * b[i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            b[i] -= a[i, k] * b[k]
        b[i] /= a[i, i]


@compiled
def _bounded_step(
    curvature: Matrix,
    gradient: Series,
    x: Series,
    free: Rows,
    active: Flags,
    step: Series,
    system: Matrix,
    right: Series,
) -> float:
    """Minimise `gradient d + d curvature d / 2` within the bounds around x; what it promises to gain."""
    n = free.size
    count = BOUNDS.size
    slack = np.empty(count)
    for i in range(SIZE):
        step[i] = 0.0
    for i in range(count):
        slack[i] = -BOUNDS[i]
        for k in range(SIZE):
            slack[i] += NORMALS[i, k] * x[k]
        concerns = False
        for k in range(n):
            concerns = concerns or NORMALS[i, free[k]] != 0.0
        active[i] = concerns and slack[i] <= HELD
    for _ in range(30):
        held = 0
        for i in range(n + count):
            for j in range(n + count):
                system[i, j] = 0.0
        for i in range(n):
            right[i] = -gradient[free[i]]
            for j in range(n):
                system[i, j] = curvature[free[i], free[j]]
                right[i] -= curvature[free[i], free[j]] * step[free[j]]
        for i in range(count):
            if active[i]:
                for k in range(n):
                    system[k, n + held] = -NORMALS[i, free[k]]
                    system[n + held, k] = NORMALS[i, free[k]]
                right[n + held] = 0.0
                held += 1
        _solve(system, right, n + held)
        reach, blocking = 1.0, -1
        for i in range(count):
            if not active[i]:
                slope, room = 0.0, slack[i]
                for k in range(n):
                    slope += NORMALS[i, free[k]] * right[k]
                    room += NORMALS[i, free[k]] * step[free[k]]
                if slope < -1e-14 and room < -slope * reach:
                    reach, blocking = max(room, 0.0) / -slope, i
        for k in range(n):
            step[free[k]] += reach * right[k]
        if blocking >= 0:
            active[blocking] = True
            continue
        worst, place, least = -1, 0, -1e-10
        for i in range(count):
            if active[i]:
                if right[n + place] < least:
                    worst, least = i, right[n + place]
                place += 1
        if worst < 0:
            break
        active[worst] = False
    gain = 0.0
    for i in range(n):
        for j in range(n):
            gain -= 0.5 * step[free[i]] * curvature[free[i], free[j]] * step[free[j]]
        gain -= gradient[free[i]] * step[free[i]]
    return gain


@compiled
def _update(curvature: Matrix, free: Rows, moved: Series, change: Series, image: Series) -> None:
    """Powell's damped BFGS update."""
    n = free.size
    bent, met = 0.0, 0.0
    for i in range(n):
        image[free[i]] = 0.0
        for j in range(n):
            image[free[i]] += curvature[free[i], free[j]] * moved[free[j]]
        bent += moved[free[i]] * image[free[i]]
        met += moved[free[i]] * change[free[i]]
    if bent <= 0.0:
        return
    share = 1.0 if met >= 0.2 * bent else 0.8 * bent / (bent - met)
    met = share * met + (1 - share) * bent
    for i in range(n):
        change[free[i]] = share * change[free[i]] + (1 - share) * image[free[i]]
    for i in range(n):
        for j in range(n):
            a, b = free[i], free[j]
            curvature[a, b] += change[a] * change[b] / met - image[a] * image[b] / bent


@compiled
def _total(
    z: Matrix,
    squares: Matrix,
    lengths: Rows,
    first: int,
    x: Series,
    moments: Matrix,
    early: Series,
    boots: Series,
    student: bool,
    jointly: bool,
    gradient: Series,
) -> float:
    """Likelihood of one series, or of the variance that several share."""
    for i in range(SIZE):
        gradient[i] = 0.0
    if jointly:
        return _evaluate(z[0, : lengths[0]], first, x, moments[0], early[0], student, gradient)
    value = 0.0
    for row in range(lengths.size):
        value += _evaluate_squares(squares[row, first : lengths[row]], boots[row], x, student, gradient)
    return value


@compiled
def _distance(curvature: Matrix, x: Series, y: Series, free: Rows) -> float:
    """How far the likelihood falls from y to x, if it is as curved as at y."""
    fall = 0.0
    for i in free:
        for j in free:
            fall += 0.5 * (x[i] - y[i]) * curvature[i, j] * (x[j] - y[j])
    return fall


@compiled
def _begin(
    z: Matrix,
    squares: Matrix,
    lengths: Rows,
    first: int,
    x: Series,
    moments: Matrix,
    early: Series,
    boots: Series,
    jointly: bool,
    curvature: Matrix,
) -> None:
    """The expected information at x, made safely definite."""
    for i in range(SIZE):
        for j in range(SIZE):
            curvature[i, j] = 0.0
    if jointly:
        _expected_information(z[0, : lengths[0]], first, x, moments[0], early[0], curvature)
    else:
        for row in range(lengths.size):
            _expected_of_variance(squares[row, first : lengths[row]], boots[row], x, curvature)
    curvature[ETA, ETA] = 0.5 * (lengths.sum() - first * lengths.size)
    for i in range(SIZE):
        for j in range(i):
            curvature[j, i] = curvature[i, j]
        curvature[i, i] = curvature[i, i] * (1 + 1e-4) + 1e-6


@compiled
def _descend(
    z: Matrix,
    squares: Matrix,
    lengths: Rows,
    first: int,
    x: Series,
    moments: Matrix,
    early: Series,
    boots: Series,
    student: bool,
    jointly: bool,
    free: Rows,
    curvature: Matrix,
    gradient: Series,
    active: Flags,
    enough: float,
    best: float,
    kept: Series,
    bowl: Matrix,
    work: Matrix,
) -> float:
    """Move x to a minimum; the negative log-likelihood there, inf where it leads to no better one than `best`."""
    system, right, step, at, before = work[:13], work[13], work[14], work[15], work[16]
    value = _total(z, squares, lengths, first, x, moments, early, boots, student, jointly, gradient)
    for _ in range(STEPS):
        gain = _bounded_step(curvature, gradient, x, free, active, step, system, right)
        if not gain > enough:
            break
        if value - PATIENCE * gain > best or (best < np.inf and _distance(bowl, x, kept, free) < SAME):
            return np.inf
        slope = 0.0
        for i in range(SIZE):
            slope += gradient[i] * step[i]
            at[i] = x[i]
            before[i] = gradient[i]
        length, found = 1.0, np.inf
        for _ in range(30):
            for i in range(SIZE):
                x[i] = at[i] + length * step[i]
            found = _total(z, squares, lengths, first, x, moments, early, boots, student, jointly, gradient)
            if found <= value + 1e-4 * length * slope:
                break
            length *= 0.35
        if not found < value:
            for i in range(SIZE):
                x[i] = at[i]
                gradient[i] = before[i]
            break
        value = found
        for i in range(SIZE):
            step[i] = x[i] - at[i]
            before[i] = gradient[i] - before[i]
        _update(curvature, free, step, before, right)
    return value


@compiled
def _best_of(
    z: Matrix,
    squares: Matrix,
    lengths: Rows,
    first: int,
    x: Series,
    moments: Matrix,
    early: Series,
    boots: Series,
    student: bool,
    jointly: bool,
    free: Rows,
    gradient: Series,
    active: Flags,
    starts: Matrix,
    work: Matrix,
) -> float:
    """Descend from every start, then exactly from the best end; the curvature there is left in `work[23:29]`."""
    own, bowl, tried, kept = work[17:23], work[23:29], work[29], work[30]
    best = np.inf
    for s in range(starts.shape[0]):
        for i in range(SIZE):
            tried[i] = x[i] if i < OMEGA else starts[s, i - OMEGA]
        _begin(z, squares, lengths, first, tried, moments, early, boots, jointly, own)
        value = _descend(
            z,
            squares,
            lengths,
            first,
            tried,
            moments,
            early,
            boots,
            student,
            jointly,
            free,
            own,
            gradient,
            active,
            ROUGH,
            best,
            kept,
            bowl,
            work,
        )
        if value < best:
            best = value
            for i in range(SIZE):
                kept[i] = tried[i]
                for j in range(SIZE):
                    bowl[i, j] = own[i, j]
    for i in range(SIZE):
        x[i] = kept[i]
    return _descend(
        z,
        squares,
        lengths,
        first,
        x,
        moments,
        early,
        boots,
        student,
        jointly,
        free,
        bowl,
        gradient,
        active,
        EXACT,
        np.inf,
        kept,
        own,
        work,
    )


@compiled
def _standardise(
    values: Series, first: int, means: int, grouped: bool, z: Series, x: Series, moments: Series, numbers: Series
) -> bool:
    """Write the series in units of its innovations' deviation, with the mean's least squares as a start.

    `numbers` receives centre, unit, standard deviation and the exponentially weighted early variance. The
    answer is False where the mean explains the series wholly.
    """
    n = values.size
    centre, spread = 0.0, 0.0
    for t in range(n):
        centre += values[t] / n
    for t in range(n):
        spread += (values[t] - centre) ** 2 / n
    scale = np.sqrt(spread)
    if means == 0:
        spread += centre * centre
        centre = 0.0
    unit = np.sqrt(spread)
    if not (scale > 0.0 and unit < np.inf):
        return False
    for t in range(n):
        z[t] = (values[t] - centre) / unit
    mu, phi = 0.0, 0.0
    _measure(z[:n], first, moments)
    count, y, lag, _, yl, ll = moments
    if means == 2:
        phi = (yl - y * lag / count) / (ll - lag * lag / count)
    if means > 0:
        mu = (y - phi * lag) / count
    squares, early, weights, weight = 0.0, 0.0, 0.0, 1.0
    for t in range(first, n):
        e = z[t] - mu - (phi * z[t - 1] if first == 1 else 0.0)
        squares += e * e / count
        if t - first < EARLY:
            early += weight * e * e
            weights += weight
            weight *= DECAY
    own = 1.0 if grouped else np.sqrt(squares)
    if not squares > DEGENERATE**2:
        return False
    for t in range(n):
        z[t] /= own
    _measure(z[:n], first, moments)
    for i in range(SIZE):
        x[i] = 0.0
    x[0], x[1] = mu / own, phi
    numbers[0], numbers[1], numbers[2], numbers[3] = centre, unit * own, scale, early / weights / own**2
    return True


@compiled
def _measure(z: Series, first: int, moments: Series) -> None:
    for i in range(SIZE):
        moments[i] = 0.0
    for t in range(first, z.size):
        lag = z[t - 1] if first == 1 else 0.0
        moments[0] += 1
        moments[1] += z[t]
        moments[2] += lag
        moments[3] += z[t] * z[t]
        moments[4] += z[t] * lag
        moments[5] += lag * lag


@compiled
def _square(z: Series, first: int, x: Series, squares: Series) -> None:
    for t in range(first, z.size):
        e = z[t] - x[0] - (x[1] * z[t - 1] if first == 1 else 0.0)
        squares[t] = e * e


@compiled
def _nudge_of(i: int, x: Series, curvature: Matrix) -> Any:
    """A small step of one parameter that stays within the bounds."""
    size = NUDGE / np.sqrt(max(curvature[i, i], 1e-8))
    if i in (BETA, ALPHA):
        return -size if x[ALPHA] + x[BETA] + size > 1 else size
    if i == ETA:
        return -size if x[ETA] + size > -BOUNDS[6] else size
    return size


@compiled
def _observed_information(
    z: Matrix,
    lengths: Rows,
    first: int,
    x: Series,
    moments: Matrix,
    early: Series,
    student: bool,
    free: Rows,
    at: Series,
    gradient: Series,
    work: Matrix,
    observed: Matrix,
) -> None:
    """Differences of the gradient; `at` is the gradient at x."""
    for i in range(SIZE):
        for j in range(SIZE):
            observed[i, j] = 0.0
    for i in free:
        kept = x[i]
        step = _nudge_of(i, x, work)
        x[i] = kept + step
        step = x[i] - kept
        _total(z, z, lengths, first, x, moments, early, early, student, True, gradient)
        x[i] = kept
        for j in free:
            observed[i, j] += 0.5 * (gradient[j] - at[j]) / step
            observed[j, i] += 0.5 * (gradient[j] - at[j]) / step


@compiled
def _polish(
    z: Matrix,
    lengths: Rows,
    first: int,
    x: Series,
    moments: Matrix,
    early: Series,
    student: bool,
    free: Rows,
    value: float,
    active: Flags,
    work: Matrix,
    observed: Matrix,
) -> float:
    """Newton steps from x; the value there, and in `work[30, 0]` what another step would gain."""
    at, gradient, step, tried = work[14], work[15], work[16], work[29]
    system, right, own = work[:13], work[13], work[23:29]
    _total(z, z, lengths, first, x, moments, early, early, student, True, at)
    _observed_information(z, lengths, first, x, moments, early, student, free, at, gradient, own, observed)
    gain = _bounded_step(observed, at, x, free, active, step, system, right)
    for _ in range(3):
        if not gain > 1e-13:
            break
        for i in range(SIZE):
            tried[i] = x[i] + step[i]
        found = _total(z, z, lengths, first, tried, moments, early, early, student, True, gradient)
        if not found <= value + 1e-9:
            break
        value = found
        for i in range(SIZE):
            x[i] = tried[i]
            at[i] = gradient[i]
        gain = _bounded_step(observed, at, x, free, active, step, system, right)
    work[30, 0] = gain
    return value


@compiled
def _trace(
    z: Series,
    first: int,
    x: Series,
    moments: Series,
    early: float,
    student: bool,
    outer: Matrix,
    residuals: Series,
    variances: Series,
    score: Series,
) -> Any:
    """The path of one series and the outer product of its scores."""
    nu = 1.0 / x[5] if student else 0.0
    slopes = np.empty(2)
    q = _backcast_of(x, moments, early, slopes)
    boot = q
    qm, qp = slopes[0], slopes[1]
    h, hm, hp, hw, ha, hb = q, qm, qp, 0.0, 0.0, 0.0
    level = 0.5 * (_digamma((nu + 1) / 2) - _digamma(nu / 2) - 1 / (nu - 2)) if student else 0.0
    lag, weight = (z[0] if first == 1 else 0.0), 1.0
    for i in range(SIZE):
        for j in range(SIZE):
            outer[i, j] = 0.0
    for t in range(first, z.size):
        hm = x[3] * qm + x[4] * hm
        hp = x[3] * qp + x[4] * hp
        hw = 1.0 + x[4] * hw
        ha = q + x[4] * ha
        hb = h + x[4] * hb
        h = max(x[2] + x[3] * q + x[4] * h, LEAST_VARIANCE)
        e = z[t] - x[0] - x[1] * lag
        q = e * e
        r = 1.0 / h
        s = q * r
        if student:
            weight = (nu + 1) / (nu - 2 + s)
            score[5] = -nu * nu * (0.5 * log(1 + s / (nu - 2)) - level - 0.5 * weight * s / (nu - 2))
        u = 0.5 * r * (1 - weight * s)
        score[0] = u * hm - weight * e * r
        score[1] = u * hp - weight * e * r * lag
        score[2] = u * hw
        score[3] = u * ha
        score[4] = u * hb
        for i in range(SIZE):
            for j in range(i + 1):
                outer[i, j] += score[i] * score[j]
        residuals[t] = e
        variances[t] = h
        qm = -2 * e
        qp = qm * lag
        lag = z[t]
    for i in range(SIZE):
        for j in range(i):
            outer[j, i] = outer[i, j]
    return boot


@compiled
def _share_variance(
    z: Matrix,
    squares: Matrix,
    lengths: Rows,
    first: int,
    xs: Matrix,
    moments: Matrix,
    early: Series,
    student: bool,
    mean_free: Rows,
    free: Rows,
    gradient: Series,
    active: Flags,
    starts: Matrix,
    work: Matrix,
) -> bool:
    """Means, and the variance that they share, in turns until neither moves; False where they never rest."""
    boots, x, own = np.empty(lengths.size), xs[0].copy(), work[17:23]
    edges = np.zeros(BOUNDS.size, np.bool_)
    value = np.inf
    for turn in range(ROUNDS):
        level = 0.0
        for row in range(lengths.size):
            _square(z[row, : lengths[row]], first, xs[row], squares[row])
            boots[row] = _backcast_of(xs[row], moments[row], early[row], gradient)
            level += squares[row, first : lengths[row]].mean() / lengths.size
        if turn == 0:
            scaled = starts.copy()
            scaled[:, 0] *= level
            found = _best_of(
                z,
                squares,
                lengths,
                first,
                x,
                moments,
                early,
                boots,
                student,
                False,
                free,
                gradient,
                active,
                scaled,
                work,
            )
        else:
            _begin(z, squares, lengths, first, x, moments, early, boots, False, own)
            found = _descend(
                z,
                squares,
                lengths,
                first,
                x,
                moments,
                early,
                boots,
                student,
                False,
                free,
                own,
                gradient,
                active,
                EXACT,
                np.inf,
                x,
                own,
                work,
            )
        if value - found < 1e-10 * abs(found):
            return True
        value = found
        for row in range(lengths.size):
            one = slice(row, row + 1)
            for i in range(OMEGA, SIZE):
                xs[row, i] = x[i]
            if mean_free.size > 0:
                _begin(z[one], z[one], lengths[one], first, xs[row], moments[one], early[one], boots, True, own)
                _descend(
                    z[one],
                    z[one],
                    lengths[one],
                    first,
                    xs[row],
                    moments[one],
                    early[one],
                    boots,
                    student,
                    True,
                    mean_free,
                    own,
                    gradient,
                    edges,
                    EXACT,
                    np.inf,
                    x,
                    own,
                    work,
                )
    return False


@entry
def standardise_rows(
    values: Matrix, lengths: Rows, means: int, grouped: bool, z: Matrix, xs: Matrix, moments: Matrix, numbers: Matrix
) -> Flags:
    """All rows of `values`; True for each that can be fitted."""
    usable = np.zeros(lengths.size, np.bool_)
    for row in range(lengths.size):
        usable[row] = _standardise(
            values[row, : lengths[row]],
            1 if means == 2 else 0,
            means,
            grouped,
            z[row],
            xs[row],
            moments[row],
            numbers[row],
        )
    return usable


@entry
def fit_series(
    z: Matrix,
    lengths: Rows,
    first: int,
    xs: Matrix,
    moments: Matrix,
    early: Series,
    student: bool,
    free: Rows,
    starts: Matrix,
    found: Series,
    gains: Series,
    active: Flags,
    observed: Cube,
    outer: Cube,
    residuals: Matrix,
    variances: Matrix,
) -> None:
    """Fit each row of z by itself, from the means in xs; results go to xs and to the arrays after `starts`."""
    work, gradient = np.zeros((31, 13)), np.empty(SIZE)
    for row in range(lengths.size):
        one = slice(row, row + 1)
        own, count, m, e, x = z[one], lengths[one], moments[one], early[one], xs[row]
        value = _best_of(own, own, count, first, x, m, e, e, student, True, free, gradient, active[row], starts, work)
        found[row] = _polish(own, count, first, x, m, e, student, free, value, active[row], work, observed[row])
        gains[row] = work[30, 0]
        end = z[row, : lengths[row]]
        _trace(end, first, x, moments[row], early[row], student, outer[row], residuals[row], variances[row], work[14])


@entry
def fit_group(
    z: Matrix,
    lengths: Rows,
    first: int,
    xs: Matrix,
    moments: Matrix,
    early: Series,
    student: bool,
    free: Rows,
    starts: Matrix,
    found: Series,
    gains: Series,
    active: Flags,
    observed: Cube,
    outer: Cube,
    residuals: Matrix,
    variances: Matrix,
) -> None:
    """The same for rows that share their variance's parameters."""
    work, gradient = np.zeros((31, 13)), np.empty(SIZE)
    squares = np.empty(z.shape)
    mean_free, variance_free = free[free < OMEGA], free[free >= OMEGA]
    settled = _share_variance(
        z,
        squares,
        lengths,
        first,
        xs,
        moments,
        early,
        student,
        mean_free,
        variance_free,
        gradient,
        active,
        starts,
        work,
    )
    at = work[14]
    for row in range(lengths.size):
        one = slice(row, row + 1)
        own, count, m, e, x = z[one], lengths[one], moments[one], early[one], xs[row]
        gains[row] = 0.0 if settled else 1.0
        found[row] = _total(own, own, count, first, x, m, e, e, student, True, at)
        _begin(own, own, count, first, x, m, e, e, True, work[23:29])
        _observed_information(own, count, first, x, m, e, student, free, at, gradient, work[23:29], observed[row])
        end = z[row, : lengths[row]]
        _trace(end, first, x, moments[row], early[row], student, outer[row], residuals[row], variances[row], work[14])
