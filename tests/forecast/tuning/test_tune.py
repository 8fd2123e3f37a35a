"""A search sees no test block, finishes exactly its trials, and counts them all."""

import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import optuna
import pytest

from tandem.config import Settings
from tandem.forecast import PairBars
from tandem.forecast.features import look_back
from tandem.forecast.gru import train_grus
from tandem.forecast.tuning import space, tune
from tandem.forecast.tuning.tune import Heartbeat, Search, _Study, evaluate, finished, outcome, run_trials, take_seat
from tandem.forecast.tuning.walk import walk
from tandem.market import DataError, Pair, Refusal

BARS = 900
ASKED = pytest.mark.filterwarnings("ignore:Heartbeat of storage is supposed to be used with Study.optimize")


@pytest.fixture(scope="module")
def fast():
    model = {"epochs": 1, "gru_units": 16, "min_data_points": 300, "test_split": 0.2}
    return Settings.model_validate({"model": model, "tuning": {"steps": 2}})


@pytest.fixture(scope="module")
def pairs(simulated_closes):
    return tuple(PairBars.of(Pair(f"A{number}", "B"), *simulated_closes(BARS, seed=number)) for number in range(2))


@pytest.fixture
def search(pairs, fast, monkeypatch, request):
    """A search of one pair, a study of the test's own, in a database of this file's."""
    monkeypatch.setattr(tune, "DATABASE", "optuna_of_tests")
    monkeypatch.setattr(tune, "POLL", 0.05)
    seed = sum(map(ord, request.node.name))
    own = fast.model_copy(update={"model": fast.model.model_copy(update={"seed": seed})})
    return Search("Technology", pairs[:1], own, trials=3, heartbeat=Heartbeat(5, 60))


@pytest.fixture
def instant(monkeypatch):
    """Trials whose loss is a figure of their settings, for what concerns the study and not the network."""

    def judged(_search, recipe, report):
        loss = 0.5 + abs(np.log(recipe.learning_rate / 1e-3)) / 10 + recipe.dropout_rate / 10
        report(0, loss)
        return dict.fromkeys(tune.SCORES, 0.5) | {"log_loss": loss}

    monkeypatch.setattr(tune, "evaluate", judged)


def forget(search, store):
    """As if the study had never been."""
    with _Study.opened(search, store) as study:
        optuna.delete_study(study_name=search.name, storage=study.storage)


def poisoned(bars):
    """The same bars with nonsense in the test block."""
    test = len(bars) - round(len(bars) * 0.2)
    closes = [leg.copy() for leg in (bars.closes_a, bars.closes_b)]
    for leg in closes:
        leg[test:] = np.nan
    return PairBars.of(bars.pair, *closes)


def test_the_test_block_is_never_looked_at(search, store):
    search = replace(search, trials=2)
    run_trials(search, store)
    first = outcome(search, store)
    blind = replace(search, pairs=tuple(map(poisoned, search.pairs)))
    assert blind.name == search.name
    forget(search, store)
    run_trials(blind, store)
    assert outcome(blind, store) == first


def test_bars_before_the_test_block_do_matter(search):
    other = replace(search, pairs=tuple(each.before(len(each) - 60) for each in search.pairs))
    assert other.name != search.name
    assert evaluate(other, search.settings.model) != evaluate(search, search.settings.model)


def test_no_stage_sees_beyond_its_validation_block(search):
    longest = space.longest(search.settings.model)
    for stages in search.walks.values():
        for stage in stages:
            train, stopping, validation = stage.window(longest).blocks.values()
            reach, horizon = look_back(longest), stage.spread.horizon
            assert train.bars[-1] + horizon < stopping.bars[0] - reach
            assert stopping.bars[-1] + horizon < validation.bars[0] - reach
            assert validation.bars[-1] + horizon < len(stage.spread.values) == stage.step.validation.stop
            assert stage.step.validation.stop <= BARS - BARS // 5


def test_every_recipe_is_judged_on_the_same_bars(search):
    short = search.settings.model.model_copy(update={"sequence_length": 4})
    for stages in search.walks.values():
        for stage in stages:
            own, other = stage.window(short).test, stage.window(space.longest(short)).test
            assert (own.bars == other.bars).all()
            assert (own.labels == other.labels).all()


