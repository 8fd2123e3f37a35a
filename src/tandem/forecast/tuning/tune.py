"""A search for better settings of the model, judged on walk-forward blocks only.

The test block of every pair is cut off before anything is looked at. A trial trains all pairs of one step of the
walk, reports the mean log loss of their validation blocks so far, and is pruned where it does worse than the median
trial did by then. The study lives in PostgreSQL, so that several processes and machines work on one; which of them
runs a trial changes nothing of it.

Of N trials exactly N are finished, however many take part and die on the way: a trial is begun in turns, and one
that was interrupted or whose process is gone is begun again with the same settings.
"""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tandem.config import ModelSettings, Settings
from tandem.forecast.gru import train_grus
from tandem.forecast.training.pair_bars import PairBars
from tandem.forecast.tuning import space
from tandem.forecast.tuning.walk import SCORES, Stage, before_test, by_step, walk
from tandem.market import DataError, Pair, Refusal
from tandem.screening import Versions, slug
from tandem.statistics import one_thread
from tandem.store import Store, Trial, key_of, turn

if TYPE_CHECKING:
    import optuna
    from optuna.storages import RDBStorage

DATABASE: Final = "optuna_db"
VARIABLE: Final = "TANDEM_DATABASE_URL"
WORST: Final = 20.0
"""The log loss of a network that came to no number."""
POLL: Final = 1.0
RETRIES: Final = 3
"""How often a trial is begun again whose process died; one that was interrupted, or the recipe's, always is."""
AGAIN: Final = "interrupted_trial"
FIXED: Final = "fixed_params"

Report = Callable[[int, float], None]
Objective = Callable[["optuna.Trial"], float]


@dataclass(frozen=True)
class Heartbeat:
    """How soon a trial whose process is gone is noticed.

    Attributes:
        every: seconds between signs of life.
        grace: seconds without one.
    """

    every: int = 15
    grace: int = 90


@dataclass(frozen=True, eq=False)
class Search:
    """What is searched: a sector's recipe on the bars of some pairs.

    Attributes:
        sector: of the pairs.
        pairs: with their training windows.
        settings: the recipe to begin with; `model`, `garch` and `tuning` are read.
        trials: to finish, the recipe's own settings being the first.
        heartbeat: of the trials under way.
        address: of the store, where a worker may know it; empty where it has to know it itself.
        threads: that one process teaches on; None is every core that it may use. They change no result.
    """

    sector: str
    pairs: tuple[PairBars, ...]
    settings: Settings
    trials: int
    heartbeat: Heartbeat = field(default_factory=Heartbeat)
    address: str = ""
    threads: int | None = None

    @cached_property
    def name(self) -> str:
        """Of the study: the sector and a digest of all that decides what a trial comes to."""
        kept = self.settings.model.model_dump(mode="json", exclude={"version"})
        seen = [before_test(each, self.settings) for each in self.pairs]
        bars = [[str(each.pair), key_of(each.closes_a.tolist(), each.closes_b.tolist())] for each in seen]
        garch = self.settings.garch.model_dump(mode="json")
        decided = [kept, garch, _judging(self.settings), space.described(), bars, str(Versions.here())]
        return f"{slug(self.sector)} {key_of(decided)[:20]}"

    @cached_property
    def walks(self) -> dict[Pair, list[Stage] | Refusal]:
        """Each pair's stages, or why it has none."""
        recipe = self.settings.model
        with one_thread():
            return {each.pair: walk(each, self.settings, space.longest(recipe)) for each in self.pairs}

    @cached_property
    def steps(self) -> list[list[Stage]]:
        """The stages of the pairs that have some, step by step.

        Raises:
            DataError: none has.
        """
        found = [stages for stages in self.walks.values() if not isinstance(stages, Refusal)]
        if not found:
            why = next((each.why for each in self.walks.values() if isinstance(each, Refusal)), "there are none")
            raise DataError(f"no pair can be walked through: {why}", "Load more bars, or name other --pairs")
        return by_step(found)

    def recipe(self, params: Mapping[str, Any]) -> ModelSettings:
        """The model's settings with those that a trial tries."""
        return self.settings.model.model_copy(update=dict(params))

    def __getstate__(self) -> dict[str, Any]:
        """Walks are made again where they are needed."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Tried:
    """One finished trial.

    Attributes:
        number: in the study, from 0.
        params: what it tried.
        loss: mean log loss on the validation blocks, of those it came to; smaller is better.
        is_pruned: whether it was given up before the last step.
        scores: means over the validation blocks, by name; empty where it was pruned.
    """

    number: int
    params: dict[str, Any]
    loss: float
    is_pruned: bool
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a study has come to.

    Attributes:
        study: its name.
        trials: finished ones, by number.
        baselines: the rivals' mean scores on the same blocks.
        blocks: validation blocks that each whole trial was judged on.
    """

    study: str
    trials: tuple[Tried, ...]
    baselines: dict[str, dict[str, float]]
    blocks: int

    @property
    def best(self) -> Tried:
        """The whole trial with the smallest loss; of equals the first.

        Raises:
            DataError: none is whole yet.
        """
        whole = [each for each in self.trials if not each.is_pruned]
        if not whole:
            raise DataError("no trial of the study is finished", "Run the same command again")
        return min(whole, key=lambda each: (each.loss, each.number))

    def tried(self, params: Mapping[str, Any]) -> Tried | None:
        """The first whole trial of these settings."""
        return next((each for each in self.trials if each.params == params and not each.is_pruned), None)


