"""Minimise within the bounds of GARCH's parameters by sequential quadratic programming, compiled.

A quasi-Newton model of the function is minimised within the bounds by an active-set method, and the step shortened
until the function falls. The function is not called from here: a descent says where it wants the value and the slopes,
and is told, so that several go on side by side.
"""

from math import inf
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tandem.statistics.garch_likelihood import ALPHA, BETA, ETA, OMEGA, SIZE, Flags, Matrix, Rows, compiled
from tandem.statistics.series import Series

# Least omega and the range of nu are arch's; a persistence of 1 itself has no finite variance.
LOW: Final = np.array([-inf, -inf, 1e-8, 0.0, 0.0, 1 / 500])
HIGH: Final = np.array([inf, inf, 10.0, inf, inf, 1 / 2.05])
MOST_PERSISTENT: Final = 1 - 1e-10
EDGES: Final = 7
LEAST_OMEGA, MOST_OMEGA, NO_ALPHA, NO_BETA, PERSISTENCE, LEAST_ETA, MOST_ETA = range(EDGES)

STEPS: Final = 100
SHORTENINGS: Final = 30
SHORTER: Final = 0.35
HELD: Final = 1e-9
PATIENCE: Final = 1e5
SAME: Final = 0.002

INSIDE, AT_LOW, AT_HIGH, KNOWN = range(4)
MOVING, RESTING, HOPELESS = range(3)


VECTOR: Final = (np.float64, SIZE)
MATRIX: Final = (np.float64, (SIZE, SIZE))

# Records are handed on as addresses, where a tuple of arrays would be counted at every call.
Marks = NDArray[np.int8]
Scratch = Any
SCRATCH: Final = np.dtype(
    [
        ("side", np.int64, SIZE),
        ("slope", *VECTOR),
        ("move", *VECTOR),
        ("across", *VECTOR),
        ("pivots", *VECTOR),
        ("lower", *MATRIX),
    ],
    align=True,
)
"""What a quadratic step is worked out in."""

Descent = Any
DESCENT: Final = np.dtype(
    [
        # Where the function is to be evaluated next, or where the descent came to rest; its gradient there.
        ("x", *VECTOR),
        ("gradient", *VECTOR),
        # The last point that was better than all before: value, place, gradient, and the model's curvature.
        ("value", np.float64),
        ("at", *VECTOR),
        ("before", *VECTOR),
        ("curvature", *MATRIX),
        # The step from there: the function's slope along it, how much of it is tried, and which bounds hold.
        ("step", *VECTOR),
        ("slope", np.float64),
        ("length", np.float64),
        ("steps", np.int64),
        ("tries", np.int64),
        ("active", np.int8, EDGES),
        # Least value of an earlier descent, inf for none; where it ended, and gradient and curvature there.
        ("best", np.float64),
        ("kept", *VECTOR),
        ("slopes", *VECTOR),
        ("bowl", *MATRIX),
        ("scratch", SCRATCH),
    ],
    align=True,
)
"""One descent."""


@compiled
def keep(d: Descent) -> None:
    """Remember where a descent has come to rest, if it is the best place so far."""
    if d.value < d.best:
        d.best = d.value
        _copy(d.x, d.gradient, d.curvature, d.kept, d.slopes, d.bowl)


@compiled
def resume(d: Descent) -> None:
    """Go back to the best place, and forget what else was known."""
    _copy(d.kept, d.slopes, d.bowl, d.x, d.gradient, d.curvature)
    d.value = d.best
    d.best = inf
    d.steps = 0


@compiled
def set_out(d: Descent, x: Series, value: float, gradient: Series, curvature: Matrix) -> None:
    """Start at a point of which everything is known."""
    _copy(x, gradient, curvature, d.x, d.gradient, d.curvature)
    d.value = value
    d.steps = 0


@compiled
def _copy(x: Series, gradient: Series, curvature: Matrix, own: Series, slopes: Series, bowl: Matrix) -> None:
    for i in range(SIZE):
        own[i] = x[i]
        slopes[i] = gradient[i]
        for j in range(SIZE):
            bowl[i, j] = curvature[i, j]


