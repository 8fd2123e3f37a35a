"""Maximum likelihood of GARCH(1,1) for many series, compiled.

Each series descends from several starts, then exactly from the best end, and takes Newton steps with the observed
information. Eight series stand side by side, each at its own place of that way: one pass over their bars serves all
eight, and a lane whose series is done takes the next. What a lane does depends on its own series alone.
"""

from math import inf
from typing import Any, Final, NamedTuple

import numpy as np

from tandem.statistics.descent import (
    DESCENT,
    EDGES,
    HIGH,
    MOVING,
    RESTING,
    Descent,
    bounded_step,
    hear,
    keep,
    propose,
    resume,
    set_out,
)
from tandem.statistics.garch_likelihood import (
    ALPHA,
    BETA,
    ETA,
    OMEGA,
    SIZE,
    Bench,
    Cube,
    Flags,
    Matrix,
    Rows,
    compiled,
    entry,
    evaluate,
    expect_curvature,
    new_bench,
    seat,
    seat_everywhere,
    trace,
)
from tandem.statistics.lanes import LANES
from tandem.statistics.series import Series

ROUGH: Final = 1e-6
EXACT: Final = 1e-10
POLISHED: Final = 1e-13
POLISHINGS: Final = 3
EARLY: Final = 75
DECAY: Final = 0.94
DEGENERATE: Final = 1e-10
ROUNDS: Final = 200
SETTLED: Final = 1e-10
POLISHED_LOSS: Final = 1e-9
NUDGE: Final = 1e-5
MOST_STARTS: Final = 16

DONE, SEARCHING, SETTLING, POLISHING = range(4)


class Batch(NamedTuple):
    """Series as rows, and where the results of each go.

    Attributes:
        z, lengths, moments, early: as on a bench, in rows.
        first: bar of the first innovation.
        student: whether innovations are Student's.
        free: parameters that are estimated, shape [SIZE].
        starts: omega, alpha, beta and eta of each start, shape [starts, 4].
        means: mu and phi to start from with each of them, shape [rows, one or two, 2].
        xs: the first of these means on the way in, all parameters on the way out, shape [rows, SIZE].
        found: negative log-likelihoods.
        gains: what one more Newton step would gain.
        active: bounds that hold.
        observed, outer: information from the gradient's differences and from the scores.
        residuals, variances: of each bar.
    """

    z: Matrix
    lengths: Rows
    moments: Matrix
    early: Series
    first: int
    student: bool
    free: Flags
    starts: Matrix
    means: Cube
    xs: Matrix
    found: Series
    gains: Series
    active: Flags
    observed: Cube
    outer: Cube
    residuals: Matrix
    variances: Matrix


Lane = Any
LANE: Final = np.dtype(
    [
        # Which series, how far it has got, and which start comes next or how often the end was polished.
        ("row", np.int64),
        ("phase", np.int64),
        ("turn", np.int64),
        ("descent", DESCENT),
        # What is known of the starts.
        ("value", np.float64, MOST_STARTS),
        ("x", np.float64, (MOST_STARTS, SIZE)),
        ("gradient", np.float64, (MOST_STARTS, SIZE)),
        ("curvature", np.float64, (MOST_STARTS, SIZE, SIZE)),
    ],
    align=True,
)
"""What a lane works on."""


@compiled
def _places(batch: Batch) -> int:
    """How many places each series starts from."""
    return int(batch.starts.shape[0] * batch.means.shape[1])


@compiled
def _survey(batch: Batch, row: int, bench: Bench, lane: Lane) -> None:
    """Value, slopes and curvature at every start of a series, eight starts in one pass."""
    places, starts = _places(batch), batch.starts.shape[0]
    for begin in range(0, places, LANES):
        lanes = min(LANES, places - begin)
        seat_everywhere(bench, lanes, batch.z[row], batch.lengths[row], batch.moments[row], batch.early[row])
        for k in range(lanes):
            mean, start = divmod(begin + k, starts)
            for i in range(SIZE):
                bench.x[i, k] = batch.means[row, mean, i] if i < OMEGA else batch.starts[start, i - OMEGA]
        evaluate(bench, batch.first, batch.student)
        expect_curvature(bench, batch.first)
        for k in range(lanes):
            lane.value[begin + k] = bench.value[k]
            for i in range(SIZE):
                lane.x[begin + k, i] = bench.x[i, k]
                lane.gradient[begin + k, i] = bench.gradient[i, k]
                for j in range(SIZE):
                    lane.curvature[begin + k, i, j] = bench.curvature[k, i, j]