def evaluate(search: Search, recipe: ModelSettings, report: Report | None = None) -> dict[str, float]:
    """Mean scores of a recipe over every validation block of the walk.

    Args:
        search: whose blocks.
        recipe: to judge.
        report: called with each step's number and the mean log loss so far; what it raises ends the evaluation.
    """
    found: list[dict[str, float]] = []
    for number, stages in enumerate(search.steps):
        with one_thread():
            assignments = [stage.assignment(recipe) for stage in stages]
            learned = train_grus(assignments, recipe, recipe.epochs, threads=search.threads)
            found += [stage.scores(lesson, recipe) for stage, lesson in zip(stages, learned, strict=True)]
        if report is not None:
            report(number, _means(found)["log_loss"])
    return _means(found)


def run_trials(search: Search, store: Store) -> int:
    """Take part in a study until all its trials are finished; how many this process ran."""
    ran = 0
    with _Study.opened(search, store) as study:
        while (more := study.begin(_objective(search, store, study))) is not None:
            ran += more
            if not more:
                # Others are at work on the last ones; should one of them die, its trial is begun again.
                Event().wait(POLL)
    return ran


def take_seat(search: Search, _seat: int) -> int:
    """Take part in a study from a worker of a cluster, with the store that its environment names.

    Raises:
        DataError: it names none.
    """
    url = search.address or os.environ.get(VARIABLE, "")
    if not url:
        raise DataError(f"a worker has no {VARIABLE}, so it cannot take part in the study", "Set it where they start")
    with TemporaryDirectory() as home, Store.open(Path(home), url) as store:
        return run_trials(search, store)


def outcome(search: Search, store: Store) -> Outcome:
    """What the study of a search has come to so far."""
    with _Study.opened(search, store) as study:
        tried = tuple(_tried(each) for each in study.finished())
    rivals = [stage.baseline_scores(search.settings.model) for stages in search.steps for stage in stages]
    baselines = {name: _means([each[name] for each in rivals]) for name in rivals[0]}
    return Outcome(search.name, tried, baselines, len(rivals))


def finished(search: Search, store: Store) -> int:
    """How many trials are finished."""
    with _Study.opened(search, store) as study:
        return len(study.finished())