def test_what_comes_after_the_train_block_changes_nothing_that_was_learned_on_it(search, pairs, fast):
    (stage, _) = search.walks[pairs[0].pair]
    reached = stage.step.train.stop + stage.spread.horizon
    rng = np.random.default_rng(4)
    legs = [leg.copy() for leg in (pairs[0].closes_a, pairs[0].closes_b)]
    for leg in legs:
        leg[reached:] *= np.exp(0.01 * rng.standard_normal(len(leg) - reached))
    (changed, _) = walk(PairBars.of(pairs[0].pair, *legs), fast, space.longest(fast.model))
    assert changed.spread.equilibrium == stage.spread.equilibrium
    assert changed.window(fast.model).train.rows.tobytes() == stage.window(fast.model).train.rows.tobytes()


@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("place", ["evaluate", "space.suggested", "_Study.begun"])
def test_a_search_that_is_interrupted_ends_as_if_it_had_not_been(search, store, instant, monkeypatch, place, before):
    run_trials(search, store)
    whole = outcome(search, store)
    forget(search, store)
    owner, name = {"space.suggested": (space, "suggested"), "_Study.begun": (_Study, "begun")}.get(place, (tune, place))
    real, calls = getattr(owner, name), []

    def doomed(*arguments):
        calls.append(arguments)
        # More often than a trial is begun again whose process died.
        if before < len(calls) <= before + tune.RETRIES + 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(owner, name, doomed)
    for _ in range(tune.RETRIES + 2):
        with pytest.raises(KeyboardInterrupt):
            run_trials(search, store)
        assert finished(search, store) == before
    assert run_trials(search, store) == 3 - before
    again = outcome(search, store)
    assert [(each.params, each.loss) for each in again.trials] == [(each.params, each.loss) for each in whole.trials]
    assert again.trials[0].params == space.params_of(search.settings.model)
    assert store.ledger.count(["technology"]).trials == 3


@ASKED
def test_the_recipes_own_trial_is_done_though_it_never_gave_a_sign_of_life(search, store, instant):
    with _Study.opened(search, store) as study:
        study.study.ask()
    run_trials(search, store)
    found = outcome(search, store)
    assert len(found.trials) == 3
    assert found.tried(space.params_of(search.settings.model)) is not None


