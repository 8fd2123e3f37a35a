"""A small GRU: trained with PyTorch, asked with NumPy.

`r = s(W_r x + U_r h)`, `z = s(W_z x + U_z h)`, `n = tanh(W_n x + r (U_n h))`, `h' = (1 - z) n + z h` (biases left
out); Cho et al. 2014, with PyTorch's placing of the reset gate. The forward pass needs no PyTorch, so a trading
session never imports it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tandem.config import ModelSettings
from tandem.forecast.features import Array

if TYPE_CHECKING:
    import torch

Weights = dict[str, np.ndarray[Any, np.dtype[np.float32]]]


@dataclass(frozen=True, eq=False)
class Gru:
    """A trained network: its weights under PyTorch's names (`gru.weight_ih_l0`, ..., `head.bias`), float32."""

    weights: Weights

    def probability(self, scaled: Array) -> Array:
        """Probability of label 1 for each sequence of scaled features, [sequences, length, features] -> [sequences]."""
        hidden = np.zeros((len(scaled), self.weights["gru.weight_hh_l0"].shape[1]))
        for step in range(scaled.shape[1]):
            hidden = self._step(scaled[:, step], hidden)
        return _sigmoid(hidden @ self.weights["head.weight"][0] + self.weights["head.bias"][0])

    def _step(self, inputs: Array, hidden: Array) -> Array:
        own = inputs @ self.weights["gru.weight_ih_l0"].T + self.weights["gru.bias_ih_l0"]
        past = hidden @ self.weights["gru.weight_hh_l0"].T + self.weights["gru.bias_hh_l0"]
        units = hidden.shape[1]
        reset, update = slice(units), slice(units, 2 * units)
        keep = _sigmoid(own[:, update] + past[:, update])
        open_ = _sigmoid(own[:, reset] + past[:, reset])
        fresh = np.tanh(own[:, 2 * units :] + open_ * past[:, 2 * units :])
        return (1 - keep) * fresh + keep * hidden


@dataclass(frozen=True)
class Epoch:
    """One pass over the training block; validation figures are None where no such block was given."""

    loss: float
    f1_score: float
    validation_loss: float | None = None
    validation_f1_score: float | None = None


@dataclass(frozen=True, eq=False)
class Lesson:
    """What training gave: the network with the best validation loss, and how it came there.

    Attributes:
        gru: the weights of the best epoch (of the last one where nothing was held out).
        history: every epoch run, the best one included.
        best_epoch: counted from 1.
    """

    gru: Gru
    history: tuple[Epoch, ...]
    best_epoch: int


def train_gru(
    train: tuple[Array, Array], validation: tuple[Array, Array] | None, settings: ModelSettings, epochs: int
) -> Lesson:
    """Train a GRU on scaled sequences and their labels; the best validation loss wins and ends it.

    Adam on the log loss, dropout before the output, batches in seeded random order. One thread and its own
    generators: on a CPU two runs give the same weights, bit for bit.

    Args:
        train: sequences [n, length, features] and labels [n] of 0 and 1.
        validation: the same from a later block, or None to run every epoch.
        settings: units, dropout, learning rate, batch, patience and seed.
        epochs: passes at most.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            return _Training(train, validation, settings).run(epochs)
    finally:
        torch.set_num_threads(threads)


class _Training:
    def __init__(
        self, train: tuple[Array, Array], validation: tuple[Array, Array] | None, settings: ModelSettings
    ) -> None:
        import torch

        self.settings = settings
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.chance = torch.Generator().manual_seed(settings.seed)
        self.train = self._tensors(train)
        self.validation = self._tensors(validation) if validation is not None and len(validation[1]) else None
        self.gru = torch.nn.GRU(train[0].shape[2], settings.gru_units, batch_first=True)
        self.head = torch.nn.Linear(settings.gru_units, 1)
        self.net = torch.nn.ModuleDict({"gru": self.gru, "head": self.head}).to(self.device)
        self._draw_weights()
        self.adam = torch.optim.Adam(self.net.parameters(), lr=settings.learning_rate)
        self.log_loss = torch.nn.BCEWithLogitsLoss()

    def _tensors(self, block: tuple[Array, Array]) -> tuple["torch.Tensor", "torch.Tensor"]:
        import torch

        inputs, answers = (torch.from_numpy(np.ascontiguousarray(part, dtype=np.float32)) for part in block)
        return inputs.to(self.device), answers.to(self.device)

    def _draw_weights(self) -> None:
        import torch

        reach = self.settings.gru_units**-0.5
        with torch.no_grad():
            for weights in self.net.parameters():
                drawn = torch.empty(weights.shape).uniform_(-reach, reach, generator=self.chance)
                weights.copy_(drawn)

    def run(self, epochs: int) -> Lesson:
        history: list[Epoch] = []
        best, best_epoch, best_loss = self._weights(), 0, float("inf")
        while len(history) < epochs and len(history) - best_epoch < self.settings.patience:
            self._pass()
            history.append(self._epoch())
            loss = history[-1].validation_loss
            if loss is None or loss < best_loss:
                best, best_epoch, best_loss = self._weights(), len(history), loss or 0.0
        return Lesson(Gru(best), tuple(history), best_epoch)

    def _pass(self) -> None:
        import torch

        inputs, answers = self.train
        order = torch.randperm(len(answers), generator=self.chance).to(self.device)
        for first in range(0, len(order), self.settings.batch_size):
            picked = order[first : first + self.settings.batch_size]
            self.adam.zero_grad()
            self.log_loss(self._logits(inputs[picked], dropout=True), answers[picked]).backward()
            self.adam.step()

    def _logits(self, inputs: "torch.Tensor", *, dropout: bool = False) -> "torch.Tensor":
        last = self.gru(inputs)[0][:, -1]
        return self.head(self._drop(last) if dropout else last)[:, 0]  # type: ignore[no-any-return]

    def _drop(self, hidden: "torch.Tensor") -> "torch.Tensor":
        import torch

        kept = torch.rand(hidden.shape, generator=self.chance) >= self.settings.dropout_rate
        return hidden * kept.to(self.device) / (1 - self.settings.dropout_rate)

    def _epoch(self) -> Epoch:
        loss, f1_score = self._figures(*self.train)
        if self.validation is None:
            return Epoch(loss, f1_score)
        return Epoch(loss, f1_score, *self._figures(*self.validation))

    def _figures(self, inputs: "torch.Tensor", answers: "torch.Tensor") -> tuple[float, float]:
        import torch

        with torch.no_grad():
            logits = self._logits(inputs)
            right = float(((logits >= 0) & (answers > 0.5)).sum())
            named = float((logits >= 0).sum()) + float(answers.sum())
            return float(self.log_loss(logits, answers)), 2 * right / named if named else 0.0

    def _weights(self) -> Weights:
        return {name: value.detach().cpu().numpy().copy() for name, value in self.net.state_dict().items()}


def _sigmoid(values: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * values))
