"""Likelihood of GARCH(1,1) with its slopes, of eight series or of eight points of one at once, compiled.

Series are in units of their innovations' deviation. Matrices of lanes have a column per lane: series `[bars,
LANES]`, parameters `[SIZE, LANES]` in the order `mu, phi, omega, alpha, beta, eta` with `eta = 1 / nu`. A lane of
length 0 is idle.
"""

from collections.abc import Callable
from math import lgamma, log, pi
from typing import Any, Final, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tandem.statistics.lanes import (
    LANES,
    Lanes,
    at_least,
    exponent,
    load,
    logarithm,
    mantissa,
    splat,
    store,
)
from tandem.statistics.series import Series

Matrix = NDArray[np.float64]
Cube = NDArray[np.float64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
Loop = TypeVar("Loop", bound=Callable[..., Any])

SIZE: Final = 6
MU: Final = 0
PHI: Final = 1
OMEGA: Final = 2
ALPHA: Final = 3
BETA: Final = 4
ETA: Final = 5

LEAST_VARIANCE: Final = 1e-14
RIDGE: Final = 1e-4
LEAST_CURVATURE: Final = 1e-6
LOG_2: Final = log(2)
LOG_2_PI: Final = log(2 * pi)

# Places in the state of a pass: the recursions, then the sums of the likelihood or of the curvature.
H, H_MU, H_PHI, H_OMEGA, H_ALPHA, H_BETA, SQUARE, SQUARE_MU, SQUARE_PHI, LAG = range(10)
SUMS: Final = 10
WEIGHTED: Final = SUMS + 5
PRODUCT, POWER, TAIL, TAIL_POWER = range(WEIGHTED + 1, WEIGHTED + 5)
PLACES: Final = SUMS + 21

OPTIONS: Final[dict[str, Any]] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}


def entry(loop: Loop) -> Loop:
    """A compiled loop that Python calls."""
    return cast(Loop, njit(**OPTIONS)(loop))


def compiled(loop: Loop) -> Loop:
    """A compiled loop that others alone call: it needs no way in from Python, which takes long to compile."""
    return cast(Loop, njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)(loop))  # type: ignore[call-overload]


class Bench(NamedTuple):
    """What lies in the lanes, and what a pass over them found.

    Attributes:
        z: the series, shape [bars, LANES].
        lengths: bars of each, shape [LANES]; 0 where the lane is idle.
        x: parameters, shape [SIZE, LANES].
        moments: sums of the series and its lag, shape [SIZE, LANES].
        early: initial variance, negative for the mean squared residual, shape [LANES].
        state: of a pass, shape [PLACES, LANES].
        value: negative log-likelihoods, shape [LANES].
        gradient: their slopes, shape [SIZE, LANES].
        curvature: the information that normal innovations are expected to carry, shape [LANES, SIZE, SIZE].
        residuals, variances: of each bar, shape [bars, LANES], where they are traced.
    """

    z: Matrix
    lengths: Rows
    x: Matrix
    moments: Matrix
    early: Series
    state: Matrix
    value: Series
    gradient: Matrix
    curvature: Cube
    residuals: Matrix
    variances: Matrix


@compiled
def new_bench(bars: int, traced: bool) -> Any:
    """Idle lanes for series of at most so many bars."""
    kept = bars if traced else 0
    return Bench(
        np.zeros((bars, LANES)),
        np.zeros(LANES, np.int64),
        np.zeros((SIZE, LANES)),
        np.zeros((SIZE, LANES)),
        np.zeros(LANES),
        np.zeros((PLACES, LANES)),
        np.zeros(LANES),
        np.zeros((SIZE, LANES)),
        np.zeros((LANES, SIZE, SIZE)),
        np.zeros((kept, LANES)),
        np.zeros((kept, LANES)),
    )


@compiled
def seat(bench: Bench, lane: int, z: Series, length: Any, moments: Series, early: Any) -> None:
    """Put a series into a lane."""
    for t in range(length):
        bench.z[t, lane] = z[t]
    for t in range(length, bench.z.shape[0]):
        bench.z[t, lane] = 0.0
    _label(bench, lane, length, moments, early)


@compiled
def seat_everywhere(bench: Bench, lanes: int, z: Series, length: Any, moments: Series, early: Any) -> None:
    """Put one series into the first lanes, for several points of it; the others are idle."""
    for t in range(length):
        store(bench.z, t, splat(z[t]))
    for lane in range(LANES):
        _label(bench, lane, length if lane < lanes else 0, moments, early)


@compiled
def _label(bench: Bench, lane: int, length: int, moments: Series, early: float) -> None:
    bench.lengths[lane] = length
    bench.early[lane] = early
    for i in range(SIZE):
        bench.moments[i, lane] = moments[i]


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
def _tail_slope(nu: float) -> float:
    """How the level of a unit-variance Student-t density changes with nu."""
    return 0.5 * (_digamma((nu + 1) / 2) - _digamma(nu / 2) - 1 / (nu - 2))


