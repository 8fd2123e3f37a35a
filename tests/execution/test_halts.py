from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tandem.execution.halts import Halts
from tandem.market import Bar

AT = datetime(2023, 1, 4, 15, 0, 20, tzinfo=UTC)


def status(code: object, symbol: object = "IBM", at: object = AT) -> dict[str, Any]:
    return {"T": "s", "S": symbol, "sc": code, "t": at}


def bar(minute: int, symbol: str = "IBM") -> Bar:
    start = AT.replace(second=0) + timedelta(minutes=minute)
    return Bar(symbol, start, 1.0, 1.0, 1.0, 1.0, 1)


def told(*messages: dict[str, Any]) -> Halts:
    halts = Halts()
    for message in messages:
        halts.hear(message)
    return halts


@pytest.mark.parametrize("code", ["2", "H", "P"])
def test_a_halt_and_a_pause_stop_a_symbol(code: str) -> None:
    assert told(status(code), status("D", "MSFT")).symbols == {"IBM"}


@pytest.mark.parametrize(("code", "goes_on"), [("3", True), ("T", True), ("Q", False), ("5", False), ("E", False)])
def test_trading_goes_on_when_a_status_says_so(code: str, goes_on: bool) -> None:
    halts = told(status("H"), status("H", "MSFT"), status(code, at=AT + timedelta(minutes=5)))
    assert halts.symbols == ({"MSFT"} if goes_on else {"IBM", "MSFT"})


def test_a_bar_that_began_after_the_halt_ends_it_and_the_one_during_which_it_came_does_not() -> None:
    halts = told(status("H"))
    halts.see(bar(-1))
    halts.see(bar(0))
    halts.see(bar(5, "MSFT"))
    assert halts.symbols == {"IBM"}
    halts.see(bar(1))
    assert halts.symbols == set()


def test_when_time_goes_back_nothing_was_said_yet() -> None:
    halts = told(status("H"))
    halts.forget()
    assert halts.symbols == set()


def test_a_moment_in_words_counts_as_one() -> None:
    halts = told(status("H", at="2023-01-04T15:00:20Z"))
    halts.see(bar(0))
    assert halts.symbols == {"IBM"}


@pytest.mark.parametrize(
    "message",
    [{}, status("H", at=None), status("H", at="now"), status(7), status("H", 7), status(["H"]), status("H", None)],
)
def test_what_is_no_status_changes_nothing(message: dict[str, Any]) -> None:
    assert told(message).symbols == set()
    assert told(status("H"), message).symbols == {"IBM"}
