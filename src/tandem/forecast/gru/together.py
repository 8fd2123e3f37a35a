"""Training by PyTorch on a GPU: many networks as one, in grouped products."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tandem.forecast.gru.kernel import FIRST_DECAY, SECOND_DECAY, TINY
from tandem.forecast.gru.layout import Layout
from tandem.forecast.gru.lesson import Epoch
from tandem.forecast.gru.registers import LANES
from tandem.forecast.gru.study import Block, Study

if TYPE_CHECKING:
    from torch import Tensor

# Networks in one group, and sequences of each that are read at once: a few hundred megabytes.
NETWORKS: Final = 256
AT_ONCE: Final = 128
ROWS: Final = ("weights", "means", "squares")


def learn_together(studies: Sequence[Study], device: str) -> None:
    """Run all epochs of all studies; those whose sequences have the same shape share every product.

    The weights, the order of the batches and the dropout are those of the compiled loops, and so are results,
    to about 1e-5.

    Args:
        studies: of the same settings.
        device: PyTorch's name of it.
    """
    for group in _groups(studies):
        classroom = _Classroom(group, device)
        while learning := [at for at, study in enumerate(group) if not study.course.has_ended]:
            classroom.run(learning)


def _groups(studies: Sequence[Study]) -> Iterator[list[Study]]:
    def shape(study: Study) -> tuple[int, ...]:
        return study.train[0].shape[1:]

    for _, alike in groupby(sorted(studies, key=shape), key=shape):
        group = list(alike)
        yield from (group[first : first + NETWORKS] for first in range(0, len(group), NETWORKS))


class _Classroom:
    """Studies whose sequences have the same shape, with their blocks on the device."""

    def __init__(self, studies: list[Study], device: str) -> None:
        self.studies, self.device = studies, device
        nothing = (studies[0].train[0][:0], studies[0].train[1][:0])
        self.train = _Filled([study.train for study in studies], device)
        self.validation = _Filled([study.validation or nothing for study in studies], device)

    def run(self, learning: list[int]) -> None:
        """One epoch of each of these."""
        studies = [self.studies[at] for at in learning]
        networks = _Networks(studies, self.device)
        networks.teach(self.train, learning)
        networks.leave()
        own, held_out = (networks.figures(block, learning) for block in (self.train, self.validation))
        for study, mine, apart in zip(studies, own, held_out, strict=True):
            study.note(Epoch(*mine, *((None, None) if study.validation is None else apart)))


class _Filled:
    """Blocks as one, filled up to the longest: sequences [networks, n, length, features], labels, and counts."""

    def __init__(self, blocks: Sequence[Block], device: str) -> None:
        import torch

        longest = max(len(labels) for _, labels in blocks)
        sequences = np.zeros((len(blocks), longest, *blocks[0][0].shape[1:]), np.float32)
        labels = np.zeros((len(blocks), longest), np.float32)
        for at, (inputs, answers) in enumerate(blocks):
            sequences[at, : len(answers)], labels[at, : len(answers)] = inputs, answers
        self.sequences, self.labels = torch.from_numpy(sequences).to(device), torch.from_numpy(labels).to(device)
        self.counts = np.array([len(answers) for _, answers in blocks])
        self.device = device


class _Networks:
    """The weights of several networks, [networks, floats], in the layout of the compiled loops."""

    def __init__(self, studies: Sequence[Study], device: str) -> None:
        import torch

        self.studies, self.device = studies, device
        self.layout, self.recipe = studies[0].course.layout, studies[0].settings
        self.weights, self.means, self.squares = (
            torch.from_numpy(np.stack([getattr(study.course, name) for study in studies])).to(device) for name in ROWS
        )
        self.turns = torch.tensor([study.turn for study in studies], dtype=torch.float64, device=device)

    def leave(self) -> None:
        """Give the studies their weights back."""
        for name in ROWS:
            for study, row in zip(self.studies, getattr(self, name).cpu().numpy(), strict=True):
                getattr(study.course, name)[:] = row

    def teach(self, block: _Filled, learning: list[int]) -> None:
        """One pass, a step of Adam for each batch; a network that has no batch left stands still."""
        order, kept, share = self._shuffled(block.counts[learning])
        which = self._tensor(np.array(learning))[:, None]
        for first in range(0, order.shape[1], self.recipe.batch_size):
            batch = slice(first, first + self.recipe.batch_size)
            picked = self._tensor(order[:, batch])
            drop = self._tensor(kept[:, batch]) / (1 - self.recipe.dropout_rate)
            gradient = self._gradient(
                block.sequences[which, picked], block.labels[which, picked], drop, self._tensor(share[:, batch])
            )
            self._adam(gradient, self._tensor(share[:, first] > 0)[:, None])

    def _shuffled(self, counts: Any) -> tuple[Any, Any, Any]:
        """Orders, dropout and shares in their batch's mean of all networks; a share of 0 fills up."""
        longest, units, size = max(counts), self.recipe.gru_units, self.recipe.batch_size
        order = np.zeros((len(counts), longest), np.int64)
        kept, share = np.zeros((*order.shape, units), np.bool_), np.zeros(order.shape, np.float32)
        for at, (study, count) in enumerate(zip(self.studies, counts, strict=True)):
            chance = study.shuffle()
            order[at, :count], kept[at, :count] = chance.order, chance.kept
            whole = count - count % size
            share[at, :whole], share[at, whole:count] = 1 / size, 1 / max(count - whole, 1)
        return order, kept, share

    def _gradient(self, inputs: "Tensor", labels: "Tensor", drop: "Tensor", share: "Tensor") -> "Tensor":
        import torch

        weights = self.weights.clone().requires_grad_()
        logits = _logits(weights, self.layout, inputs, drop)
        losses = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        (gradient,) = torch.autograd.grad((losses * share).sum(), weights)
        return gradient

    def _adam(self, gradient: "Tensor", moving: "Tensor") -> None:
        import torch

        self.turns += moving[:, 0]
        pace = (self.recipe.learning_rate / (1 - FIRST_DECAY**self.turns)).float()[:, None]
        growth = (1 / (1 - SECOND_DECAY**self.turns).sqrt()).float()[:, None]
        means = torch.lerp(gradient, self.means, FIRST_DECAY)
        squares = torch.lerp(gradient * gradient, self.squares, SECOND_DECAY)
        weights = self.weights - pace * means / (squares.sqrt() * growth + float(TINY))
        for name, moved in zip(ROWS, (weights, means, squares), strict=True):
            setattr(self, name, torch.where(moving, moved, getattr(self, name)))

    def figures(self, block: _Filled, learning: list[int]) -> list[tuple[float, float]]:
        """Mean log loss and F1 score of each network on its block, without dropout."""
        import torch

        counts, which = self._tensor(block.counts[learning])[:, None], self._tensor(np.array(learning))
        sums = torch.zeros(3, len(learning), dtype=torch.float64, device=self.device)
        for first in range(0, block.labels.shape[1], AT_ONCE):
            labels = block.labels[which, first : first + AT_ONCE]
            with torch.no_grad():
                logits = _logits(self.weights, self.layout, block.sequences[which, first : first + AT_ONCE])
            there = torch.arange(first, first + labels.shape[1], device=self.device) < counts
            losses = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
            says, true = logits >= 0, labels > 0.5
            parts = losses, says & true, says.int() + true.int()
            sums += torch.stack([(part * there).sum(1, dtype=torch.float64) for part in parts])
        loss, right, named = sums.cpu().numpy()
        return [
            (float(loss[at] / max(count, 1)), float(2 * right[at] / named[at]) if named[at] else 0.0)
            for at, count in enumerate(block.counts[learning])
        ]

    def _tensor(self, values: Any) -> "Tensor":
        import torch

        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)


