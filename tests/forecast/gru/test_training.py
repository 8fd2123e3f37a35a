"""Many networks trained at once, beside the plain twin and beside one at a time."""

from dataclasses import replace

import numpy as np
import pytest

from tandem.forecast.gru import Assignment, train_gru, train_grus
from tandem.forecast.gru.apart import learn
from tandem.forecast.gru.study import Study


def same(one, other):
    return one.history == other.history and all(
        np.array_equal(one.gru.weights[name], other.gru.weights[name]) for name in one.gru.weights
    )


@pytest.mark.parametrize(
    ("units", "features", "length", "samples", "batch"),
    [(8, 4, 10, 50, 16), (16, 1, 1, 9, 32), (21, 3, 4, 41, 13), (64, 12, 10, 80, 32), (80, 13, 3, 70, 33)],
)
def test_weights_and_losses_are_those_of_pytorchs_gru(a_block, twin, small, units, features, length, samples, batch):
    settings = small.model_copy(update={"gru_units": units, "batch_size": batch, "learning_rate": 0.003})
    assignment = Assignment(a_block(samples, 1, features, length), None, seed=5)
    expected, losses = twin(assignment, settings, 4)
    lesson = train_grus([assignment], settings, 4)[0]
    for name, weights in expected.weights.items():
        np.testing.assert_allclose(lesson.gru.weights[name], weights, atol=2e-5)
    np.testing.assert_allclose([epoch.loss for epoch in lesson.history], losses, atol=1e-5)


@pytest.mark.parametrize(("units", "features", "length", "samples"), [(8, 4, 10, 16), (64, 12, 10, 32), (19, 5, 2, 7)])
def test_the_hand_written_gradient_is_that_of_autograd(
    a_block, net_of, log_loss, small, units, features, length, samples
):
    import torch

    settings = small.model_copy(update={"gru_units": units, "batch_size": samples, "dropout_rate": 0.5})
    study = Study.begin(Assignment(a_block(samples, 2, features, length), None, seed=3), settings, 1, None)
    course, chance = study.course, study.shuffle()
    net = net_of(course.lesson().gru.weights, features, units)
    inputs, labels = (part[chance.order].astype(np.float64) for part in study.train)
    log_loss(net, inputs, labels, torch.from_numpy(chance.kept / 0.5)).backward()
    learn(study)
    # After one step Adam's mean is a tenth of the gradient.
    for name, tenth in course.layout.unpack(course.means).items():
        np.testing.assert_allclose(10 * tenth, net.get_parameter(name).grad.numpy(), atol=1e-6)


def test_at_once_or_one_by_one_gives_the_same_bits(assigned, small):
    together = train_grus(assigned, small, 6)
    alone = [
        train_gru(each.train, each.validation, small.model_copy(update={"seed": each.seed}), 6) for each in assigned
    ]
    assert all(map(same, together, alone))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_neither_threads_nor_the_order_of_the_others_change_a_bit(assigned, small, threads):
    forward = train_grus(assigned, small, 4, threads=threads)
    backward = train_grus(assigned[::-1], small, 4)
    assert all(map(same, forward, backward[::-1]))


def test_each_stops_by_its_own_validation_loss(a_block, small):
    inputs, labels = a_block(60, seed=1)
    learnable, hopeless = (inputs, labels), (inputs, 1 - labels)
    one, other = train_grus([Assignment(a_block(), learnable, 7), Assignment(a_block(), hopeless, 7)], small, 12)
    assert len(other.history) == other.best_epoch + small.patience < len(one.history)


def test_an_assignment_may_have_its_own_number_of_epochs(assigned, small):
    lessons = train_grus([replace(assigned[2], epochs=2), assigned[2], replace(assigned[2], epochs=0)], small, 3)
    assert [len(lesson.history) for lesson in lessons] == [2, 3, 0]


def test_nothing_to_learn_gives_nothing(small):
    assert train_grus([], small, 3) == []


def test_a_validation_block_without_sequences_is_none(a_block, small):
    empty = train_gru(a_block(), a_block(0), small, 2)
    assert same(empty, train_gru(a_block(), None, small, 2))


def test_what_is_no_number_spoils_one_network_and_no_other(assigned, small):
    inputs, labels = assigned[0].train
    broken = Assignment((np.where(inputs > 2, np.nan, inputs), labels), assigned[0].validation, 0)
    spoilt, sound = train_grus([broken, assigned[1]], small, 3, threads=1)
    assert spoilt.best_epoch == 0
    assert np.isnan(spoilt.history[0].loss)
    assert same(sound, train_grus([assigned[1]], small, 3)[0])