@compiled
def _next_descent(lane: Lane, starts: int, free: Flags) -> int:
    """Set out from the best start left, then from the best end so far; MOVING, or RESTING after that."""
    d = lane.descent
    while lane.phase == SEARCHING and lane.turn < starts:
        s = 0
        for other in range(starts):
            if lane.value[other] < lane.value[s]:
                s = other
        value = lane.value[s]
        lane.value[s] = inf
        lane.turn += 1
        set_out(d, lane.x[s], value, lane.gradient[s], lane.curvature[s])
        status = propose(d, free, ROUGH)
        if status == MOVING:
            return MOVING
        if status == RESTING:
            keep(d)
    if lane.phase == SEARCHING:
        lane.phase = SETTLING
        resume(d)
        return propose(d, free, EXACT)
    return RESTING


@compiled
def _take(lane: Lane, found: float, starts: int, free: Flags) -> int:
    """Go on with what a pass found at the lane's parameters; RESTING once it has settled."""
    searching = lane.phase == SEARCHING
    status = hear(lane.descent, found, free, ROUGH if searching else EXACT)
    if status == MOVING:
        return MOVING
    if searching and status == RESTING:
        keep(lane.descent)
    return _next_descent(lane, starts, free)


@compiled
def _observe(batch: Batch, row: int, x: Series, gradient: Series, curvature: Matrix, spare: Bench) -> None:
    """The observed information at x, whose gradient and curvature are known: differences of the gradient."""
    observed = batch.observed[row]
    seat_everywhere(spare, SIZE, batch.z[row], batch.lengths[row], batch.moments[row], batch.early[row])
    for k in range(SIZE):
        for i in range(SIZE):
            spare.x[i, k] = x[i]
        if batch.free[k]:
            spare.x[k, k] += _nudge_of(k, x, curvature[k, k])
    evaluate(spare, batch.first, batch.student)
    for i in range(SIZE):
        for j in range(SIZE):
            observed[i, j] = 0.0
    for i in range(SIZE):
        if batch.free[i]:
            step = spare.x[i, i] - x[i]
            for j in range(SIZE):
                if batch.free[j]:
                    bend = 0.5 * (spare.gradient[j, i] - gradient[j]) / step
                    observed[i, j] += bend
                    observed[j, i] += bend


@compiled
def _nudge_of(i: int, x: Series, bend: float) -> Any:
    """A small step of one parameter that stays within the bounds."""
    size = NUDGE / np.sqrt(max(bend, 1e-8))
    if i in (ALPHA, BETA):
        return -size if x[ALPHA] + x[BETA] + size > 1 else size
    if i == ETA:
        return -size if x[ETA] + size > HIGH[ETA] else size
    return size


@compiled
def _polish(lane: Lane, free: Flags, observed: Matrix) -> float:
    """Set out on a Newton step; what it promises to gain. Where there is nothing more to gain the lane is done."""
    d = lane.descent
    gain = bounded_step(observed, d.gradient, d.x, free, d.active, d.step, d.scratch)
    if not gain > POLISHED or lane.turn == POLISHINGS:
        lane.phase = DONE
        return gain
    lane.turn += 1
    for i in range(SIZE):
        d.at[i] = d.x[i]
        d.x[i] += d.step[i]
    return gain


@compiled
def _hear_polished(batch: Batch, lane: Lane, found: float) -> None:
    d = lane.descent
    if found <= d.value + POLISHED_LOSS:
        d.value = found
        batch.gains[lane.row] = _polish(lane, batch.free, batch.observed[lane.row])
        return
    for i in range(SIZE):
        d.x[i] = d.at[i]
    lane.phase = DONE


@compiled
def _begin(batch: Batch, row: int, spare: Bench, lane: Lane) -> int:
    """Set a lane on the way of a series."""
    _survey(batch, row, spare, lane)
    lane.row = row
    lane.phase = SEARCHING
    lane.turn = 0
    lane.descent.best = inf
    return _next_descent(lane, _places(batch), batch.free)


@compiled
def _settle(batch: Batch, spare: Bench, lane: Lane) -> None:
    """From where a lane has come to rest, on to the polish."""
    d, row = lane.descent, lane.row
    _observe(batch, row, d.x, d.gradient, d.curvature, spare)
    lane.phase = POLISHING
    lane.turn = 0
    batch.gains[row] = _polish(lane, batch.free, batch.observed[row])


@compiled
def _deliver(batch: Batch, lane: Lane) -> None:
    batch.found[lane.row] = lane.descent.value
    for i in range(SIZE):
        batch.xs[lane.row, i] = lane.descent.x[i]
    for edge in range(EDGES):
        batch.active[lane.row, edge] = lane.descent.active[edge] != 0