def _objective(search: Search, store: Store, study: "_Study") -> Objective:
    def judged(trial: "optuna.Trial") -> float:
        from optuna import TrialPruned

        study.begun(trial)
        params = space.suggested(trial)

        def report(step: int, loss: float) -> None:
            trial.report(loss, step)
            if trial.should_prune():
                store.ledger.record(_counted(search, params))
                raise TrialPruned

        scores = evaluate(search, search.recipe(params), report)
        trial.set_user_attr("scores", scores)
        # Counted before it is told: no result is known to a study that the ledger does not know of.
        store.ledger.record(_counted(search, params))
        return scores["log_loss"]

    return judged


def _counted(search: Search, params: Mapping[str, Any]) -> Trial:
    return Trial(slug(search.sector), key_of("tuning", search.name, dict(params)), "tuning")


@dataclass(frozen=True)
class _Study:
    """The study of a search in PostgreSQL."""

    search: Search
    url: str
    storage: "RDBStorage"
    study: "optuna.Study"
    turns: ExitStack = field(default_factory=ExitStack)

    @classmethod
    @contextmanager
    def opened(cls, search: Search, store: Store) -> "Iterator[_Study]":
        import optuna
        from optuna.exceptions import ExperimentalWarning

        url = store.database(DATABASE)
        optuna.logging.set_verbosity(optuna.logging.CRITICAL)
        # For the life of the process: threads that each restore the filters would undo one another's.
        warnings.simplefilter("ignore", ExperimentalWarning)
        with turn(url, "first use"):
            storage = _storage(search, url)
        try:
            with turn(url, search.name):
                study = _made(search, storage)
            yield cls(search, url, storage, study)
        finally:
            storage.remove_session()
            storage.engine.dispose()

    def begin(self, objective: Objective) -> int | None:
        """Run a trial; 0 where others are at work on the last ones, None where all are finished."""
        from optuna.storages import fail_stale_trials
        from optuna.trial import TrialState

        with self.turns:
            self.turns.enter_context(turn(self.url, self.search.name))
            self._fail_stillborn()
            fail_stale_trials(self.study)
            if len(self._counted()) < self.search.trials:
                self._begin_again()
            states = [each.state for each in self._counted()]
            if TrialState.WAITING in states or len(states) < self.search.trials:
                begun = len(states) - states.count(TrialState.WAITING)
                self.study.sampler = self._sampler(begun + len(self._given_up()))
                return self._run(objective)
            return 0 if TrialState.RUNNING in states else None

    def _run(self, objective: Objective) -> int:
        """A process that was too slow to give signs of life finds its trial given up; another runs it."""
        from optuna.exceptions import UpdateFinishedTrialError

        own: list[Exception] = []

        def kept(trial: "optuna.Trial") -> float:
            try:
                return objective(trial)
            except ValueError as error:
                own.append(error)
                raise

        try:
            self.study.optimize(kept, n_trials=1)
        except UpdateFinishedTrialError:
            return 0
        except ValueError:
            # Of the work itself it is a bug; otherwise the study takes no result of a trial that was given up.
            if own:
                raise
            return 0
        return 1

    def begun(self, trial: "optuna.Trial") -> None:
        """A trial is alive: others may begin theirs."""
        of = self.storage.get_study_id_from_name(self.search.name)
        self.storage.record_heartbeat(self.storage.get_trial_id_from_study_id_trial_number(of, trial.number))
        self.turns.close()

    def finished(self) -> "list[optuna.trial.FrozenTrial]":
        """Whole and pruned trials, by number."""
        from optuna.trial import TrialState

        return self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))

    def _counted(self) -> "list[optuna.trial.FrozenTrial]":
        from optuna.trial import TrialState

        return [each for each in self.study.get_trials(deepcopy=False) if each.state is not TrialState.FAIL]

    def _given_up(self) -> "list[optuna.trial.FrozenTrial]":
        from optuna.trial import TrialState

        return [each for each in self.study.get_trials(deepcopy=False, states=(TrialState.FAIL,)) if _is_given_up(each)]

    def _sampler(self, begun: int) -> "optuna.samplers.BaseSampler":
        """One of its own for each trial: one worker gives the same study whether it was killed or not."""
        from optuna.samplers import TPESampler

        return TPESampler(seed=int(key_of(self.search.settings.model.seed, begun)[:8], 16))

    def _fail_stillborn(self) -> None:
        """Whoever has the turn knows that a trial which began without a sign of life never will give one."""
        from optuna.trial import TrialState
        from sqlalchemy import text

        with self.storage.engine.connect() as connection:
            found = connection.execute(text(STILLBORN), {"name": self.search.name}).scalars().all()
        for number in found:
            self.study.tell(number, state=TrialState.FAIL)

    def _begin_again(self) -> None:
        """Interrupted trials wait to be run with the settings they had; one that had none yet is sampled as it was."""
        from optuna import create_trial
        from optuna.trial import TrialState

        trials = self.study.get_trials(deepcopy=False)
        begun_again = {number for each in trials for number in _predecessors(each)}
        for each in trials:
            had = len(each.params) == len(space.SPACE) or FIXED in each.system_attrs
            if each.state is TrialState.FAIL and had and each.number not in begun_again and not _is_given_up(each):
                again = create_trial(
                    state=TrialState.WAITING,
                    params=each.params,
                    distributions=each.distributions,
                    system_attrs={**each.system_attrs, AGAIN: each.number},
                )
                self.study.add_trial(again)


