"""A training that is killed goes on where it was."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from time import sleep

import numpy as np
import pytest

from tandem.forecast.gru import Assignment, apart, train_grus

EPOCHS = 1000
TRAINS = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from conftest import SMALL, a_block
from tandem.forecast.gru import Assignment, train_grus
train_grus([Assignment(a_block(seed=at), None, at) for at in range(2)], SMALL, {EPOCHS}, checkpoint=Path(sys.argv[1]))
"""


def same(one, other):
    return one.history == other.history and all(
        np.array_equal(one.gru.weights[name], other.gru.weights[name]) for name in one.gru.weights
    )


@pytest.fixture
def passes(monkeypatch):
    """The calls of the compiled pass, which go on as they were."""
    calls, teach = [], apart.teach
    monkeypatch.setattr(apart, "teach", lambda *given: (calls.append(given[3]), teach(*given)))
    return calls


def test_a_killed_training_goes_on_and_ends_with_the_same_bits(tmp_path, a_block, small, passes):
    folder = tmp_path / "state"
    training = subprocess.Popen([sys.executable, "-c", TRAINS, str(folder)])
    while not list(folder.glob("*.npz")):
        assert training.poll() is None
        sleep(0.01)
    os.kill(training.pid, signal.SIGKILL)
    training.wait()
    assignments = [Assignment(a_block(seed=at), None, at) for at in range(2)]
    resumed = train_grus(assignments, small, EPOCHS, checkpoint=folder)
    ran = len(passes)
    assert 0 < ran < 2 * EPOCHS
    assert all(map(same, resumed, train_grus(assignments, small, EPOCHS)))
    assert not folder.exists()


@pytest.fixture
def interrupted(tmp_path, assigned, small, monkeypatch):
    """A folder with the state of the first assignment after four of six epochs."""
    monkeypatch.setattr("tandem.forecast.gru.checkpoint.OFTEN", 2 * len(assigned[0].train[1]))
    teach = apart.teach

    def break_off(*given):
        if given[3] >= 5 * 8:
            raise KeyboardInterrupt
        teach(*given)

    patient = small.model_copy(update={"patience": 50})
    with monkeypatch.context() as patched:
        patched.setattr(apart, "teach", break_off)
        with pytest.raises(KeyboardInterrupt):
            train_grus(assigned[:1], patient, 6, checkpoint=tmp_path / "state", threads=1)
    return tmp_path / "state"


def go_on(folder, assignment, settings, epochs=6, **changed):
    settings = settings.model_copy(update={"patience": 50, **changed})
    lesson = train_grus([assignment], settings, epochs, checkpoint=folder)[0]
    assert same(lesson, train_grus([assignment], settings, epochs)[0])


def test_it_goes_on_after_the_last_checkpoint(interrupted, assigned, small, passes):
    go_on(interrupted, assigned[0], small)
    assert len(passes) == 2 + 6


@pytest.mark.parametrize(
    "changed",
    [{"learning_rate": 0.02}, {"dropout_rate": 0.1}, {"batch_size": 8}, {"gru_units": 9}, {"patience": 49}],
)
def test_the_state_of_other_settings_is_left_alone(interrupted, assigned, small, passes, changed):
    go_on(interrupted, assigned[0], small, **changed)
    assert len(passes) == 6 + 6
    assert len(list(interrupted.glob("*.npz"))) == 1


def test_the_state_of_other_data_is_left_alone(interrupted, assigned, small, passes):
    inputs, labels = assigned[0].train
    nearly = inputs.copy()
    nearly[3, 2, 1] += 1e-3
    others = (
        replace(assigned[0], seed=99),
        replace(assigned[0], train=(nearly, labels)),
        replace(assigned[0], train=(inputs, 1 - labels)),
        replace(assigned[0], validation=None),
    )
    for other in others:
        go_on(interrupted, other, small)
    assert len(passes) == len(others) * (6 + 6)
    assert len(list(interrupted.glob("*.npz"))) == 1


@pytest.mark.parametrize("damage", [lambda content: content[:-40], lambda _: b"", lambda content: content[::-1]])
def test_a_damaged_state_counts_as_none(interrupted, assigned, small, passes, damage):
    (path,) = interrupted.glob("*.npz")
    path.write_bytes(damage(path.read_bytes()))
    go_on(interrupted, assigned[0], small)
    assert len(passes) == 6 + 6
    assert not interrupted.exists()


def test_a_state_runs_no_code_when_it_is_read(interrupted, assigned, small, passes):
    (path,) = interrupted.glob("*.npz")
    with np.load(path) as kept:
        arrays = dict(kept)
    np.savez(path, **{**arrays, "best": np.array([object()])})
    go_on(interrupted, assigned[0], small)
    assert len(passes) == 6 + 6