@compiled
def _fit(batch: Batch) -> None:
    """Fit every row by itself."""
    count, width = batch.z.shape
    starts, free = _places(batch), batch.free
    bench, spare = new_bench(width, False), new_bench(width, False)
    lanes = np.zeros(LANES, LANE)
    left = untaken = count
    while left:
        for k in range(LANES):
            lane = lanes[k]
            while lane.phase == DONE and untaken:
                untaken -= 1
                row = untaken
                seat(bench, k, batch.z[row], batch.lengths[row], batch.moments[row], batch.early[row])
                if _begin(batch, row, spare, lane) == RESTING:
                    _settle(batch, spare, lane)
                    if lane.phase == DONE:
                        _deliver(batch, lane)
                        left -= 1
            if lane.phase == DONE:
                bench.lengths[k] = 0
            for i in range(SIZE):
                bench.x[i, k] = lane.descent.x[i]
        if not left:
            break
        evaluate(bench, batch.first, batch.student)
        for k in range(LANES):
            lane = lanes[k]
            if lane.phase == DONE:
                continue
            d = lane.descent
            for i in range(SIZE):
                d.gradient[i] = bench.gradient[i, k]
            if lane.phase == POLISHING:
                _hear_polished(batch, lane, bench.value[k])
            elif _take(lane, bench.value[k], starts, free) == RESTING:
                _settle(batch, spare, lane)
            if lane.phase == DONE:
                _deliver(batch, lane)
                left -= 1


@compiled
def _trace_all(batch: Batch) -> None:
    count, width = batch.z.shape
    bench = new_bench(width, True)
    for begin in range(0, count, LANES):
        lanes = _seat_rows(batch, begin, bench)
        trace(bench, batch.first, batch.student)
        for lane in range(lanes):
            row = begin + lane
            for t in range(batch.first, batch.lengths[row]):
                batch.residuals[row, t] = bench.residuals[t, lane]
                batch.variances[row, t] = bench.variances[t, lane]
            for i in range(SIZE):
                for j in range(SIZE):
                    batch.outer[row, i, j] = bench.curvature[lane, i, j]


@compiled
def _seat_rows(batch: Batch, begin: int, bench: Bench) -> Any:
    """Eight rows, or as many as are left, with their own parameters; how many."""
    lanes = min(LANES, batch.z.shape[0] - begin)
    bench.lengths[:] = 0
    for lane in range(lanes):
        row = begin + lane
        seat(bench, lane, batch.z[row], batch.lengths[row], batch.moments[row], batch.early[row])
        for i in range(SIZE):
            bench.x[i, lane] = batch.xs[row, i]
    return lanes


@compiled
def _share(batch: Batch, bench: Bench, x: Series, curved: bool, gradient: Series, curvature: Matrix) -> float:
    """Value and slopes of the variance x that all rows share, at their own means, and its curvature where asked."""
    value = 0.0
    gradient[:] = 0.0
    if curved:
        curvature[:] = 0.0
    for begin in range(0, batch.z.shape[0], LANES):
        lanes = _seat_rows(batch, begin, bench)
        for lane in range(lanes):
            for i in range(OMEGA, SIZE):
                bench.x[i, lane] = x[i]
        evaluate(bench, batch.first, batch.student)
        if curved:
            expect_curvature(bench, batch.first)
        for lane in range(lanes):
            value += bench.value[lane]
            for i in range(SIZE):
                gradient[i] += bench.gradient[i, lane] if i >= OMEGA else 0.0
                if curved:
                    for j in range(SIZE):
                        curvature[i, j] += bench.curvature[lane, i, j]
    return value


@compiled
def _descend_together(batch: Batch, bench: Bench, d: Descent, free: Flags, enough: float) -> int:
    """One descent of the shared variance, from where everything is known."""
    status = propose(d, free, enough)
    while status == MOVING:
        value = _share(batch, bench, d.x, False, d.gradient, d.curvature)
        status = hear(d, value, free, enough)
    return status


@compiled
def _look_together(batch: Batch, bench: Bench, d: Descent) -> None:
    """Everything about the shared variance at `d.x`."""
    d.value = _share(batch, bench, d.x, True, d.gradient, d.curvature)
    d.steps = 0


@compiled
def _search_together(batch: Batch, bench: Bench, d: Descent, free: Flags) -> None:
    """The shared variance from every start, in units of the mean squared residual, then exactly from the best end."""
    level = 0.0
    for row in range(batch.z.shape[0]):
        level += _mean_square(batch, row) / batch.z.shape[0]
    d.best = inf
    for start in range(batch.starts.shape[0]):
        for i in range(OMEGA, SIZE):
            d.x[i] = batch.starts[start, i - OMEGA]
        d.x[OMEGA] *= level
        _look_together(batch, bench, d)
        if _descend_together(batch, bench, d, free, ROUGH) == RESTING:
            keep(d)
    resume(d)
    _descend_together(batch, bench, d, free, EXACT)


