"""Batches of pairs give what pairs one by one give, wherever they are worked on and whenever they were killed."""

import os
import signal
from dataclasses import replace

import pytest

from tandem.config import Settings
from tandem.forecast import PairBars, Rating, Training, ranked, train_pair
from tandem.forecast.gru import train_grus
from tandem.forecast.training import batches as module
from tandem.market import Pair, Refusal
from tandem.screening import LocalEngine


@pytest.fixture(scope="module")
def fast():
    return Settings.model_validate({"model": {"epochs": 2, "min_data_points": 300, "gru_units": 4}})


@pytest.fixture(scope="module")
def pupils(simulated_closes, passport_of):
    found = []
    for number in range(4):
        closes = simulated_closes(400, seed=number)
        passport = passport_of(*closes, pair=f"A{number}/B")
        found.append((passport, PairBars.of(passport.pair, *closes, passport.starts)))
    return found


@pytest.fixture(scope="module")
def alone(pupils, fast):
    return [train_pair(passport, bars.closes_a, bars.closes_b, fast).to_bytes() for passport, bars in pupils]


class Doomed(LocalEngine):
    """An engine that stops after some batches."""

    def map(self, work, shared, blocks):
        for number, result in enumerate(super().map(work, shared, blocks)):
            if number == 2:
                raise KeyboardInterrupt
            yield result


class Counting(LocalEngine):
    """An engine that says how many batches it was given."""

    def map(self, work, shared, blocks):
        counts.append(len(blocks))
        return super().map(work, shared, blocks)


counts: list[int] = []


@pytest.mark.parametrize("size", [1, 3, 16])
def test_a_batch_of_any_size_gives_the_models_of_pairs_one_by_one(pupils, alone, fast, size, monkeypatch):
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", size)
    assert [model.to_bytes() for model in Training(fast).models(pupils)] == alone


def test_a_training_that_was_killed_goes_on_with_what_is_left(pupils, alone, fast, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", 1)
    folder = tmp_path / "training" / "2026-04-14"
    with pytest.raises(KeyboardInterrupt):
        Training(fast, Doomed(1), folder).models(pupils)
    assert len(list(folder.iterdir())) == 2
    counts.clear()
    assert [model.to_bytes() for model in Training(fast, Counting(1), folder).models(pupils)] == alone
    assert counts == [2]
    assert [model.to_bytes() for model in Training(fast, Counting(1), folder).models(pupils)] == alone
    assert counts == [2, 0]


def test_other_settings_or_bars_take_nothing_from_a_checkpoint(pupils, fast, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", 1)
    names = {Training(fast, folder=tmp_path)._name(pupils[:1])}
    more = fast.model_copy(update={"model": fast.model.model_copy(update={"seed": 8})})
    names.add(Training(more, folder=tmp_path)._name(pupils[:1]))
    passport, bars = pupils[0]
    names.add(Training(fast, folder=tmp_path)._name([(passport, bars.before(399))]))
    names.add(Training(fast, folder=tmp_path)._name(pupils[1:2]))
    assert len(names) == 4


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-20], lambda content: content[:-9] + b"x" * 9, lambda _: b""]
)
def test_a_damaged_checkpoint_is_none(pupils, alone, fast, tmp_path, damage, monkeypatch):
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", 1)
    with pytest.raises(ZeroDivisionError):
        Training(fast, folder=tmp_path, progress=lambda *_: 1 / 0).models(pupils[:2])
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert [model.to_bytes() for model in Training(fast, folder=tmp_path).models(pupils[:2])] == alone[:2]


def test_a_single_batch_is_kept_until_its_results_are_on_record(pupils, fast, tmp_path):
    with pytest.raises(ZeroDivisionError):
        Training(fast, folder=tmp_path, progress=lambda *_: 1 / 0).models(pupils[:1])
    assert len(list(tmp_path.iterdir())) == 1


def test_progress_is_told_in_pairs(pupils, fast, monkeypatch):
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", 3)
    told = []
    Training(fast, progress=lambda *said: told.append(said)).ratings([bars for _, bars in pupils])
    assert told == [("pairs trained", 3, 4), ("pairs trained", 4, 4)]


def test_a_rating_is_what_the_model_of_the_pair_was_judged_by(pupils, fast):
    passport, bars = pupils[0]
    model, (rating,) = train_pair(passport, bars.closes_a, bars.closes_b, fast), Training(fast).ratings([bars])
    assert rating.metrics == model.metrics
    assert (rating.best_epoch, rating.why, rating.periods) == (model.best_epoch, model.why, model.periods)
    assert Rating.from_bytes(rating.to_bytes()) == rating
    assert replace(Rating.of(model), horizon=rating.horizon) == rating
    assert rating.samples == sum(period.samples for period in rating.periods.values())


def test_a_pair_that_cannot_be_trained_is_rated_with_its_refusal(pupils, fast):
    _, bars = pupils[0]
    (rating,) = Training(fast).ratings([bars.before(120)])
    assert isinstance(rating.refusal, Refusal)
    assert not rating.is_trained
    assert rating.metrics == {}


def test_ratings_are_ranked_by_correlation_then_loss_then_f1_and_refusals_come_last():
    def rating(name, mcc=None, log_loss=0.6, f1_score=0.5):
        metrics = {} if mcc is None else {"test_mcc": mcc, "test_log_loss": log_loss, "test_f1_score": f1_score}
        return Rating(Pair(name, "Z"), 5, metrics, refusal=None if metrics else Refusal("model", "", "forecast"))

    given = [rating("A"), rating("B", -0.1), rating("C", 0.2, 0.7), rating("D", 0.2, 0.6, 0.4), rating("E", 0.2, 0.6)]
    assert [each.pair.a for each in ranked(given)] == ["E", "D", "C", "B", "A"]


class Lender(LocalEngine):
    """An engine whose blocks may take three threads each."""

    threads_each = 3


@pytest.mark.parametrize("what", ["models", "ratings"])
def test_networks_are_taught_on_as_many_threads_as_the_engine_has_for_a_batch(pupils, fast, what, monkeypatch):
    told = []

    def taught(*arguments, threads, **named):
        told.append(threads)
        return train_grus(*arguments, threads=threads, **named)

    monkeypatch.setattr("tandem.forecast.training.train.train_grus", taught)
    items = pupils[:1] if what == "models" else [bars for _, bars in pupils[:1]]
    getattr(Training(fast, Lender(1)), what)(items)
    assert told == [3] * (2 if what == "models" else 1)


@pytest.mark.slow
def test_a_cluster_gives_the_same_models_though_it_loses_a_worker(pupils, alone, fast, tmp_path, monkeypatch):
    from tandem.screening import engine_of

    monkeypatch.setattr(module, "PAIRS_AT_ONCE", 1)
    with engine_of("dask", 2, tmp_path) as engine:
        pids = engine.client.run(os.getpid)

        def lose_one(_stage, done, _of):
            if done == 1:
                os.kill(next(iter(pids.values())), signal.SIGKILL)

        found = Training(fast, engine, progress=lose_one).models(pupils)
    assert [model.to_bytes() for model in found] == alone