@compiled
def backcast_of(bench: Bench, lane: int) -> float:
    """The variance before the first bar."""
    if bench.early[lane] >= 0:
        return float(bench.early[lane])
    mu, phi = bench.x[MU, lane], bench.x[PHI, lane]
    n, y, lag, yy, yl, ll = bench.moments[:, lane]
    total = yy - 2 * mu * y - 2 * phi * yl + n * mu * mu + 2 * mu * phi * lag + phi * phi * ll
    return float(total / n)


@compiled
def _begin(bench: Bench, first: int) -> None:
    state = bench.state
    for lane in range(LANES):
        for place in range(PLACES):
            state[place, lane] = 0.0
        state[H, lane] = state[SQUARE, lane] = backcast_of(bench, lane) if bench.lengths[lane] else 1.0
        if bench.early[lane] < 0 and bench.lengths[lane]:
            mu, phi = bench.x[MU, lane], bench.x[PHI, lane]
            n, y, lag, _, yl, ll = bench.moments[:, lane]
            state[H_MU, lane] = state[SQUARE_MU, lane] = -2 * (y - n * mu - phi * lag) / n
            state[H_PHI, lane] = state[SQUARE_PHI, lane] = -2 * (yl - mu * lag - phi * ll) / n
        state[LAG, lane] = bench.z[0, lane] if first == 1 else 0.0


@compiled
def _next_length(lengths: Rows, beyond: int) -> int:
    """The shortest length beyond one; 0 where there is none."""
    found = 0
    for length in lengths:
        if length > beyond and (found == 0 or length < found):
            found = length
    return found


@compiled
def _slopes(
    alpha: Lanes, beta: Lanes, q: Lanes, qm: Lanes, qp: Lanes, h: Lanes, hm: Lanes, hp: Lanes, hw: Lanes, ha: Lanes,
    hb: Lanes,
) -> Any:  # fmt: skip
    """Slopes of the next bar's variance for mu, phi, omega, alpha and beta."""
    return alpha * qm + beta * hm, alpha * qp + beta * hp, 1.0 + beta * hw, q + beta * ha, h + beta * hb


@compiled
def _parameters(x: Matrix) -> Any:
    return load(x, MU), load(x, PHI), load(x, OMEGA), load(x, ALPHA), load(x, BETA)


@compiled
def _take_up(state: Matrix) -> Any:
    """The recursions as the last pass left them."""
    h, hm, hp = load(state, H), load(state, H_MU), load(state, H_PHI)
    hw, ha, hb = load(state, H_OMEGA), load(state, H_ALPHA), load(state, H_BETA)
    q, qm, qp, lag = load(state, SQUARE), load(state, SQUARE_MU), load(state, SQUARE_PHI), load(state, LAG)
    return h, hm, hp, hw, ha, hb, q, qm, qp, lag


@compiled
def _put_down(
    state: Matrix, h: Lanes, hm: Lanes, hp: Lanes, hw: Lanes, ha: Lanes, hb: Lanes, q: Lanes, qm: Lanes, qp: Lanes,
    lag: Lanes,
) -> None:  # fmt: skip
    store(state, H, h)
    store(state, H_MU, hm)
    store(state, H_PHI, hp)
    store(state, H_OMEGA, hw)
    store(state, H_ALPHA, ha)
    store(state, H_BETA, hb)
    store(state, SQUARE, q)
    store(state, SQUARE_MU, qm)
    store(state, SQUARE_PHI, qp)
    store(state, LAG, lag)


