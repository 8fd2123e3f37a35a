"""Small blocks to learn from, and the plain twin of the compiled trainer: PyTorch's own GRU, in float64."""

import numpy as np
import pytest

from tandem.config import ModelSettings
from tandem.forecast.gru import Assignment, Gru
from tandem.forecast.gru.course import Course
from tandem.forecast.gru.study import Study

SMALL = ModelSettings(gru_units=8, batch_size=16, learning_rate=0.01, patience=3)


def a_block(samples=120, seed=0, features=4, length=10):
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((samples, length, features))
    return inputs, (inputs[:, -1, 0] > 0).astype(float)


def net_of(weights, features, units):
    """PyTorch's network with these weights, in float64."""
    import torch

    gru, head = torch.nn.GRU(features, units, batch_first=True), torch.nn.Linear(units, 1)
    net = torch.nn.ModuleDict({"gru": gru, "head": head}).double()
    net.load_state_dict({name: torch.from_numpy(value).double() for name, value in weights.items()})
    return net


def log_loss(net, inputs, labels, mask=None):
    import torch

    last = net["gru"](torch.from_numpy(inputs))[0][:, -1]
    logits = net["head"](last if mask is None else last * mask)[:, 0]
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(labels))


def twin(assignment, settings, epochs):
    """The weights after so many epochs, and each epoch's losses: the same batches, masks and first weights."""
    import torch

    course = Course.begin(assignment, settings, epochs)
    study = Study.begin(assignment, settings, epochs, None)
    inputs, labels = (part.astype(np.float64) for part in study.train)
    net = net_of(course.lesson().gru.weights, inputs.shape[2], settings.gru_units)
    adam, losses = torch.optim.Adam(net.parameters(), lr=settings.learning_rate), []
    for _ in range(epochs):
        chance = study.shuffle()
        kept = torch.from_numpy(chance.kept / (1 - settings.dropout_rate))
        for first in range(0, len(labels), settings.batch_size):
            picked = chance.order[first : first + settings.batch_size]
            adam.zero_grad()
            log_loss(net, inputs[picked], labels[picked], kept[first : first + len(picked)]).backward()
            adam.step()
        with torch.no_grad():
            losses.append(float(log_loss(net, inputs, labels)))
        study.course.history.append(None)
    return Gru({name: value.numpy().astype(np.float32) for name, value in net.state_dict().items()}), losses


@pytest.fixture(scope="session")
def small():
    return SMALL


@pytest.fixture(scope="session", name="a_block")
def a_block_fixture():
    return a_block


@pytest.fixture(scope="session", name="twin")
def twin_fixture():
    return twin


@pytest.fixture(scope="session", name="net_of")
def net_of_fixture():
    return net_of


@pytest.fixture(scope="session", name="log_loss")
def log_loss_fixture():
    return log_loss


@pytest.fixture(scope="session")
def assigned():
    """Four assignments of different sizes, some with a validation block."""
    sizes = ((120, 60), (77, 30), (50, 0), (133, 41))
    return [
        Assignment(a_block(n, seed), a_block(held_out, seed + 50) if held_out else None, seed)
        for seed, (n, held_out) in enumerate(sizes)
    ]
