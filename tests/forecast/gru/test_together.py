"""The grouped products of PyTorch, on the CPU, beside the compiled loops."""

from dataclasses import replace

import numpy as np
import pytest

from tandem.forecast.gru import Assignment, train_grus, training
from tandem.forecast.gru.study import Study
from tandem.forecast.gru.together import learn_together


def by_pytorch(assignments, settings, epochs, folder=None):
    studies = [Study.begin(each, settings, epochs, folder) for each in assignments]
    learn_together(studies, "cpu")
    return [study.course.lesson() for study in studies]


def nearly(one, other):
    assert (len(one.history), one.best_epoch) == (len(other.history), other.best_epoch)
    for mine, theirs in zip(one.history, other.history, strict=True):
        assert mine.loss == pytest.approx(theirs.loss, abs=1e-5)
        assert mine.f1_score == pytest.approx(theirs.f1_score)
        assert mine.validation_loss == (theirs.validation_loss and pytest.approx(theirs.validation_loss, abs=1e-5))
    for name, weights in one.gru.weights.items():
        np.testing.assert_allclose(weights, other.gru.weights[name], atol=1e-5)


def test_it_gives_the_weights_of_the_compiled_loops(assigned, small):
    expected = train_grus(assigned, small, 5, device="cpu")
    for mine, theirs in zip(by_pytorch(assigned, small, 5), expected, strict=True):
        nearly(mine, theirs)


def test_labels_between_0_and_1_count_as_in_the_compiled_loops(a_block, small):
    inputs, labels = a_block(70, seed=2)
    unsure = [Assignment((inputs, 0.2 + 0.7 * labels), (inputs, 0.4 + 0.2 * labels), 3)]
    nearly(by_pytorch(unsure, small, 3)[0], train_grus(unsure, small, 3, device="cpu")[0])


def test_sequences_of_other_shapes_are_a_group_of_their_own(a_block, assigned, small):
    other = Assignment(a_block(40, 3, features=2, length=5), None, 8)
    mixed = [assigned[0], other, assigned[1]]
    for mine, theirs in zip(by_pytorch(mixed, small, 2), train_grus(mixed, small, 2), strict=True):
        nearly(mine, theirs)


def test_one_that_has_stopped_stays_as_it_is(a_block, assigned, small):
    inputs, labels = a_block(60, seed=1)
    hopeless, short = Assignment(a_block(), (inputs, 1 - labels), 7), replace(assigned[2], epochs=1)
    asked = [hopeless, short, assigned[1]]
    mine = by_pytorch(asked, small, 9)
    assert len(mine[1].history) < len(mine[0].history) < 9
    for one, other in zip(mine, train_grus(asked, small, 9), strict=True):
        nearly(one, other)


def test_it_goes_on_from_the_compiled_loops_checkpoint(assigned, small, tmp_path, monkeypatch):
    monkeypatch.setattr("tandem.forecast.gru.checkpoint.OFTEN", 1)
    begun = Study.begin(assigned[0], small, 4, tmp_path)
    half = replace(begun, course=replace(begun.course, epochs=2))
    learn_together([half], "cpu")
    assert len(Study.begin(assigned[0], small, 4, tmp_path).course.history) == 2
    nearly(train_grus(assigned[:1], small, 4, checkpoint=tmp_path)[0], train_grus(assigned[:1], small, 4)[0])


def test_a_gpu_is_taken_where_there_is_one(assigned, small, monkeypatch):
    asked = []
    monkeypatch.setattr(training, "_device", lambda: "cuda")
    monkeypatch.setattr(training, "learn_together", lambda studies, device: asked.append((len(studies), device)))
    train_grus(assigned, small, 0)
    train_grus(assigned, small, 0, device="cpu")
    assert asked == [(len(assigned), "cuda")]


def test_without_a_driver_pytorch_is_not_asked(monkeypatch):
    monkeypatch.setattr(training, "DRIVERS", ("libno_such_driver.so.1",))
    assert training._device() == "cpu"
    assert not training._is_there("libno_such_driver.so.1")