@compiled
def _pass(z: Matrix, begin: int, end: int, x: Matrix, student: bool, state: Matrix) -> None:
    mu, phi, omega, alpha, beta = _parameters(x)
    h, hm, hp, hw, ha, hb, q, qm, qp, lag = _take_up(state)
    gm, gp, gw = load(state, SUMS), load(state, SUMS + 1), load(state, SUMS + 2)
    ga, gb, gn = load(state, SUMS + 3), load(state, SUMS + 4), load(state, WEIGHTED)
    product, power = load(state, PRODUCT), load(state, POWER)
    tail, tail_power = load(state, TAIL), load(state, TAIL_POWER)
    least, weight = splat(LEAST_VARIANCE), splat(1.0)
    nu = 1.0 / load(x, ETA) if student else splat(3.0)
    above, below = nu + 1.0, nu - 2.0
    below_inverse = 1.0 / below
    for t in range(begin, end):
        y = load(z, t)
        hm, hp, hw, ha, hb = _slopes(alpha, beta, q, qm, qp, h, hm, hp, hw, ha, hb)
        h = at_least(omega + alpha * q + beta * h, least)
        e = y - mu - phi * lag
        q = e * e
        r = 1.0 / h
        s = q * r
        if student:
            weight = above / (below + s)
            tail = tail * (1.0 + s * below_inverse)
        s = s * weight
        gn = gn + s
        u = 0.5 * r * (1.0 - s)
        v = weight * e * r
        gm = gm + (u * hm - v)
        gp = gp + (u * hp - v * lag)
        gw = gw + u * hw
        ga = ga + u * ha
        gb = gb + u * hb
        qm = -2.0 * e
        qp = qm * lag
        lag = y
        product = product * h
        if t & 7 == 7:
            # No logarithm until the end: of eight variances' product the power of two is put aside.
            power = power + exponent(product)
            product = mantissa(product)
            if student:
                tail_power = tail_power + exponent(tail)
                tail = mantissa(tail)
    _put_down(state, h, hm, hp, hw, ha, hb, q, qm, qp, lag)
    store(state, SUMS, gm)
    store(state, SUMS + 1, gp)
    store(state, SUMS + 2, gw)
    store(state, SUMS + 3, ga)
    store(state, SUMS + 4, gb)
    store(state, WEIGHTED, gn)
    store(state, PRODUCT, product)
    store(state, POWER, power)
    store(state, TAIL, tail)
    store(state, TAIL_POWER, tail_power)


@compiled
def evaluate(bench: Bench, first: int, student: bool) -> None:
    """Negative log-likelihood and gradient of every lane at its parameters."""
    _begin(bench, first)
    state = bench.state
    for lane in range(LANES):
        state[PRODUCT, lane] = state[TAIL, lane] = 1.0
    begin, end = first, _next_length(bench.lengths, first)
    while end:
        _pass(bench.z, begin, end, bench.x, student, state)
        for lane in range(LANES):
            if bench.lengths[lane] == end:
                _finish(bench, lane, end - first, student)
        begin, end = end, _next_length(bench.lengths, end)


@compiled
def _finish(bench: Bench, lane: int, n: int, student: bool) -> None:
    state, gradient = bench.state[:, lane], bench.gradient[:, lane]
    for i in range(ETA):
        gradient[i] = state[SUMS + i]
    gradient[ETA] = 0.0
    logs = log(state[PRODUCT]) + LOG_2 * state[POWER]
    weighted = state[WEIGHTED]
    if not student:
        bench.value[lane] = 0.5 * (n * LOG_2_PI + logs + weighted)
        return
    nu = 1.0 / bench.x[ETA, lane]
    tails = log(state[TAIL]) + LOG_2 * state[TAIL_POWER]
    level = lgamma((nu + 1) / 2) - lgamma(nu / 2) - 0.5 * log(pi * (nu - 2))
    # The derivative for eta is -nu^2 times that for nu.
    gradient[ETA] = -nu * nu * (0.5 * tails - n * _tail_slope(nu) - 0.5 * weighted / (nu - 2))
    bench.value[lane] = 0.5 * (logs + (nu + 1) * tails) - n * level


@compiled
def _curvature_pass(z: Matrix, begin: int, end: int, x: Matrix, state: Matrix) -> None:
    mu, phi, omega, alpha, beta = _parameters(x)
    h, hm, hp, hw, ha, hb, q, qm, qp, lag = _take_up(state)
    mm, mp, pp = load(state, SUMS), load(state, SUMS + 1), load(state, SUMS + 2)
    ww, wa, wb = load(state, SUMS + 3), load(state, SUMS + 4), load(state, SUMS + 5)
    aa, ab, bb = load(state, SUMS + 6), load(state, SUMS + 7), load(state, SUMS + 8)
    least = splat(LEAST_VARIANCE)
    for t in range(begin, end):
        y = load(z, t)
        hm, hp, hw, ha, hb = _slopes(alpha, beta, q, qm, qp, h, hm, hp, hw, ha, hb)
        h = at_least(omega + alpha * q + beta * h, least)
        e = y - mu - phi * lag
        r = 1.0 / h
        w = 0.5 * r * r
        rl, wm, wp, wo, wl = r * lag, w * hm, w * hp, w * hw, w * ha
        mm = mm + r + wm * hm
        mp = mp + rl + wm * hp
        pp = pp + rl * lag + wp * hp
        ww = ww + wo * hw
        wa = wa + wo * ha
        wb = wb + wo * hb
        aa = aa + wl * ha
        ab = ab + wl * hb
        bb = bb + w * hb * hb
        q = e * e
        qm = -2.0 * e
        qp = qm * lag
        lag = y
    _put_down(state, h, hm, hp, hw, ha, hb, q, qm, qp, lag)
    store(state, SUMS, mm)
    store(state, SUMS + 1, mp)
    store(state, SUMS + 2, pp)
    store(state, SUMS + 3, ww)
    store(state, SUMS + 4, wa)
    store(state, SUMS + 5, wb)
    store(state, SUMS + 6, aa)
    store(state, SUMS + 7, ab)
    store(state, SUMS + 8, bb)


