"""A GRU whose cell carries a GARCH(1,1) variance (after Wei, Yang and Cui, arXiv 2504.09380).

Beside the hidden state the cell has a variance `v`. At each step it sees the scaled features `x` and the GARCH
residual `e` of its bar, and

    v' = omega + alpha e^2 + beta v          the GARCH(1,1) recursion: the variance of the next innovation
    r  = s(W_r [x, log v'] + U_r h)          gates and candidate see that variance
    z  = s(W_z [x, log v'] + U_z h)
    n  = tanh(W_n [x, log v'] + r (U_n h))
    h' = (1 - z) n + z h

with omega, alpha and beta learned with the other weights, held to omega > 0 and alpha + beta < 1, from where maximum
likelihood put them. `v` starts from the fitted GARCH's variance of the sequence's first bar; variances are in units of
the train block's mean squared residual.

The paper forecasts volatility itself, from returns, with the variance inside the multiplicative gating. Here the cell
forecasts whether a spread reverts, sees the mission's features beside the residual, and its variance enters the gates
as one more input; the paper's equations were not followed further than that.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tandem.config import ModelSettings
from tandem.forecast.features import Array, Mask
from tandem.forecast.rivals.scaled_gru import fit_scaler
from tandem.forecast.scaler import Scaler
from tandem.forecast.training.practice import practised
from tandem.forecast.window import Samples, Window

if TYPE_CHECKING:
    import torch

Weights = dict[str, np.ndarray[Any, np.dtype[np.float32]]]


@dataclass(frozen=True, eq=False)
class GarchGru:
    """A trained cell; judged only.

    Attributes:
        scaler: of the features.
        unit: the train block's mean squared residual, squared log-price units.
        weights: `own` [3 units, features + 1], `past` [3 units, units], `own_bias`, `past_bias` [3 units],
            `head` [units], `head_bias` [1], and `variance`: omega, alpha, beta.
    """

    scaler: Scaler
    unit: float
    weights: Weights
    name: str = "garch_gru"

    @classmethod
    def fit(cls, window: Window, recipe: ModelSettings) -> "GarchGru":
        """Train on the train block and what there is to practise on; the best validation loss wins and ends it."""
        scaler = fit_scaler(window.train, window.spread, recipe)
        residuals = _column(window.train, "garch_residual")
        unit = float(np.mean(residuals**2)) or 1.0
        garch, scale = window.spread.garch, window.spread.garch.scale
        start = garch.omega * scale**2 / unit, garch.alpha, garch.beta
        train = practised(window.train, window.spread, recipe)
        lessons = (*_inputs(train, scaler, unit), train.labels)
        later = (*_inputs(window.validation, scaler, unit), window.validation.labels)
        return cls(scaler, unit, _trained(lessons, later, start, recipe))

    def probability(self, samples: Samples) -> Array:
        """See `Rival`."""
        weights = self.weights
        rows, squares, variance = _inputs(samples, self.scaler, self.unit)
        omega, alpha, beta = weights["variance"].astype(np.float64)
        hidden = np.zeros((len(samples), weights["past"].shape[1]))
        for step in range(rows.shape[1]):
            variance = omega + alpha * squares[:, step] + beta * variance
            seen = np.column_stack([rows[:, step], np.log(variance)])
            hidden = _step(np.asarray(seen @ weights["own"].T + weights["own_bias"], np.float64), hidden, weights)
        return _sigmoid(np.asarray(hidden @ weights["head"] + weights["head_bias"], np.float64))

    def answers(self, samples: Samples) -> Mask:
        """See `Rival`."""
        return self.probability(samples) >= 0.5


def _column(samples: Samples, name: str) -> Array:
    column: Array = samples.rows[..., samples.names.index(name)]
    return column


def _inputs(samples: Samples, scaler: Scaler, unit: float) -> tuple[Array, Array, Array]:
    """Scaled features, squared residuals and the first bar's variance."""
    squares = _column(samples, "garch_residual") ** 2 / unit
    return scaler.scale(samples.rows), squares, _column(samples, "garch_volatility")[:, 0] ** 2 / unit


def _step(own: Array, hidden: Array, weights: Weights) -> Array:
    units = hidden.shape[1]
    past = hidden @ weights["past"].T + weights["past_bias"]
    open_ = _sigmoid(own[:, :units] + past[:, :units])
    keep = _sigmoid(own[:, units : 2 * units] + past[:, units : 2 * units])
    fresh = np.tanh(own[:, 2 * units :] + open_ * past[:, 2 * units :])
    return (1 - keep) * fresh + keep * hidden


def _sigmoid(values: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * values))


