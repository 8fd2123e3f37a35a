from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tandem.book import Mark
from tandem.desk import compare, copy_plan, plan_of, run_session
from tandem.desk.plan import watch_of
from tandem.market import Fill, Order, Pair, Refusal, Session, World, WorldKind
from tandem.risk import Intent
from tandem.signals import Signal
from tandem.store import MemoryFacts, Record

AB = Pair("A", "B")
STEPS = {AB: [(12, 2.5), (48, 0.2)]}
OTHER = World(WorldKind.RECYCLER, 12, 3)


@pytest.fixture
def ours(stage: Callable[..., Any], half_day: Session) -> MemoryFacts:
    """Facts of a day in world 1."""
    made = stage(STEPS)
    run_session(made.desk(), half_day)
    facts: MemoryFacts = made.facts
    return facts


def retold(
    facts: MemoryFacts, change: Callable[[Record], Record | None] = lambda record: record, world: World = OTHER
) -> MemoryFacts:
    """The same facts in another world, but for a change."""
    told = MemoryFacts(world)
    for kind in (Signal, Refusal, Intent, Order, Fill):
        for record in facts.read(kind):
            changed = change(record)
            if changed is not None:
                told.append(moved(changed, f"{facts.world}.", f"{world}."))
    return told


def moved(record: Record, before: str, after: str) -> Record:
    body: Any = record.body
    if isinstance(body, Fill):
        execution = f"{after}{body.execution_id}"
        body = replace(body, client_order_id=body.client_order_id.replace(before, after), execution_id=execution)
        return replace(record, body=body, key=f"fill.{execution}")
    if isinstance(body, Order):
        body = replace(body, client_order_id=body.client_order_id.replace(before, after))
    return replace(record, body=body, key=record.key.replace(before, after))


def nth(kind: type, n: int, **changes: Any) -> Callable[[Record], Record | None]:
    """Changes the n-th fact of a kind."""
    left = n

    def change(record: Record) -> Record | None:
        nonlocal left
        if not isinstance(record.body, kind):
            return record
        left -= 1
        return replace(record, body=replace(record.body, **changes)) if left == 0 else record

    return change


def test_the_same_day_in_another_world_shows_no_difference(ours: MemoryFacts) -> None:
    assert compare(ours, retold(ours)) == []
    assert compare(retold(ours), ours) == []


def test_two_runs_of_a_day_show_no_difference(stage: Callable[..., Any], half_day: Session, ours: MemoryFacts) -> None:
    again = stage(STEPS, run=2)
    run_session(again.desk(), half_day)
    assert compare(ours, again.facts) == []


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("name", "value"),
    [("price", Decimal("99.9999")), ("qty", Decimal("1.000000001")), ("reference", Decimal(1)), ("fees", Decimal(1))],
)
def test_one_altered_fill_is_one_difference(ours: MemoryFacts, n: int, name: str, value: Decimal) -> None:
    (difference,) = compare(ours, retold(ours, nth(Fill, n, **{name: value})))
    assert " fill " in difference.what
    assert f'"{name}": "{value}"' in difference.right
    assert f'"{name}": "{value}"' not in difference.left
    assert str(difference) == f"{difference.what}: {difference.left} | {difference.right}"


@pytest.mark.parametrize("seconds", [1, 60])
def test_a_fill_at_another_time_is_found(ours: MemoryFacts, seconds: int) -> None:
    def later(record: Record) -> Record:
        if not isinstance(record.body, Fill) or not record.body.client_order_id.endswith(".a.enter.1"):
            return record
        at = record.at + timedelta(seconds=seconds)
        return replace(record, at=at, body=replace(record.body, at=at))

    assert compare(ours, retold(ours, later))


@pytest.mark.parametrize("kind", [Signal, Intent, Order, Fill])
def test_a_fact_that_one_world_lacks_is_found_from_both_sides(ours: MemoryFacts, kind: type) -> None:
    first = ours.read(kind)[0]
    lacking = retold(ours, lambda record: None if record == first else record)
    for left, right, absent in ((ours, lacking, "right"), (lacking, ours, "left")):
        (difference,) = compare(left, right)
        assert getattr(difference, absent) == "absent"


def test_a_fill_in_two_pieces_is_not_a_fill_in_one(ours: MemoryFacts) -> None:
    told = retold(ours)
    fill = told.read(Fill)[0]
    told.append(replace(fill, key="fill.more", body=replace(fill.body, execution_id="more", qty=Decimal(1))))
    assert len(compare(ours, told)) == 1


@pytest.mark.parametrize(
    ("kind", "change"), [(Signal, {"z": 1.0}), (Intent, {"qty_a": Decimal(1)}), (Order, {"symbol": "X"})]
)
def test_altered_signals_intents_and_orders_are_found(ours: MemoryFacts, kind: type, change: dict[str, Any]) -> None:
    assert len(compare(ours, retold(ours, nth(kind, 1, **change)))) == 1


def test_differences_are_told_in_order_of_time(ours: MemoryFacts) -> None:
    found = [difference.what for difference in compare(ours, MemoryFacts(OTHER))]
    assert found == sorted(found)
    assert len(found) == sum(len(ours.read(kind)) for kind in (Signal, Refusal, Intent, Order, Fill))


def test_what_the_morning_turned_away_is_not_compared(ours: MemoryFacts, half_day: Session) -> None:
    told = retold(ours)
    refusal = Refusal("correlation", "too low", "screening")
    told.append(Record(refusal, half_day.day, half_day.morning, "refusal.screening", "A/C"))
    assert compare(ours, told) == []
    told.append(Record(replace(refusal, by="risk"), half_day.day, half_day.open, "refusal.risk", "A/C"))
    assert len(compare(ours, told)) == 1


def test_a_world_trades_by_the_plan_of_another(stage: Callable[..., Any], half_day: Session) -> None:
    first, second = stage(STEPS), stage(STEPS, run=2, plan=False)
    second.blobs = first.blobs
    for _ in range(2):
        copy_plan(first.facts, second.facts, half_day)
    assert plan_of(second.facts, half_day.day) == plan_of(first.facts, half_day.day)
    ours, theirs = (watch_of(made.facts, made.blobs, AB, half_day.day).passport for made in (first, second))
    assert ours == theirs
    run_session(first.desk(), half_day)
    run_session(second.desk(), half_day)
    assert compare(first.facts, second.facts) == []
    assert second.facts.read(Mark)[-1].body == first.facts.read(Mark)[-1].body


def test_a_world_without_a_plan_gives_none_on(stage: Callable[..., Any], half_day: Session) -> None:
    first, second = stage(STEPS, plan=False), stage(STEPS, run=2, plan=False)
    copy_plan(first.facts, second.facts, half_day)
    assert plan_of(second.facts, half_day.day) is None
