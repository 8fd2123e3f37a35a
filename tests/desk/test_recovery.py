"""A session that is killed at any instant and begun again ends where an uninterrupted one would."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from tandem.book import Book
from tandem.desk import compare, run_session
from tandem.execution import PairOrderEnded
from tandem.market import Calendar, Fill, Order, Pair, Session
from tandem.risk import Intent
from tandem.store import Record

AB, CD = Pair("A", "B"), Pair("C", "D")
TURNING_POINTS = 75
"""How often the day below asks something of its broker that is more than news, or records more than a judgement."""
ACTS = (Intent, Order, Fill, PairOrderEnded)


class Killed(Exception):
    """The process is gone."""


class Fate:
    """Kills at the n-th turning point, before it takes place or right after it."""

    def __init__(self, n: int, after: bool) -> None:
        self.left, self._after = n, after

    def meet(self, act: Callable[[], Any]) -> Any:
        self.left -= 1
        if self.left == 0 and not self._after:
            raise Killed
        result = act()
        if self.left == 0:
            raise Killed
        return result


class Mortal:
    """A seam behind which the process may be killed; `counts` says at which calls."""

    def __init__(self, inner: Any, fate: Fate, counts: Callable[[str, tuple[Any, ...]], bool]) -> None:
        self._inner, self._fate, self._counts = inner, fate, counts

    def __getattr__(self, name: str) -> Any:
        known = getattr(self._inner, name)
        if not callable(known):
            return known

        def call(*arguments: Any, **named: Any) -> Any:
            if self._counts(name, arguments):
                return self._fate.meet(lambda: known(*arguments, **named))
            return known(*arguments, **named)

        return call


def acts(name: str, arguments: tuple[Record, ...]) -> bool:
    return name == "append" and any(isinstance(record.body, ACTS) for record in arguments)


def asks(name: str, arguments: tuple[Any, ...]) -> bool:
    return name in ("submit", "find", "cancel", "account", "positions")


def anything(name: str, arguments: tuple[Any, ...]) -> bool:
    return name != "read"


def live(stage: Any, session: Session, fate: Fate, *, everywhere: bool = False) -> None:
    """One process, until the session ends or it is killed."""
    facts = Mortal(stage.facts, fate, anything if everywhere else acts)
    broker = Mortal(stage.inside.broker, fate, anything if everywhere else asks)
    feed = Mortal(stage.inside.feed, fate, lambda name, _: everywhere)
    run_session(stage.desk(facts=facts, broker=broker, feed=feed), session)


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    return {}


@pytest.fixture
def whole(stage: Callable[..., Any], half_day: Session, undisturbed: dict[str, Any]) -> Any:
    """The day as it goes when nothing happens."""
    if not undisturbed:
        made = stage()
        fate = Fate(0, after=False)
        live(made, half_day, fate)
        assert -fate.left == TURNING_POINTS
        undisturbed["stage"] = made
    return undisturbed["stage"]


def same(stage: Any, whole: Any) -> None:
    assert [str(difference) for difference in compare(stage.facts, whole.facts)] == []
    assert stage.inside.broker.positions() == whole.inside.broker.positions()
    assert stage.inside.broker.account() == whole.inside.broker.account()
    assert Book.from_facts(stage.facts) == Book.from_facts(whole.facts)
    outcomes = [[(r.key, r.body.outcome) for r in made.facts.read(PairOrderEnded)] for made in (stage, whole)]
    assert sorted(outcomes[0]) == sorted(outcomes[1])


def killed_once(stage: Any, session: Session, n: int, after: bool) -> None:
    with pytest.raises(Killed):
        live(stage, session, Fate(n, after))
    run_session(stage.desk(), session)


SOME = range(1, TURNING_POINTS + 1, 4)
REST = [n for n in range(1, TURNING_POINTS + 1) if n not in SOME]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("n", [*SOME, *(pytest.param(n, marks=pytest.mark.slow) for n in REST)])
def test_a_session_killed_at_a_turning_point_ends_where_an_undisturbed_one_does(
    stage: Callable[..., Any], half_day: Session, whole: Any, n: int, after: bool
) -> None:
    made = stage()
    killed_once(made, half_day, n, after)
    same(made, whole)


@pytest.mark.parametrize("every", [11, 40, 97])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_session_killed_again_and_again_ends_where_an_undisturbed_one_does(
    stage: Callable[..., Any], half_day: Session, whole: Any, every: int, after: bool
) -> None:
    made, lives = stage(), 0
    while True:
        lives += 1
        assert lives < 200
        with suppress(Killed):
            live(made, half_day, Fate(every, after), everywhere=True)
            break
    assert lives > 3
    same(made, whole)


def test_a_desk_that_is_down_for_minutes_takes_the_fills_it_missed(
    stage: Callable[..., Any], half_day: Session
) -> None:
    made = stage({AB: [(12, 2.5)]})
    with pytest.raises(Killed):
        live(made, half_day, Fate(turn(made, half_day, ".b.enter.1"), after=True))
    made.inside.clock.wait_until(half_day.open + timedelta(minutes=100))
    run_session(made.desk(), half_day)
    assert [record.body.outcome for record in made.facts.read(PairOrderEnded)] == ["filled"]
    (trade,) = Book.from_facts(made.facts).open.values()
    assert trade.opened_at == half_day.open + timedelta(minutes=15)
    fills = made.facts.read(Fill)[:2]
    assert {record.at for record in fills} == {half_day.open + timedelta(minutes=15)}
    assert all(record.body.cost > 0 for record in fills)  # against the open of the minute, as if it had been there


def test_an_entry_that_was_meant_and_never_sent_is_dropped_by_a_desk_that_was_down(
    stage: Callable[..., Any], half_day: Session
) -> None:
    made = stage({AB: [(12, 2.5), (90, 0.0)]})
    with pytest.raises(Killed):
        live(made, half_day, Fate(turn(made, half_day, ".a.enter.1"), after=False))
    made.inside.clock.wait_until(half_day.open + timedelta(minutes=100))
    run_session(made.desk(), half_day)
    assert [record.body.outcome for record in made.facts.read(PairOrderEnded)] == ["unwound"]
    assert made.facts.read(Fill) == []


def turn(stage: Any, session: Session, order: str) -> int:
    """Which turning point of the day sends this order (the last part of its id)."""
    count = 0

    class Found(Exception):
        pass

    def counts(name: str, arguments: tuple[Any, ...]) -> bool:
        nonlocal count
        if asks(name, arguments) or acts(name, arguments):
            count += 1
        if name == "submit" and arguments[0].client_order_id.endswith(order):
            raise Found
        return False

    never = Fate(0, after=False)
    twin = type(stage)(stage.sessions, stage.frame, stage.settings, type(stage.facts)(stage.facts.world))
    twin.plan(session, AB)
    with pytest.raises(Found):
        run_session(
            twin.desk(facts=Mortal(twin.facts, never, counts), broker=Mortal(twin.inside.broker, never, counts)),
            session,
        )
    return count


def test_a_desk_killed_at_its_last_order_carries_the_trade_into_the_next_session(
    stage: Callable[..., Any], half_day: Session
) -> None:
    after = Calendar().after(half_day.day)
    steps = {AB: [(204, 2.5)]}  # the entry goes out at the last decision of the day
    made = stage(steps, sessions=[half_day, after])
    with pytest.raises(Killed):
        live(made, half_day, Fate(turn(made, half_day, ".b.enter.1"), after=True))
    made.inside.clock.wait_until(after.morning)
    made.plan(after, CD)
    run_session(made.desk(), after)
    first = made.facts.read(Fill)[0]
    assert first.at == half_day.close - timedelta(minutes=5)
    entered = made.facts.read(PairOrderEnded)[0]
    assert (entered.body.purpose, entered.body.outcome, entered.session) == ("enter", "filled", after.day)
    assert Book.from_facts(made.facts).shares() == {
        symbol: position.qty for symbol, position in made.inside.broker.positions().items()
    }


def test_an_exit_that_was_meant_and_never_sent_is_sent_in_the_next_session(
    stage: Callable[..., Any], half_day: Session
) -> None:
    after = Calendar().after(half_day.day)
    made = stage({AB: [(12, 2.5), (204, 0.1)]}, sessions=[half_day, after])
    with pytest.raises(Killed):
        live(made, half_day, Fate(turn(made, half_day, ".a.exit.1"), after=False))
    made.inside.clock.wait_until(after.morning)
    made.plan(after)
    run_session(made.desk(), after)
    assert made.inside.broker.positions() == {}
    (trade,) = Book.from_facts(made.facts).closed
    assert trade.closed_at == after.open
