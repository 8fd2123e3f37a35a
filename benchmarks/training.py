"""How fast many GRUs are trained, as a ratio to `torch.nn.GRU` one by one in the same run.

    python benchmarks/training.py [--full] [--json] [--only NAME]

Sections: trainers, grouped, kernel. Pairs are simulated: 1,200 sequences of 10 steps and 12 features to learn from and
300 held out, 64 units, batches of 32, dropout 0.255, Adam at 3e-4; after each epoch the log loss and the F1 score of
both blocks are taken. The rivals do the same with `torch.nn.GRU`, autograd and the fastest of PyTorch's
three ways of Adam: one process a core with one thread each, and one process with a thread a core. All run all
epochs. Rounds alternate; a ratio is of the best rounds, and starts, imports and compiling are left out on both sides.
By default 8 pairs run for 3 epochs; `--full` runs 100 pairs for 50, once. With `--json` each line is a row of
{name, value, unit, goal, met}.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np

from figures import Figure, at_least, at_most, line, row
from tandem.config import ModelSettings
from tandem.forecast.features import Array
from tandem.forecast.gru import Assignment, Lesson, train_grus
from tandem.forecast.gru.kernel import figures, room_for, teach
from tandem.forecast.gru.products import add_product
from tandem.forecast.gru.registers import entry
from tandem.forecast.gru.study import Study
from tandem.forecast.gru.together import learn_together
from tandem.market import Stopwatch
from tandem.statistics import one_thread

TRAIN, HELD_OUT, LENGTH, FEATURES = 1_200, 300, 10, 12
CORES = len(os.sched_getaffinity(0))
RECIPE = ModelSettings(patience=1_000)
Block = tuple[Array, Array]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    for figure in measure(asked.full, asked.only):
        print(row(figure) if asked.json else line(figure), flush=True)


def measure(full: bool, only: str) -> Iterator[Figure]:
    for section in (trainers, grouped, kernel):
        if only in section.__name__:
            yield from section(full)


def trainers(full: bool) -> Iterator[Figure]:
    """All pairs at once, beside PyTorch's GRU one by one."""
    pairs, epochs, rounds = (100, 50, 1) if full else (8, 3, 2)
    train_grus(some(1), RECIPE, 1, device="cpu")
    with Rival(CORES, 1) as apart, Rival(1, CORES) as threaded:
        few = range(pairs // 8)
        mine, theirs, at_one = in_turns(
            rounds,
            lambda: [lesson.history[-1].validation_loss or 0.0 for lesson in at_once(pairs, epochs)],
            lambda: apart.losses(range(pairs), epochs),
            lambda: threaded.losses(few, epochs),
        )
    passes, what = pairs * epochs, f"{pairs} pairs x {TRAIN:,} sequences x {epochs} epochs"
    best = min(theirs.seconds, at_one.seconds * pairs / len(few))
    yield at_least(f"{what}, times the best of torch.nn.GRU one by one", best / mine.seconds, "x", 5)
    yield Figure(f"the same, times {CORES} processes of one thread", theirs.seconds / mine.seconds, "x")
    yield Figure(
        f"the same, times one process of {CORES} threads ({len(few)} pairs)",
        at_one.seconds * pairs / len(few) / mine.seconds, "x",
    )  # fmt: skip
    yield Figure("an epoch of a pair, a core", 1e3 * mine.seconds * CORES / passes, "ms")
    yield Figure("the same by torch.nn.GRU", 1e3 * theirs.seconds * CORES / passes, "ms")
    told = "" if full else ", reckoned from these"
    yield at_most(f"100 pairs x {TRAIN:,} sequences x 50 epochs{told}", mine.seconds * 5_000 / passes, "s", 480)
    off = abs(np.mean(mine.losses) / np.mean(theirs.losses) - 1)
    yield at_most("mean validation loss, away from torch.nn.GRU's", 100 * float(off), "%", 1)


def grouped(full: bool) -> Iterator[Figure]:
    """The way of a GPU: all pairs in grouped products of PyTorch."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    pairs, epochs = (100, 50) if device == "cuda" else (8, 2 if full else 1)

    def together() -> list[float]:
        studies = [Study.begin(each, RECIPE, epochs, None) for each in some(pairs)]
        learn_together(studies, device)
        return [study.course.history[-1].validation_loss or 0.0 for study in studies]

    compiled, theirs = in_turns(
        2, lambda: [lesson.history[-1].validation_loss or 0.0 for lesson in at_once(pairs, epochs)], together
    )
    name = f"{pairs} pairs x {epochs} epochs in grouped products on {device}, times the compiled loops' seconds"
    yield Figure(name, theirs.seconds / compiled.seconds, "x")
    off = np.abs(np.array(theirs.losses) - np.array(compiled.losses)).max()
    yield at_most("validation losses, apart at most", float(off), "", 1e-5)


def kernel(full: bool) -> Iterator[Figure]:
    """How near one core comes to what its matrix products can."""
    rounds = 200 if full else 50
    study = Study.begin(some(1)[0], RECIPE, 1, None)
    course, layout, chance = study.course, study.course.layout, study.shuffle()
    room = room_for(RECIPE.batch_size, LENGTH, FEATURES, layout.width, layout.size)
    a, b, c = (np.ones(size, np.float32) for size in (32 * 64, 64 * 192, 32 * 192))
    large = np.ones((1_024, 1_024), np.float32)
    recipe = (RECIPE.batch_size, RECIPE.learning_rate, RECIPE.dropout_rate)
    with one_thread():
        peak, product, passed, read = (
            best_of(rounds, work)
            for work in (
                lambda: large @ large,
                lambda: products(a, b, c, 100),
                lambda: teach(
                    course.weights, course.means, course.squares, 0, *study.train, chance.order, chance.kept,
                    *recipe, layout.width, room,
                ),
                lambda: figures(course.weights, *study.train, 32, layout.width, room),
            )
        )  # fmt: skip
    of_inputs, of_states = (2 * 3 * 64 * n for n in (FEATURES * LENGTH, 64 * (LENGTH - 1)))
    yield Figure("NumPy's product of 1,024 x 1,024, one thread", 2e-9 * 1_024**3 / peak, "GFLOP/s")
    yield Figure("a product of 32 x 64 x 192", 2e-9 * 100 * 32 * 64 * 192 / product, "GFLOP/s")
    work = TRAIN * (2 * of_inputs + 3 * of_states)
    yield Figure("a pass of training, its products alone counted", 1e-9 * work / passed, "GFLOP/s")
    yield Figure("the same without learning", 1e-9 * TRAIN * (of_inputs + of_states) / read, "GFLOP/s")


@entry
def products(a: Array, b: Array, c: Array, times: int) -> None:
    for _ in range(times):
        add_product(a, 64, 1, b, 192, c, 192, 32, 64, 192)


def at_once(pairs: int, epochs: int) -> list[Lesson]:
    return train_grus(some(pairs), RECIPE, epochs, device="cpu")


def some(pairs: int) -> list[Assignment]:
    return [Assignment(a_block(pair, TRAIN), a_block(pair + 1_000_000, HELD_OUT), pair) for pair in range(pairs)]


def a_block(seed: int, sequences: int) -> Block:
    """What can be learnt in part: the label leans on the last steps."""
    chance = np.random.default_rng(seed)
    inputs = chance.standard_normal((sequences, LENGTH, FEATURES))
    lean = inputs[:, -1, 0] + 0.5 * inputs[:, -2, 1] + chance.standard_normal(sequences)
    return inputs, (lean > 0).astype(np.float64)


class Rival:
    """`torch.nn.GRU` in processes of its own, which have started and warmed up."""

    def __init__(self, processes: int, threads: int) -> None:
        self.processes = processes
        self.pool = ProcessPoolExecutor(processes, get_context("spawn"), set_threads, (threads,))

    def __enter__(self) -> "Rival":
        self.losses(range(self.processes), 1)
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown()

    def losses(self, pairs: Sequence[int], epochs: int) -> list[float]:
        """The validation losses of these pairs."""
        return list(self.pool.map(partial(by_torch, epochs=epochs), pairs))


def set_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)


def by_torch(pair: int, epochs: int) -> float:
    """The validation loss that PyTorch comes to."""
    import torch

    torch.manual_seed(pair)
    train, held_out = (
        [torch.from_numpy(part.astype(np.float32)) for part in a_block(seed, size)]
        for seed, size in ((pair, TRAIN), (pair + 1_000_000, HELD_OUT))
    )
    gru, head = torch.nn.GRU(FEATURES, RECIPE.gru_units, batch_first=True), torch.nn.Linear(RECIPE.gru_units, 1)
    net = torch.nn.ModuleDict({"gru": gru, "head": head, "dropout": torch.nn.Dropout(RECIPE.dropout_rate)})
    adam = torch.optim.Adam(net.parameters(), lr=RECIPE.learning_rate, foreach=True)
    log_loss = torch.nn.functional.binary_cross_entropy_with_logits

    def said(inputs: torch.Tensor) -> torch.Tensor:
        return head(net["dropout"](gru(inputs)[0][:, -1]))[:, 0]

    loss = 0.0
    for _ in range(epochs):
        net.train()
        for picked in torch.randperm(TRAIN).split(RECIPE.batch_size):
            adam.zero_grad()
            log_loss(said(train[0][picked]), train[1][picked]).backward()
            adam.step()
        net.eval()
        with torch.no_grad():
            for inputs, labels in (train, held_out):
                logits = said(inputs)
                loss, right = float(log_loss(logits, labels)), float(((logits >= 0) & (labels > 0.5)).sum())
                _ = 2 * right / (float((logits >= 0).sum()) + float(labels.sum()))
    return loss


@dataclass(frozen=True)
class Ran:
    """The seconds of the best round, and the losses that it came to."""

    seconds: float
    losses: list[float]


def in_turns(rounds: int, *works: Callable[[], list[float]]) -> list[Ran]:
    best = [Ran(float("inf"), [])] * len(works)
    for _ in range(rounds):
        for at, work in enumerate(works):
            watch = Stopwatch()
            losses = work()
            if watch.seconds < best[at].seconds:
                best[at] = Ran(watch.seconds, losses)
    return best


def best_of(rounds: int, work: Callable[[], object]) -> float:
    def seconds() -> float:
        watch = Stopwatch()
        work()
        return watch.seconds

    work()
    return min(seconds() for _ in range(rounds))


if __name__ == "__main__":
    main()