@compiled
def propose(d: Descent, free: Flags, enough: float) -> int:
    """From a point whose value and gradient are known: MOVING with the next x, or what became of the descent."""
    gain = bounded_step(d.curvature, d.gradient, d.x, free, d.active, d.step, d.scratch)
    d.steps += 1
    if not gain > enough or d.steps > STEPS:
        return RESTING
    if d.value - PATIENCE * gain > d.best or (d.best < inf and _distance(d) < SAME):
        return HOPELESS
    slope = 0.0
    for i in range(SIZE):
        slope += d.gradient[i] * d.step[i]
        d.at[i] = d.x[i]
        d.before[i] = d.gradient[i]
    d.slope = slope
    d.length = 1.0
    d.tries = 0
    _move(d)
    return MOVING


@compiled
def hear(d: Descent, found: float, free: Flags, enough: float) -> int:
    """Take the value at x, and go on."""
    if not found <= d.value + 1e-4 * d.length * d.slope:
        d.tries += 1
        if d.tries < SHORTENINGS:
            d.length *= SHORTER
            _move(d)
            return MOVING
    if not found < d.value:
        for i in range(SIZE):
            d.x[i] = d.at[i]
            d.gradient[i] = d.before[i]
        return RESTING
    d.value = found
    for i in range(SIZE):
        d.step[i] = d.x[i] - d.at[i]
        d.before[i] = d.gradient[i] - d.before[i]
    _update(d.curvature, d.step, d.before, d.scratch.move)
    return propose(d, free, enough)


@compiled
def _move(d: Descent) -> None:
    for i in range(SIZE):
        d.x[i] = d.at[i] + d.length * d.step[i]


@compiled
def _distance(d: Descent) -> float:
    """How far the function falls from the best end so far to x, if it is as curved as there."""
    fall = 0.0
    for i in range(SIZE):
        for j in range(SIZE):
            fall += 0.5 * d.bowl[i, j] * (d.x[i] - d.kept[i]) * (d.x[j] - d.kept[j])
    return fall


@compiled
def _update(curvature: Matrix, moved: Series, change: Series, image: Series) -> None:
    """Powell's damped BFGS update; `change` and `image` are overwritten."""
    bent, met = 0.0, 0.0
    for i in range(SIZE):
        total = 0.0
        for j in range(SIZE):
            total += curvature[i, j] * moved[j]
        image[i] = total
        bent += moved[i] * total
        met += moved[i] * change[i]
    if bent <= 0.0:
        return
    share = 1.0 if met >= 0.2 * bent else 0.8 * bent / (bent - met)
    met = share * met + (1 - share) * bent
    for i in range(SIZE):
        change[i] = share * change[i] + (1 - share) * image[i]
    for i in range(SIZE):
        for j in range(SIZE):
            curvature[i, j] += change[i] * change[j] / met - image[i] * image[j] / bent


@compiled
def bounded_step(
    curvature: Matrix, gradient: Series, x: Series, free: Flags, active: Marks, step: Series, scratch: Scratch
) -> float:
    """Minimise `gradient d + d curvature d / 2` within the bounds around x; what it promises to gain.

    Parameters at a bound stand still, and where alpha and beta may not grow together their step is projected. The
    bound in the way is taken in, the one that pulls hardest the wrong way let go, until none does.
    """
    side, slope, move = scratch.side, scratch.slope, scratch.move
    tied = _take_sides(x, free, side)
    for i in range(SIZE):
        step[i] = 0.0
        slope[i] = gradient[i]
    for _ in range(30):
        _factor(curvature, side, scratch.lower, scratch.pivots)
        pull = _newton_move(scratch, tied)
        reach, blocking = _room(x, step, move, side, tied)
        for i in range(SIZE):
            step[i] += reach * move[i]
            for j in range(SIZE):
                slope[i] += curvature[i, j] * reach * move[j]
        if blocking == SIZE:
            tied = True
        elif blocking >= 0:
            side[blocking] = AT_LOW if move[blocking] < 0 else AT_HIGH
        else:
            letting_go = _wrong_way(slope, side, tied, pull)
            if letting_go < 0:
                break
            if letting_go == SIZE:
                tied = False
            else:
                side[letting_go] = INSIDE
    _mark(side, tied, active)
    gain = 0.0
    for i in range(SIZE):
        gain -= 0.5 * step[i] * (gradient[i] + slope[i])
    return gain


@compiled
def _take_sides(x: Series, free: Flags, side: Rows) -> bool:
    for i in range(SIZE):
        side[i] = INSIDE if free[i] else KNOWN
        if free[i] and x[i] - LOW[i] <= HELD:
            side[i] = AT_LOW
        elif free[i] and HIGH[i] - x[i] <= HELD:
            side[i] = AT_HIGH
    return bool(free[ALPHA] and MOST_PERSISTENT - x[ALPHA] - x[BETA] <= HELD)


