"""Forward pass, backward pass and Adam of one network, compiled.

`gates` has a row for each step and sequence, step by step, and four columns of `width`: fresh from inputs, reset,
update, fresh from the state. The forward pass leaves the gates' values there, the backward pass the loss's
derivatives for what goes into them. `states` has one step more: the state before each step, and the last one.
"""

from math import exp, log1p, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tandem.forecast.gru.cell import backward, forward
from tandem.forecast.gru.products import add_product
from tandem.forecast.gru.registers import LANES, Floats, compiled, entry, over_units

Room = tuple[Floats, Floats, Floats, Floats, Floats, Floats]

ONE: Final = np.float32(1)
HALF: Final = np.float32(0.5)
# Adam's (Kingma and Ba 2015), as in PyTorch.
FIRST_DECAY: Final = 0.9
SECOND_DECAY: Final = 0.999
TINY: Final = np.float32(1e-8)

_forward_gates: Final = over_units(forward)
_backward_gates: Final = over_units(backward)


@compiled
def _add(to: Floats, from_: Floats) -> None:
    for at in range(to.size):
        to[at] += from_[at]


@compiled
def _turn(from_: Floats, to: Floats) -> None:
    for row in range(to.shape[0]):
        for at in range(to.shape[1]):
            to[row, at] = from_[at, row]


@compiled
def _gather(sequences: Floats, picked: NDArray[np.int64], inputs: Floats) -> None:
    steps, features = sequences.shape[1:]
    rows = inputs[: picked.size * steps * features].reshape(steps, picked.size, features)
    for row in range(picked.size):
        for step in range(steps):
            for at in range(features):
                rows[step, row, at] = sequences[picked[row], step, at]


@compiled
def _first_gates(weights: Floats, bias: int, width: int) -> Floats:
    """What goes into the gates from the biases alone."""
    wide = 3 * width
    row = np.empty(4 * width, np.float32)
    row[:wide] = weights[bias : bias + wide]
    row[wide:] = weights[bias + 2 * wide - width : bias + 2 * wide]
    _add(row[width:wide], weights[bias + wide : bias + 2 * wide - width])
    return row


@compiled
def _forward(
    weights: Floats, inputs: Floats, rows: int, steps: int, features: int, width: int, kept: int,
    gates: Floats, states: Floats,
) -> None:  # fmt: skip
    """The states; the gates of a step stand `kept` rows after those of the step before, so 0 keeps the last alone."""
    wide, across = 3 * width, 4 * width
    # A plain 1 would be a type of its own, and each mixture of them compiled anew.
    next_one: Any = np.intp(1)
    recurrent, bias = weights[wide * features :], wide * (features + width)
    row_of, first = gates.reshape(-1, across), _first_gates(weights, bias, width)
    states[: rows * width] = 0
    for step in range(steps):
        own, x, h = gates[step * kept * across :], inputs[step * rows * features :], states[step * rows * width :]
        for row in range(step * kept, step * kept + rows):
            row_of[row] = first
        add_product(x, features, next_one, weights, wide, own, across, rows, features, wide)
        if step > 0:
            add_product(h, width, next_one, recurrent, wide, own[width:], across, rows, width, wide)
        for row in range(rows):
            _forward_gates(own, row * across, width, h, row * width, h, (row + rows) * width)


@compiled
def _backward(
    weights: Floats, turned: Floats, inputs: Floats, rows: int, steps: int, features: int, width: int,
    gates: Floats, states: Floats, slopes: Floats, gradient: Floats,
) -> None:  # fmt: skip
    """Add to the gradient; `slopes` are the loss's derivatives for the last states."""
    wide, across = 3 * width, 4 * width
    next_one: Any = np.intp(1)
    recurrent, bias = wide * features, wide * (features + width)
    of_inputs, of_states, terms = gradient[bias : bias + wide], gradient[bias + wide : bias + 2 * wide], steps * rows
    _turn(weights[recurrent:bias].reshape(width, wide), turned.reshape(wide, width))
    for step in range(steps - 1, -1, -1):
        own, h = gates[step * rows * across :], states[step * rows * width :]
        for row in range(rows):
            _backward_gates(own, row * across, width, h, row * width, slopes, row * width)
            _add(of_inputs, own[row * across : row * across + wide])
            _add(of_states, own[row * across + width : row * across + across])
        if step > 0:
            add_product(own[width:], across, next_one, turned, width, slopes, width, rows, wide, width)
    add_product(inputs, next_one, features, gates, across, gradient, wide, features, terms, wide)
    add_product(
        states[rows * width :], next_one, width, gates[rows * across + width :], across, gradient[recurrent:], wide,
        width, terms - rows, wide,
    )  # fmt: skip