@compiled
def _mean_square(batch: Batch, row: int) -> float:
    mu, phi, total = batch.xs[row, 0], batch.xs[row, 1], 0.0
    for t in range(batch.first, batch.lengths[row]):
        lag = batch.z[row, t - 1] if batch.first == 1 else 0.0
        total += (batch.z[row, t] - mu - phi * lag) ** 2
    return float(total / (batch.lengths[row] - batch.first))


@compiled
def _descend_means(batch: Batch, bench: Bench, descents: Any, free: Flags) -> None:
    """Each row's own mean, at the variance that all share."""
    status = np.empty(LANES, np.int64)
    for begin in range(0, batch.z.shape[0], LANES):
        lanes = _seat_rows(batch, begin, bench)
        evaluate(bench, batch.first, batch.student)
        expect_curvature(bench, batch.first)
        moving = 0
        for k in range(lanes):
            d = descents[k]
            set_out(d, bench.x[:, k], bench.value[k], bench.gradient[:, k], bench.curvature[k])
            d.best = inf
            status[k] = propose(d, free, EXACT)
            moving += status[k] == MOVING
        while moving:
            for k in range(lanes):
                for i in range(SIZE):
                    bench.x[i, k] = descents[k].x[i]
            evaluate(bench, batch.first, batch.student)
            for k in range(lanes):
                if status[k] == MOVING:
                    d = descents[k]
                    for i in range(SIZE):
                        d.gradient[i] = bench.gradient[i, k]
                    status[k] = hear(d, bench.value[k], free, EXACT)
                    moving -= status[k] != MOVING
        for k in range(lanes):
            for i in range(SIZE):
                batch.xs[begin + k, i] = descents[k].x[i]


@compiled
def _fit_together(batch: Batch) -> bool:
    """Means, and the variance that they share, in turns until neither moves; False where they never rest."""
    bench = new_bench(batch.z.shape[1], False)
    shared, own = np.zeros(1, DESCENT), np.zeros(LANES, DESCENT)
    of_mean, of_variance = batch.free.copy(), batch.free.copy()
    of_mean[OMEGA:] = False
    of_variance[:OMEGA] = False
    value = inf
    for turn in range(ROUNDS):
        # A record does not keep alive the array that it is in: it is taken from there anew.
        d = shared[0]
        if turn == 0:
            _search_together(batch, bench, d, of_variance)
        else:
            _look_together(batch, bench, d)
            _descend_together(batch, bench, d, of_variance, EXACT)
        for row in range(batch.z.shape[0]):
            for i in range(OMEGA, SIZE):
                batch.xs[row, i] = d.x[i]
            for edge in range(EDGES):
                batch.active[row, edge] = d.active[edge] != 0
        if value - d.value < SETTLED * abs(d.value):
            return True
        value = d.value
        if of_mean.any():
            _descend_means(batch, bench, own, of_mean)
    return False


@compiled
def _judge_together(batch: Batch, settled: bool) -> None:
    """Value and observed information of every row at the parameters that were found."""
    bench, spare = new_bench(batch.z.shape[1], False), new_bench(batch.z.shape[1], False)
    for begin in range(0, batch.z.shape[0], LANES):
        lanes = _seat_rows(batch, begin, bench)
        evaluate(bench, batch.first, batch.student)
        expect_curvature(bench, batch.first)
        for k in range(lanes):
            row = begin + k
            batch.found[row] = bench.value[k]
            batch.gains[row] = 0.0 if settled else 1.0
            _observe(batch, row, batch.xs[row], bench.gradient[:, k], bench.curvature[k], spare)


@compiled
def _standardise(
    values: Series, first: int, mean: int, grouped: bool, z: Series, x: Series, moments: Series, numbers: Series
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
    if mean == 0:
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
    if mean == 2:
        phi = (yl - y * lag / count) / (ll - lag * lag / count)
    if mean > 0:
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
    x[0], x[1] = mu / own, phi
    _measure(z[:n], first, moments)
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


@entry
def standardise_rows(
    values: Matrix, lengths: Rows, mean: int, grouped: bool, z: Matrix, xs: Matrix, moments: Matrix, numbers: Matrix
) -> Flags:
    """All rows of `values`; True for each that can be fitted."""
    usable, first = np.zeros(lengths.size, np.bool_), 1 if mean == 2 else 0
    for row in range(lengths.size):
        own = values[row, : lengths[row]]
        usable[row] = _standardise(own, first, mean, grouped, z[row], xs[row], moments[row], numbers[row])
    return usable


@entry
def fit_rows(batch: Batch) -> None:
    """Fit each row by itself."""
    _fit(batch)
    _trace_all(batch)


@entry
def fit_group(batch: Batch) -> None:
    """The same for rows that share their variance's parameters."""
    _judge_together(batch, _fit_together(batch))
    _trace_all(batch)
