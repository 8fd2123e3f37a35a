"""A server of one pair's model on a socket of its own."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest
import uvicorn

from tandem.config import ModelSettings
from tandem.forecast import DayModels, PairModel
from tandem.market import Pair, Stopwatch, Timeframe
from tandem.operations.serving.application import application
from tandem.screening import Passport, Score
from tandem.statistics import GarchFit

TOKEN = "open, please, it is me"
PAIR, DAY = Pair("A", "B"), date(2023, 1, 25)


def passport() -> Passport:
    last = datetime(2023, 1, 24, 20, 55, tzinfo=UTC)
    garch = GarchFit(0.0, 0.95, 1e-5, 0.0, 0.0, None, 1.0, 1e-5, 0.0, 0.0, 0.0, 0.0, True, 0.5, 0.5)
    return Passport(
        PAIR, "technology", Timeframe.MIN_5, DAY, last, last, 40, 1.0, 0.0, 0.0, 0.01, 0.95, 13.5, garch, 0.9, 0.8,
        -4.0, 0.01, 0, 0.02, 0.03, 0.01, Score(0.8, 0.9, 0.8, 0.5, 1.0, 1, ()), "", (), (100.0,) * 40, (100.0,) * 40,
    )  # fmt: skip


@pytest.fixture(scope="session")
def models() -> DayModels:
    model = PairModel(PAIR, DAY, 0.95, 14, ModelSettings(timeframe=Timeframe.MIN_5), "baseline", "no GRU", {})
    return DayModels([passport()], {PAIR: model})


@contextmanager
def serving(models: Callable[[], DayModels]) -> Iterator[str]:
    """The address of a running server."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(application(models, TOKEN), lifespan="off", access_log=False, log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    waited = Stopwatch()
    while not server.started and waited.seconds < 20:
        threading.Event().wait(0.02)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


@pytest.fixture(scope="session")
def server(models: DayModels) -> Iterator[str]:
    with serving(lambda: models) as url:
        yield url