STILLBORN: Final = """
SELECT trials.number FROM trials JOIN studies USING (study_id) LEFT JOIN trial_heartbeats USING (trial_id)
WHERE studies.study_name = :name AND trials.state = 'RUNNING' AND trial_heartbeats.trial_id IS NULL
"""


def _predecessors(trial: "optuna.trial.FrozenTrial") -> list[int]:
    """Numbers of the trials that a trial is in place of."""
    interrupted = [trial.system_attrs[AGAIN]] if AGAIN in trial.system_attrs else []
    return [*_deaths(trial), *interrupted]


def _is_given_up(trial: "optuna.trial.FrozenTrial") -> bool:
    # The recipe's own, whose settings were given, never is: the best would be measured against nothing.
    return FIXED not in trial.system_attrs and len(_deaths(trial)) >= RETRIES


def _deaths(trial: "optuna.trial.FrozenTrial") -> list[int]:
    found: list[int] = trial.system_attrs.get("retry_history", [])
    return found


def _made(search: Search, storage: "RDBStorage") -> "optuna.Study":
    import optuna
    from optuna.pruners import MedianPruner

    study = optuna.create_study(
        storage=storage,
        study_name=search.name,
        direction="minimize",
        load_if_exists=True,
        pruner=MedianPruner(n_startup_trials=5),
    )
    if space.is_inside(search.settings.model) and not study.get_trials(deepcopy=False):
        study.enqueue_trial(space.params_of(search.settings.model))
    return study


def _storage(search: Search, url: str) -> "RDBStorage":
    from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback

    return RDBStorage(
        url,
        heartbeat_interval=search.heartbeat.every,
        grace_period=search.heartbeat.grace,
        heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=RETRIES),
    )


def _tried(trial: "optuna.trial.FrozenTrial") -> Tried:
    from optuna.trial import TrialState

    value = trial.value if trial.value is not None else list(trial.intermediate_values.values())[-1]
    is_pruned = trial.state is TrialState.PRUNED
    scores = {} if is_pruned else dict(trial.user_attrs["scores"])
    return Tried(trial.number, space.tried(trial.params), float(value), is_pruned, scores)


def _means(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    means = {name: float(np.mean([each[name] for each in found])) for name in SCORES}
    return {**means, "log_loss": float(np.nan_to_num(means["log_loss"], nan=WORST))}


def _judging(settings: Settings) -> list[object]:
    return [settings.tuning.steps, settings.tuning.step_share]
