"""Facts as they come."""

from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pytest

from tandem.market import Order, Refusal, Side, World, WorldKind
from tandem.store import Record, Store

DAY, AT = date(2023, 1, 3), datetime(2023, 1, 3, 15, tzinfo=UTC)
WORLD, OTHER = World(WorldKind.BACKTEST, 1), World(WorldKind.BACKTEST, 2)


def refusal(key: str) -> Record[Refusal]:
    return Record(Refusal("stale leg", "why", "signals"), DAY, AT, key, "A/B")


def order(key: str) -> Record[Order]:
    return Record(Order(key, "A", Side.BUY, Decimal("1.5")), DAY, AT, key, "A/B")


def keys(entries):
    return [entry.key for entry in entries]


def test_a_tail_tells_each_fact_once_in_the_order_of_recording(store: Store) -> None:
    facts = store.facts(WORLD)
    facts.append(refusal("r1"), order("o1"), refusal("r2"))
    store.facts(OTHER).append(order("elsewhere"))
    tail = store.tail(WORLD, ["refusal", "order"])
    assert keys(tail.read(2)) == ["r1", "o1"]
    assert keys(tail.read(2)) == ["r2"]
    assert tail.read() == []
    facts.append(order("o2"))
    (entry,) = tail.read()
    assert entry.record(Order) == order("o2")
    assert tail.read() == []


def test_a_tail_tells_the_kinds_that_were_asked_for_alone(store: Store) -> None:
    store.facts(WORLD).append(refusal("r1"), order("o1"))
    assert keys(store.tail(WORLD, ["order"]).read()) == ["o1"]
    assert store.tail(WORLD, []).read() == []


def test_a_fact_whose_transaction_ends_late_is_told_when_it_is_there(store: Store) -> None:
    store.facts(WORLD).append(order("o1"))
    tail = store.tail(WORLD, ["order"])
    assert keys(tail.read()) == ["o1"]
    with psycopg.connect(store.url.replace("+psycopg", "")) as slow:
        slow.execute(
            "INSERT INTO facts (world, session, kind, at, key, body) "
            "SELECT world, session, kind, at, 'late', body FROM facts"
        )
        store.facts(WORLD).append(order("o2"))
        assert keys(tail.read()) == ["o2"]
        slow.commit()
    assert keys(tail.read()) == ["late"]
    assert tail.read() == []


def test_of_kinds_that_are_many_it_begins_with_the_newest(store: Store) -> None:
    facts = store.facts(WORLD)
    facts.append(order("o1"), *(refusal(f"r{n}") for n in range(10)))
    tail = store.tail(WORLD, ["refusal", "order"], many=["refusal"], newest=3)
    assert keys(tail.read()) == ["o1", "r7", "r8", "r9"]
    facts.append(refusal("r10"), refusal("r11"))
    assert keys(tail.read()) == ["r10", "r11"]


@pytest.mark.parametrize("newest", [0, 10, 50])
def test_few_of_them_or_none_are_no_exception(store: Store, newest: int) -> None:
    store.facts(WORLD).append(order("o1"), *(refusal(f"r{n}") for n in range(10)))
    found = store.tail(WORLD, ["refusal", "order"], many=["refusal"], newest=newest).read()
    assert len(found) == 1 + min(newest, 10)


def test_long_lists_are_left_empty_where_that_is_asked(store: Store) -> None:
    store.facts(WORLD).append(order("o1"), refusal("r1"))
    told = store.tail(WORLD, ["order", "refusal"], blank=["symbol", "side"]).read()
    assert '"symbol": []' in told[0].text
    assert told[1].record(Refusal) == refusal("r1")