def _logits(weights: "Tensor", layout: Layout, inputs: "Tensor", drop: "Tensor | None" = None) -> "Tensor":
    """What the networks say, [networks, sequences]; inputs are [networks, sequences, length, features]."""
    import torch

    networks, sequences, steps, features = inputs.shape
    width = layout.width
    of_inputs, of_state, bias_of_inputs, bias_of_state, head, bias = _parts(weights, layout)
    by_step = inputs.transpose(1, 2).reshape(networks, steps * sequences, features)
    own = torch.baddbmm(bias_of_inputs, by_step, of_inputs).view(networks, steps, sequences, 3 * width)
    state = inputs.new_zeros(networks, sequences, width)
    for step in range(steps):
        fresh, *gates = torch.tensor_split(own[:, step], 3, dim=2)
        past = torch.tensor_split(torch.baddbmm(bias_of_state, state, of_state), 3, dim=2)
        reset, update = (torch.sigmoid(gate + before) for gate, before in zip(gates, past[:2], strict=True))
        fresh = torch.tanh(fresh + reset * past[2])
        state = fresh + update * (state - fresh)
    if drop is not None:
        state = state[:, :, : layout.units] * drop
    return torch.baddbmm(bias, state, head[:, : state.shape[2]])[:, :, 0]


def _parts(weights: "Tensor", layout: Layout) -> list["Tensor"]:
    import torch

    width, features = layout.width, layout.features
    shapes = ((features, 3 * width), (width, 3 * width), (1, 3 * width), (1, 3 * width), (width, 1), (1, LANES))
    ends = np.cumsum([rows * columns for rows, columns in shapes])[:-1].tolist()
    parts = torch.tensor_split(weights, ends, dim=1)
    whole = [part.reshape(-1, *shape) for part, shape in zip(parts, shapes, strict=True)]
    return [*whole[:5], whole[5][:, :, :1]]
