"""A network trained and asked."""

import subprocess
import sys

import numpy as np
import pytest

from tandem.forecast.gru import train_gru


@pytest.fixture(scope="module")
def lesson(a_block, small):
    return train_gru(a_block(), a_block(60, seed=1), small, 25)


def test_numpy_and_pytorch_give_the_same_probabilities(lesson, a_block, net_of):
    import torch

    inputs, _ = a_block(40, seed=2)
    net = net_of(lesson.gru.weights, 4, 8)
    with torch.no_grad():
        last = net["gru"](torch.from_numpy(inputs))[0][:, -1]
        expected = torch.sigmoid(net["head"](last))[:, 0].numpy()
    np.testing.assert_allclose(lesson.gru.probability(inputs), expected, atol=1e-6)


def test_two_trainings_give_the_same_weights_bit_for_bit(a_block, small):
    first, second = (train_gru(a_block(), a_block(60, seed=1), small, 3) for _ in range(2))
    assert all((first.gru.weights[name] == second.gru.weights[name]).all() for name in first.gru.weights)
    assert first.history == second.history


def test_another_seed_gives_other_weights(a_block, small):
    first, second = (train_gru(a_block(), None, small.model_copy(update={"seed": seed}), 1) for seed in (1, 2))
    assert (first.gru.weights["head.weight"] != second.gru.weights["head.weight"]).any()


def test_training_leaves_the_callers_randomness_and_threads_alone(a_block, small):
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    train_gru(a_block(), None, small, 1)
    assert (torch.rand(3) == expected).all()
    assert torch.get_num_threads() == threads


def test_it_learns_what_can_be_learnt(lesson, a_block):
    inputs, answers = a_block(400, seed=9)
    assert ((lesson.gru.probability(inputs) >= 0.5) == (answers > 0.5)).mean() > 0.8


def test_the_weights_of_the_best_validation_loss_are_kept(lesson, a_block):
    inputs, answers = a_block(60, seed=1)
    said = lesson.gru.probability(inputs)
    loss = -np.mean(np.where(answers > 0.5, np.log(said), np.log(1 - said)))
    best = min(epoch.validation_loss for epoch in lesson.history)
    assert lesson.history[lesson.best_epoch - 1].validation_loss == best
    assert loss == pytest.approx(best, abs=1e-5)


def test_a_label_above_half_is_a_one_for_the_f1_score(a_block, small):
    inputs, answers = a_block(90, seed=4)
    lesson = train_gru((inputs, 0.1 + 0.7 * answers), (inputs, answers), small, 2)
    assert [epoch.f1_score for epoch in lesson.history] == [epoch.validation_f1_score for epoch in lesson.history]
    assert 0 < lesson.history[-1].f1_score < 1


def test_training_stops_when_the_validation_loss_has_not_improved_for_patience_epochs(a_block, small):
    inputs, answers = a_block(60, seed=1)
    lesson = train_gru(a_block(), (inputs, 1 - answers), small, 60)
    assert len(lesson.history) == lesson.best_epoch + small.patience


def test_without_a_validation_block_every_epoch_is_run(a_block, small):
    lesson = train_gru(a_block(), None, small, 5)
    assert (len(lesson.history), lesson.best_epoch) == (5, 5)
    assert lesson.history[0].validation_loss is None


def test_asking_a_trained_model_imports_no_pytorch():
    asks = (
        "import sys, numpy as np; from tandem.forecast.gru import Gru; "
        "w = {'gru.weight_ih_l0': np.ones((6, 3), 'f4'), 'gru.weight_hh_l0': np.ones((6, 2), 'f4'), "
        "'gru.bias_ih_l0': np.ones(6, 'f4'), 'gru.bias_hh_l0': np.ones(6, 'f4'), "
        "'head.weight': np.ones((1, 2), 'f4'), 'head.bias': np.ones(1, 'f4')}; "
        "Gru(w).probability(np.ones((1, 10, 3))); import tandem.forecast; "
        "print(sorted({'torch', 'mlflow', 'sklearn', 'matplotlib', 'arch', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