@compiled
def _factor(curvature: Matrix, side: Rows, lower: Matrix, pivots: Series) -> None:
    """`L D L'` of the curvature, in which parameters that stand still are on their own."""
    for j in range(SIZE):
        still = side[j] != INSIDE
        pivot = 1.0 if still else curvature[j, j]
        for k in range(j):
            pivot -= lower[j, k] * lower[j, k] * pivots[k]
        pivots[j] = pivot if pivot != 0.0 else 1e-300
        inverse = 1.0 / pivots[j]
        for i in range(j + 1, SIZE):
            total = 0.0 if still or side[i] != INSIDE else curvature[i, j]
            for k in range(j):
                total -= lower[i, k] * lower[j, k] * pivots[k]
            lower[i, j] = total * inverse


@compiled
def _solve(lower: Matrix, pivots: Series, right: Series) -> None:
    for i in range(SIZE):
        for k in range(i):
            right[i] -= lower[i, k] * right[k]
    for i in range(SIZE - 1, -1, -1):
        right[i] /= pivots[i]
        for k in range(i + 1, SIZE):
            right[i] -= lower[k, i] * right[k]


@compiled
def _newton_move(scratch: Scratch, tied: bool) -> float:
    """The step to the model's minimum with the bounds held; how hard the persistence bound pulls."""
    side, move, across = scratch.side, scratch.move, scratch.across
    for i in range(SIZE):
        move[i] = -scratch.slope[i] if side[i] == INSIDE else 0.0
        across[i] = 1.0 if i in (ALPHA, BETA) and side[i] == INSIDE else 0.0
    _solve(scratch.lower, scratch.pivots, move)
    if not tied:
        return 0.0
    _solve(scratch.lower, scratch.pivots, across)
    give = across[ALPHA] + across[BETA]
    if give == 0.0:
        return 0.0
    pull = -(move[ALPHA] + move[BETA]) / give
    for i in range(SIZE):
        move[i] += pull * across[i]
    # Where the curvature is nearly singular, rounding alone would carry the two out of their bound.
    if side[ALPHA] == INSIDE and side[BETA] == INSIDE:
        move[BETA] = -move[ALPHA]
    else:
        move[ALPHA] = move[BETA] = 0.0
    return float(pull)


@compiled
def _room(x: Series, step: Series, move: Series, side: Rows, tied: bool) -> Any:
    """How much of a move there is room for, and the parameter that is in the way: SIZE for persistence, -1 for none."""
    reach, blocking = 1.0, -1
    for i in range(SIZE):
        if side[i] == INSIDE:
            room = x[i] + step[i] - LOW[i] if move[i] < 0 else HIGH[i] - x[i] - step[i]
            size = abs(move[i])
            if size > 1e-14 and room < size * reach:
                reach, blocking = max(room, 0.0) / size, i
    size = move[ALPHA] + move[BETA]
    room = MOST_PERSISTENT - x[ALPHA] - step[ALPHA] - x[BETA] - step[BETA]
    if not tied and size > 1e-14 and room < size * reach:
        reach, blocking = max(room, 0.0) / size, SIZE
    return reach, blocking


@compiled
def _wrong_way(slope: Series, side: Rows, tied: bool, pull: float) -> int:
    """The bound that holds back the most: a parameter, SIZE for persistence, -1 for none."""
    worst, least = -1, -1e-10
    for i in range(SIZE):
        if side[i] in (AT_LOW, AT_HIGH):
            own = slope[i] - (pull if tied and i in (ALPHA, BETA) else 0.0)
            against = own if side[i] == AT_LOW else -own
            if against < least:
                worst, least = i, against
    if tied and -pull < least:
        worst = SIZE
    return worst


@compiled
def _mark(side: Rows, tied: bool, active: Marks) -> None:
    active[LEAST_OMEGA], active[MOST_OMEGA] = side[OMEGA] == AT_LOW, side[OMEGA] == AT_HIGH
    active[NO_ALPHA], active[NO_BETA] = side[ALPHA] == AT_LOW, side[BETA] == AT_LOW
    active[PERSISTENCE] = tied
    active[LEAST_ETA], active[MOST_ETA] = side[ETA] == AT_LOW, side[ETA] == AT_HIGH
