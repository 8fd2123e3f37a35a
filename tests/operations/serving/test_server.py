"""Which models a server answers for, and where it may listen."""

from datetime import date
from typing import Any

import pytest
from pydantic import SecretStr

from tandem.config import ServeSettings
from tandem.desk import ModelsOfDay
from tandem.forecast import DayModels
from tandem.market import ConfigError, StoreError, TandemError, World, WorldKind
from tandem.operations import serve_models
from tandem.operations.serving.server import StandingModels

WORLD = World(WorldKind.PAPER, 1)


def found(models: DayModels) -> ModelsOfDay:
    plan: Any = None
    return ModelsOfDay(WORLD, date(2023, 1, 25), plan, (), models)


def test_models_are_looked_up_again_and_stay_while_the_store_is_away(models: DayModels) -> None:
    others = DayModels([], {})
    answers: list[Any] = [found(models), StoreError("away"), found(others)]

    def look(known: ModelsOfDay | None) -> ModelsOfDay:
        answer = answers.pop(0)
        if isinstance(answer, StoreError):
            raise answer
        return answer  # type: ignore[no-any-return]

    standing = StandingModels(look, seconds=0.0)
    assert standing() is models
    assert standing() is others


def test_within_a_while_nothing_is_looked_up(models: DayModels) -> None:
    answers = [found(models)]
    standing = StandingModels(lambda known: answers.pop(), seconds=3600.0)
    assert standing() is standing() is models


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "desk.example"])
def test_beyond_this_machine_there_is_no_server_without_a_token(host: str) -> None:
    nothing: Any = None
    with pytest.raises(ConfigError, match="TANDEM_SERVE__TOKEN"):
        serve_models(nothing, WORLD, None, ServeSettings(host=host), print)


def test_a_token_that_is_easily_guessed_is_refused_and_none_is_shown() -> None:
    with pytest.raises(ValueError, match="16 characters"):
        ServeSettings(token=SecretStr("short"))
    assert "long enough" not in repr(ServeSettings(token=SecretStr("a secret that is long enough")))


def test_an_address_that_is_taken_is_one_line(monkeypatch: pytest.MonkeyPatch, models: DayModels) -> None:
    import socket

    monkeypatch.setattr("tandem.operations.serving.server.models_of_day", lambda *_: found(models))
    nothing: Any = None
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TandemError, match=f"127.0.0.1:{port} cannot be listened on"):
            serve_models(nothing, WORLD, None, ServeSettings(port=port), print)