@compiled
def _head(
    weights: Floats, last: Floats, labels: Floats, kept: NDArray[np.bool_], scale: Any, slopes: Floats, gradient: Floats
) -> None:
    """From the last states of some sequences to the loss's derivatives for them."""
    rows, units = kept.shape
    bias = weights.size - LANES
    head = weights[bias - last.shape[1] : bias]
    for row in range(rows):
        logit = weights[bias]
        for at in range(units):
            logit += (scale if kept[row, at] else np.float32(0)) * last[row, at] * head[at]
        off = np.float32((1 / (1 + exp(-logit)) - labels[row]) / rows)
        gradient[bias] += off
        slopes[row] = 0
        for at in range(units):
            share = scale * off if kept[row, at] else np.float32(0)
            gradient[bias - last.shape[1] + at] += share * last[row, at]
            slopes[row, at] = share * head[at]


@compiled
def _adam(weights: Floats, gradient: Floats, means: Floats, squares: Floats, turn: int, learning_rate: float) -> None:
    pace = np.float32(learning_rate / (1 - FIRST_DECAY**turn))
    growth = np.float32(1 / sqrt(1 - SECOND_DECAY**turn))
    first, second = np.float32(FIRST_DECAY), np.float32(SECOND_DECAY)
    for at in range(weights.size):
        slope = gradient[at]
        mean = first * means[at] + (ONE - first) * slope
        square = second * squares[at] + (ONE - second) * slope * slope
        means[at] = mean
        squares[at] = square
        weights[at] -= pace * mean / (np.sqrt(square) * growth + TINY)


@entry
def teach(
    weights: Floats, means: Floats, squares: Floats, turn: int,
    sequences: Floats, labels: Floats, order: NDArray[np.int64], kept: NDArray[np.bool_],
    batch: int, learning_rate: float, dropout: float, width: int, room: Room,
) -> None:  # fmt: skip
    """One pass over the sequences in the order given, a step of Adam for each batch.

    Args:
        weights, means, squares: changed in place; the latter are Adam's, in the weights' layout.
        turn: steps of Adam before this pass.
        sequences: [n, length, features].
        labels: [n].
        order: [n], of the sequences.
        kept: [n, units], whether a unit of the last state is kept, in the order taken.
        batch: sequences a step.
        learning_rate: of Adam.
        dropout: share of units that is not kept.
        width: units, filled up to whole registers.
        room: to work in, for `batch` sequences.
    """
    gates, states, inputs, turned, slopes, gradient = room
    steps, features = sequences.shape[1:]
    scale, slopes_of = np.float32(1 / (1 - dropout)), slopes.reshape(-1, width)
    for start in range(0, order.size, batch):
        picked = order[start : start + batch]
        rows = picked.size
        _gather(sequences, picked, inputs)
        _forward(weights, inputs, rows, steps, features, width, rows, gates, states)
        gradient[:] = 0
        last = states.reshape(-1, width)[steps * rows : (steps + 1) * rows]
        _head(weights, last, labels[picked], kept[start : start + rows], scale, slopes_of, gradient)
        _backward(weights, turned, inputs, rows, steps, features, width, gates, states, slopes, gradient)
        turn += 1
        _adam(weights, gradient, means, squares, turn, learning_rate)


@entry
def figures(
    weights: Floats, sequences: Floats, labels: Floats, at_once: int, width: int, room: Room
) -> tuple[float, float]:
    """Mean log loss and F1 score of what is said of the sequences, without dropout; a label above half is a yes.

    Args:
        weights: laid out.
        sequences: [n, length, features].
        labels: [n].
        at_once: sequences in one go.
        width: units, filled up to whole registers.
        room: to work in, for `at_once` sequences.
    """
    gates, states, inputs = room[:3]
    steps, features = sequences.shape[1:]
    bias = weights.size - LANES
    head, everything = weights[bias - width : bias], np.arange(labels.size)
    loss, right, named = 0.0, 0, 0
    for start in range(0, labels.size, at_once):
        picked = everything[start : start + at_once]
        rows = picked.size
        _gather(sequences, picked, inputs)
        _forward(weights, inputs, rows, steps, features, width, 0, gates, states)
        last = states.reshape(-1, width)[steps * rows : (steps + 1) * rows]
        for row in range(rows):
            logit, label = float(weights[bias]), labels[picked[row]]
            for at in range(width):
                logit += last[row, at] * head[at]
            loss += max(logit, 0.0) - logit * label + log1p(exp(-abs(logit)))
            right += logit >= 0 and label > HALF
            named += (logit >= 0) + (label > HALF)
    return loss / labels.size, 2 * right / named if named > 0 else 0.0


def room_for(rows: int, steps: int, features: int, width: int, size: int) -> Room:
    """Arrays for `teach` and `figures` to work in, each at the start of a register.

    Args:
        rows: sequences in one go.
        steps: in a sequence.
        features: in a step.
        width: units, filled up to whole registers.
        size: floats of all weights.
    """
    return (
        _aligned(rows * steps * 4 * width),
        _aligned(rows * (steps + 1) * width),
        _aligned(rows * steps * features),
        _aligned(3 * width * width),
        _aligned(rows * width),
        _aligned(size),
    )


def _aligned(floats: int) -> Floats:
    row = np.zeros(floats + LANES, np.float32)
    first = (-row.ctypes.data // row.itemsize) % LANES
    return row[first : first + floats]
