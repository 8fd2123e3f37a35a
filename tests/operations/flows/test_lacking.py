"""Which flows were due and are not done."""

from datetime import date, datetime

import pytest

from tandem.market import NEW_YORK, Calendar, World, WorldKind
from tandem.operations import FlowDone, FlowName
from tandem.operations.facts.session_held import SessionBegan
from tandem.operations.flows.lacking import lacking
from tandem.store import MemoryFacts, Record

FRIDAY, MONDAY = Calendar().sessions(date(2026, 11, 20), date(2026, 11, 23))
MORNING = [FlowName.IDENTIFICATION, FlowName.TRAINING]
EVENING = [FlowName.MONITORING, FlowName.HOUSEKEEPING]


@pytest.fixture
def facts():
    return MemoryFacts(World(WorldKind.PAPER, 1))


def began(session):
    return Record(SessionBegan(1, ""), session.day, session.open, f"session.began.{session.day}")


def due(facts, clock, day=MONDAY.day):
    now = datetime.fromisoformat(f"{day}T{clock:0>5}").replace(tzinfo=NEW_YORK)
    return [(name, session.day) for name, session in lacking(facts, now)]


@pytest.mark.parametrize(
    ("clock", "names"),
    [
        ("5:59", []),
        ("6:00", MORNING[:1]),
        ("9:14", MORNING),
        ("9:15", [*MORNING, FlowName.SESSION]),
        ("15:59", [*MORNING, FlowName.SESSION]),
        ("16:00", []),  # pairs for a session that is over, and a look at one that nobody traded, serve nobody
        ("16:10", EVENING[:1]),
        ("23:00", EVENING),
    ],
)
def test_what_was_due_is_lacking_until_nobody_needs_it(facts, clock, names):
    assert due(facts, clock) == [(name, MONDAY.day) for name in names]


def test_a_session_that_was_taken_up_is_seen_to_its_end_also_on_the_next_day(facts):
    facts.append(began(FRIDAY))
    assert due(facts, "23:00", FRIDAY.day)[0] == (FlowName.SESSION, FRIDAY.day)
    assert due(facts, "5:00") == [(name, FRIDAY.day) for name in (FlowName.SESSION, *EVENING)]


def test_what_is_done_is_not_lacking_and_a_weekend_lacks_nothing_of_its_own(facts):
    facts.append(Record(FlowDone(FlowName.IDENTIFICATION, "done"), MONDAY.day, MONDAY.morning, "flow.1"))
    assert due(facts, "7:00") == [(FlowName.TRAINING, MONDAY.day)]
    assert due(facts, "12:00", date(2026, 11, 21)) == []