@compiled
def expect_curvature(bench: Bench, first: int) -> None:
    """The information that normal innovations are expected to carry, none between mean and variance; definite."""
    _begin(bench, first)
    begin, end = first, _next_length(bench.lengths, first)
    while end:
        _curvature_pass(bench.z, begin, end, bench.x, bench.state)
        for lane in range(LANES):
            if bench.lengths[lane] == end:
                _lay_out(bench.state[:, lane], end - first, bench.curvature[lane])
        begin, end = end, _next_length(bench.lengths, end)


@compiled
def _lay_out(state: Series, n: int, curvature: Matrix) -> None:
    for i in range(SIZE):
        for j in range(SIZE):
            curvature[i, j] = 0.0
    curvature[MU, MU], curvature[PHI, MU], curvature[PHI, PHI] = state[SUMS], state[SUMS + 1], state[SUMS + 2]
    curvature[OMEGA, OMEGA], curvature[ALPHA, OMEGA] = state[SUMS + 3], state[SUMS + 4]
    curvature[BETA, OMEGA], curvature[ALPHA, ALPHA] = state[SUMS + 5], state[SUMS + 6]
    curvature[BETA, ALPHA], curvature[BETA, BETA] = state[SUMS + 7], state[SUMS + 8]
    curvature[ETA, ETA] = 0.5 * n
    for i in range(SIZE):
        for j in range(i):
            curvature[j, i] = curvature[i, j]
        curvature[i, i] = curvature[i, i] * (1 + RIDGE) + LEAST_CURVATURE


@compiled
def _trace_pass(
    z: Matrix, begin: int, end: int, x: Matrix, student: bool, level: Matrix, state: Matrix, scores: Matrix,
    residuals: Matrix, variances: Matrix,
) -> None:  # fmt: skip
    mu, phi, omega, alpha, beta = _parameters(x)
    h, hm, hp, hw, ha, hb, q, qm, qp, lag = _take_up(state)
    nu = 1.0 / load(x, ETA) if student else splat(3.0)
    least, weight, slope = splat(LEAST_VARIANCE), splat(1.0), load(level, 0)
    for t in range(begin, end):
        y = load(z, t)
        hm, hp, hw, ha, hb = _slopes(alpha, beta, q, qm, qp, h, hm, hp, hw, ha, hb)
        h = at_least(omega + alpha * q + beta * h, least)
        e = y - mu - phi * lag
        q = e * e
        r = 1.0 / h
        s = q * r
        if student:
            weight = (nu + 1.0) / (nu - 2.0 + s)
            far = s / (nu - 2.0)
            store(scores, ETA, 0.0 - nu * nu * (0.5 * logarithm(1.0 + far) - slope - 0.5 * weight * far))
        u = 0.5 * r * (1.0 - weight * s)
        v = weight * e * r
        store(scores, MU, u * hm - v)
        store(scores, PHI, u * hp - v * lag)
        store(scores, OMEGA, u * hw)
        store(scores, ALPHA, u * ha)
        store(scores, BETA, u * hb)
        place = SUMS
        for i in range(SIZE):
            for j in range(i + 1):
                store(state, place, load(state, place) + load(scores, i) * load(scores, j))
                place += 1
        store(residuals, t, e)
        store(variances, t, h)
        qm = -2.0 * e
        qp = qm * lag
        lag = y
    _put_down(state, h, hm, hp, hw, ha, hb, q, qm, qp, lag)


@compiled
def trace(bench: Bench, first: int, student: bool) -> None:
    """Residuals and variances of every lane, and the outer product of its scores in place of its curvature."""
    _begin(bench, first)
    scores, level = np.zeros((SIZE, LANES)), np.zeros((1, LANES))
    for lane in range(LANES):
        level[0, lane] = _tail_slope(1.0 / bench.x[ETA, lane]) if student and bench.lengths[lane] else 0.0
    begin, end = first, _next_length(bench.lengths, first)
    while end:
        _trace_pass(
            bench.z, begin, end, bench.x, student, level, bench.state, scores, bench.residuals, bench.variances
        )  # fmt: skip
        for lane in range(LANES):
            if bench.lengths[lane] == end:
                _lay_out_scores(bench.state[:, lane], bench.curvature[lane])
        begin, end = end, _next_length(bench.lengths, end)


@compiled
def _lay_out_scores(state: Series, outer: Matrix) -> None:
    place = SUMS
    for i in range(SIZE):
        for j in range(i + 1):
            outer[i, j] = outer[j, i] = state[place]
            place += 1