Block = tuple[Array, Array, Array, Array]


def _trained(train: Block, later: Block, start: tuple[float, float, float], recipe: ModelSettings) -> Weights:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _Training(train, later, start, recipe).run()
    finally:
        torch.set_num_threads(threads)


class _Training:
    def __init__(self, train: Block, later: Block, start: tuple[float, float, float], recipe: ModelSettings) -> None:
        import torch

        self.recipe = recipe
        self.chance = torch.Generator().manual_seed(recipe.seed)
        self.train, self.later = self._tensors(train), self._tensors(later)
        units, features = recipe.gru_units, train[0].shape[2]
        shapes = {"own": (3 * units, features + 1), "past": (3 * units, units), "own_bias": (3 * units,)}
        shapes |= {"past_bias": (3 * units,), "head": (units,), "head_bias": (1,)}
        self.net = {name: self._drawn(shape) for name, shape in shapes.items()}
        self.net["variance"] = torch.tensor(_logits(*start), dtype=torch.float32).requires_grad_()
        self.adam = torch.optim.Adam(list(self.net.values()), lr=recipe.learning_rate)
        self.log_loss = torch.nn.BCEWithLogitsLoss()

    def _tensors(self, block: Block) -> tuple["torch.Tensor", ...]:
        import torch

        return tuple(torch.from_numpy(np.ascontiguousarray(part, dtype=np.float32)) for part in block)

    def _drawn(self, shape: tuple[int, ...]) -> "torch.Tensor":
        import torch

        reach = self.recipe.gru_units**-0.5
        return torch.empty(shape).uniform_(-reach, reach, generator=self.chance).requires_grad_()

    def run(self) -> Weights:
        import torch

        best, best_loss, idle = self._weights(), float("inf"), 0
        for _ in range(self.recipe.epochs):
            self._pass()
            with torch.no_grad():
                loss = float(self.log_loss(self._forward(*self.later[:3]), self.later[3]))
            best, best_loss, idle = (self._weights(), loss, 0) if loss < best_loss else (best, best_loss, idle + 1)
            if idle == self.recipe.patience:
                break
        return best

    def _pass(self) -> None:
        import torch

        labels = self.train[3]
        order = torch.randperm(len(labels), generator=self.chance)
        for picked in torch.split(order, self.recipe.batch_size):
            self.adam.zero_grad()
            rows, squares, variance = (part[picked] for part in self.train[:3])
            self.log_loss(self._forward(rows, squares, variance, drop=True), labels[picked]).backward()
            self.adam.step()

    def _forward(
        self, rows: "torch.Tensor", squares: "torch.Tensor", variance: "torch.Tensor", *, drop: bool = False
    ) -> "torch.Tensor":
        import torch

        net, units = self.net, self.recipe.gru_units
        omega, alpha, beta = _parameters(net["variance"])
        hidden = torch.zeros(len(rows), units)
        for step in range(rows.shape[1]):
            variance = omega + alpha * squares[:, step] + beta * variance
            own = torch.cat([rows[:, step], variance.log()[:, None]], 1) @ net["own"].T + net["own_bias"]
            past = hidden @ net["past"].T + net["past_bias"]
            open_, keep = torch.sigmoid(own[:, : 2 * units] + past[:, : 2 * units]).chunk(2, 1)
            fresh = torch.tanh(own[:, 2 * units :] + open_ * past[:, 2 * units :])
            hidden = (1 - keep) * fresh + keep * hidden
        if drop:
            kept = torch.rand(hidden.shape, generator=self.chance) >= self.recipe.dropout_rate
            hidden = hidden * kept / (1 - self.recipe.dropout_rate)
        return hidden @ net["head"] + net["head_bias"]

    def _weights(self) -> Weights:
        import torch

        with torch.no_grad():
            plain = {name: value.numpy().copy() for name, value in self.net.items()}
            plain["variance"] = torch.stack(_parameters(self.net["variance"])).numpy().copy()
        return plain


def _logits(omega: float, alpha: float, beta: float) -> list[float]:
    """What `_parameters` makes omega, alpha and beta of; both of the latter kept off their bounds."""
    alpha, beta = max(alpha, 0.01), max(beta, 0.01)
    rest = max(1 - alpha - beta, 0.005)
    return [float(np.log(max(omega, 1e-4))), float(np.log(alpha / rest)), float(np.log(beta / rest))]


def _parameters(free: "torch.Tensor") -> tuple["torch.Tensor", "torch.Tensor", "torch.Tensor"]:
    import torch

    alpha, beta, _ = torch.softmax(torch.cat([free[1:], free.new_zeros(1)]), 0)
    return free[0].exp(), alpha, beta
