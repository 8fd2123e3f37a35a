from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.market import DataError, FactConflict, Fill, Order, Refusal, Side, World, WorldKind
from tandem.store import Facts, MemoryFacts, Record, Store

DAY, AT = date(2023, 1, 3), datetime(2023, 1, 3, 15, tzinfo=UTC)
WORLD = World(WorldKind.BACKTEST, 900)


@dataclass(frozen=True)
class Reading:
    kind: ClassVar = "reading"

    amount: Decimal
    at: datetime
    value: float
    note: str
    counts: dict[int, int]
    maybe: date | None = None


@pytest.fixture(params=["postgres", "memory"])
def facts(request: pytest.FixtureRequest) -> Facts:
    if request.param == "memory":
        return MemoryFacts(WORLD)
    store: Store = request.getfixturevalue("store")
    return store.facts(WORLD)


def refusal(key: str, why: str = "why", pair: str | None = None, day: date = DAY) -> Record[Refusal]:
    return Record(Refusal("stale leg", why, "signals"), day, AT, key, pair)


def test_facts_come_back_typed_in_the_order_of_their_recording(facts: Facts) -> None:
    order = Record(Order("id-1", "AAPL", Side.BUY, Decimal("10.50")), DAY, AT, "z", "AAPL/MSFT")
    facts.append(refusal("b"), order, refusal("a"))
    assert facts.read(Refusal) == [refusal("b"), refusal("a")]
    assert facts.read(Order) == [order]
    assert facts.read(Fill) == []


def test_facts_are_found_by_session_and_pair(facts: Facts) -> None:
    other_day = date(2023, 1, 4)
    facts.append(refusal("1", pair="A/B"), refusal("2", pair="C/D"), refusal("3", pair="A/B", day=other_day))
    assert [r.key for r in facts.read(Refusal, pair="A/B")] == ["1", "3"]
    assert [r.key for r in facts.read(Refusal, session=DAY)] == ["1", "2"]
    assert [r.key for r in facts.read(Refusal, session=other_day, pair="A/B")] == ["3"]


def test_recording_the_same_again_changes_nothing(facts: Facts) -> None:
    facts.append(refusal("1"))
    facts.append(refusal("1"), refusal("2"), refusal("2"))
    assert [r.key for r in facts.read(Refusal)] == ["1", "2"]


@pytest.mark.parametrize(
    "other",
    [
        refusal("1", why="another"),
        refusal("1", pair="A/B"),
        refusal("1", day=date(2023, 1, 4)),
        Record(refusal("1").body, DAY, AT + timedelta(minutes=1), "1"),
        Record(Order("1", "A", Side.BUY, Decimal(1)), DAY, AT, "1"),
    ],
)
def test_another_content_under_a_known_key_is_refused_and_nothing_is_recorded(facts: Facts, other: Record) -> None:
    facts.append(refusal("1"))
    with pytest.raises(FactConflict, match="1 was recorded before"):
        facts.append(refusal("new"), other)
    assert facts.read(Refusal) == [refusal("1")]


def test_two_contents_for_one_key_in_one_append_are_refused(facts: Facts) -> None:
    with pytest.raises(FactConflict):
        facts.append(refusal("1", why="one"), refusal("1", why="two"))
    assert facts.read(Refusal) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_none_is_refused(facts: Facts, value: float) -> None:
    with pytest.raises(DataError, match="cannot be recorded"):
        facts.append(Record(Reading(Decimal(1), AT, value, "", {}), DAY, AT, "1"))


@pytest.mark.parametrize("note", ["\0", "\ud800"])
def test_a_character_that_cannot_be_stored_is_refused(facts: Facts, note: str) -> None:
    with pytest.raises(DataError, match="cannot be recorded"):
        facts.append(Record(Reading(Decimal(1), AT, 1.0, note, {}), DAY, AT, "1"))


@pytest.mark.parametrize("note", ["\\u0000", "\\\\u0000", "퀀", "\U0001f600", "'\"%s"])
def test_unusual_characters_come_back_as_they_were(facts: Facts, note: str) -> None:
    facts.append(refusal("1", why=note))
    assert facts.read(Refusal) == [refusal("1", why=note)]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(DataError, match="has no zone"):
        Record(refusal("1").body, DAY, datetime(2023, 1, 3), "1")  # noqa: DTZ001


READINGS = st.builds(
    Reading,
    amount=st.decimals(allow_nan=False, allow_infinity=False),
    at=st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))])),
    value=st.floats(allow_nan=False, allow_infinity=False),
    note=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    counts=st.dictionaries(st.integers(-(2**53), 2**53), st.integers(-(2**63), 2**63 - 1), max_size=3),
    maybe=st.none() | st.dates(),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(READINGS, min_size=1, max_size=5))
def test_bodies_come_back_as_they_were(module_store: Store, bodies: list[Reading]) -> None:
    facts = module_store.facts(module_store.new_world(WorldKind.BACKTEST))
    records = [Record(body, DAY, AT, str(n)) for n, body in enumerate(bodies)]
    facts.append(*records)
    facts.append(*records)
    assert facts.read(Reading) == records
    for found, given_body in zip(facts.read(Reading), bodies, strict=True):
        assert str(found.body.amount) == str(given_body.amount)


def test_worlds_do_not_see_each_others_facts(store: Store) -> None:
    one, two = store.facts(World(WorldKind.RECYCLER, 1)), store.facts(World(WorldKind.RECYCLER, 1, loop=1))
    one.append(refusal("1"))
    two.append(refusal("1", why="another"))
    assert one.read(Refusal) == [refusal("1")]


def test_a_memory_sink_is_written_in_bulk_and_only_once(store: Store) -> None:
    memory, durable = MemoryFacts(WORLD), store.facts(WORLD)
    memory.append(*(refusal(str(n)) for n in range(500)))
    memory.flush(durable)
    memory.flush(durable)
    assert durable.read(Refusal) == memory.read(Refusal)


@pytest.mark.parametrize("change", ["UPDATE facts SET key = 'x'", "DELETE FROM facts", "TRUNCATE facts"])
def test_the_database_refuses_to_change_facts(store: Store, change: str) -> None:
    store.facts(WORLD).append(refusal("1"))
    with (
        psycopg.connect(store.url.replace("+psycopg", "")) as connection,
        pytest.raises(psycopg.errors.RaiseException, match="append-only"),
    ):
        connection.execute(change)  # type: ignore[arg-type]


def test_threads_that_record_the_same_facts_at_once_record_them_once(store: Store) -> None:
    def record(_: int) -> None:
        store.facts(WORLD).append(*(refusal(str(n)) for n in range(50)))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(record, range(8)))
    assert len(store.facts(WORLD).read(Refusal)) == 50


def test_a_fact_is_durable_when_append_returns(store: Store) -> None:
    store.facts(WORLD).append(refusal("1"))
    with Store.open(Path("unused"), store.url) as another:
        assert another.facts(WORLD).read(Refusal) == [refusal("1")]


def test_a_fact_that_this_version_cannot_read_is_an_error_and_not_a_guess(store: Store) -> None:
    facts = store.facts(WORLD)
    facts.append(refusal("1"))

    @dataclass(frozen=True)
    class Later:
        kind: ClassVar = "refusal"
        other: int

    with pytest.raises(DataError, match="cannot be read"):
        facts.read(Later)