def test_an_interrupted_trial_is_not_done_again_once_the_count_is_reached(search, store, instant, monkeypatch):
    run_trials(search, store)
    with _Study.opened(search, store) as study:
        study.study.enqueue_trial(space.params_of(search.settings.model) | {"patience": 5})
        monkeypatch.setattr(tune, "evaluate", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run_trials(search, store)
    assert run_trials(search, store) == 0
    assert finished(search, store) == 3


def test_the_first_trial_is_the_recipe_as_it_is_and_the_best_is_no_worse(search, store):
    search = replace(search, trials=2)
    run_trials(search, store)
    found = outcome(search, store)
    current = found.tried(space.params_of(search.settings.model))
    assert current is not None
    assert current.number == 0
    assert found.best.loss <= current.loss
    assert current.loss == pytest.approx(evaluate(search, search.settings.model)["log_loss"])
    assert set(found.baselines) == {"ar1", "logistic", "always_one"}
    assert found.blocks == 2


def test_several_share_a_study_and_double_no_trial(search, store, instant):
    more = replace(search, trials=6)
    assert len(more.steps) == 2
    with ThreadPoolExecutor(3) as threads:
        ran = list(threads.map(lambda _: run_trials(more, store), range(3)))
    found = outcome(more, store)
    assert sum(ran) == len(found.trials) == 6
    assert len({tuple(each.params.values()) for each in found.trials}) == 6
    assert run_trials(more, store) == 0


@ASKED
def test_a_trial_whose_process_is_gone_is_begun_again(search, store, instant):
    search = replace(search, heartbeat=Heartbeat(1, 2))
    with _Study.opened(search, store) as study:
        asked = study.study.ask()
        tried = space.suggested(asked)
        study.begun(asked)
    run_trials(search, store)
    found = outcome(search, store)
    assert len(found.trials) == 3
    assert [each.params for each in found.trials].count(tried) == 1
    assert all(each.params["learning_rate"] == space.rounded(each.params["learning_rate"]) for each in found.trials)


@ASKED
@pytest.mark.parametrize("begun", [0, 1])
def test_a_trial_that_process_after_process_died_on_is_given_up_but_not_the_recipes(search, store, instant, begun):
    if begun:
        run_trials(replace(search, trials=1), store)
    with _Study.opened(search, store) as study:
        study.study.sampler = study._sampler(begun)
        study.study.sampler = study._sampler(begun)
        asked = study.study.ask()
        tried = space.suggested(asked)
        study.begun(asked)
        study.storage.set_trial_system_attr(asked._trial_id, "retry_history", [7, 8, 9])
        study.study.tell(asked.number, state=optuna.trial.TrialState.FAIL)
    run_trials(search, store)
    found = outcome(search, store)
    assert len(found.trials) == 3
    assert (found.tried(tried) is None) is bool(begun)


def test_a_process_that_was_taken_for_dead_goes_on_with_another_trial(search, store, instant, monkeypatch):
    real, left = tune.evaluate, [2]

    def slow(*arguments):
        left[0] -= 1
        if left[0] == 0:
            with _Study.opened(search, store) as study:
                study.study.tell(1, state=optuna.trial.TrialState.FAIL)
        return real(*arguments)

    monkeypatch.setattr(tune, "evaluate", slow)
    assert run_trials(search, store) == 3
    assert [each.number for each in outcome(search, store).trials] == [0, 2, 3]


def test_an_error_of_the_work_is_told_as_it_is(search, store, monkeypatch):
    monkeypatch.setattr(tune, "evaluate", lambda *_: int("nothing"))
    with pytest.raises(ValueError, match="nothing"):
        run_trials(search, store)


@ASKED
def test_a_trial_that_never_gave_a_sign_of_life_holds_nobody_up(search, store, instant):
    with _Study.opened(search, store) as study:
        study.study.ask()
    assert run_trials(search, store) == 3


def test_a_trial_that_is_worse_than_the_median_is_pruned_and_counted(search, store, monkeypatch):
    losses = iter(np.linspace(0.5, 0.9, 12))
    scores = dict.fromkeys(tune.SCORES, 0.5)

    def judged(_search, _recipe, report):
        loss = next(losses)
        report(0, loss)
        return scores | {"log_loss": loss}

    monkeypatch.setattr(tune, "evaluate", judged)
    run_trials(replace(search, trials=9), store)
    found = outcome(search, store)
    assert [each.is_pruned for each in found.trials] == [False] * 5 + [True] * 4
    assert found.best.number == 0
    assert store.ledger.count(["technology"]).trials == len({str(each.params) for each in found.trials})


def test_a_pair_that_is_too_short_is_left_out_with_its_reason(search, pairs, fast):
    short = PairBars.of(Pair("S", "T"), pairs[0].closes_a[:200], pairs[0].closes_b[:200])
    both = Search("technology", (*pairs, short), fast, 1)
    assert isinstance(both.walks[short.pair], Refusal)
    assert [len(stages) for stages in both.steps] == [2, 2]
    with pytest.raises(DataError, match="no pair can be walked through: "):
        _ = Search("technology", (short,), fast, 1).steps


def test_a_trial_is_taught_on_the_threads_that_the_search_names(search, monkeypatch):
    told = []

    def taught(*arguments, threads, **named):
        told.append(threads)
        return train_grus(*arguments, threads=threads, **named)

    monkeypatch.setattr(tune, "train_grus", taught)
    one = replace(search, threads=1)
    assert evaluate(one, one.settings.model) == evaluate(search, search.settings.model)
    steps = len(search.steps)
    assert told == [1] * steps + [None] * steps
    assert one.name == search.name


def test_the_missions_defaults_are_inside_the_space():
    assert space.is_inside(Settings().model)
    assert set(space.params_of(Settings().model)) == set(space.SPACE)


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_finishes_the_same_number_of_trials(search, store, tmp_path):
    from tandem.screening import engine_of

    # The workers are processes of their own, which know the database by its usual name.
    tune.DATABASE = "optuna_db"
    shared = replace(search, trials=8, address=store.url, heartbeat=Heartbeat(2, 15))
    with engine_of("dask", 2, tmp_path) as engine, ThreadPoolExecutor(1) as aside:
        pids = engine.client.run(os.getpid)
        ran = aside.submit(lambda: list(engine.map(take_seat, shared, [0, 1])))
        while finished(shared, store) < 2:
            time.sleep(0.2)
        os.kill(next(iter(pids.values())), signal.SIGKILL)
        assert len(ran.result()) == 2
    found = outcome(shared, store)
    assert len(found.trials) == 8
    assert len({tuple(each.params.values()) for each in found.trials}) == 8
    assert store.ledger.count(["technology"]).trials == 8


@pytest.mark.slow
def test_a_search_that_was_killed_goes_on(search, store, tmp_path):
    alone = replace(search, trials=6, address=store.url, heartbeat=Heartbeat(2, 15))
    tune.DATABASE = "optuna_db"
    context = multiprocessing.get_context("spawn")
    doomed = context.Process(target=take_seat, args=(alone, 0))
    doomed.start()
    while finished(alone, store) < 2:
        time.sleep(0.1)
    doomed.kill()
    doomed.join()
    assert 0 < run_trials(alone, store) <= 4
    assert len(outcome(alone, store).trials) == 6
    assert store.ledger.count(["technology"]).trials == 6
