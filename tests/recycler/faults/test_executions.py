from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from tandem.market import OrderEvent, OrderUpdate, Side
from tandem.matching import Request, Ticket
from tandem.recycler.faults import Fault, Faults, ShortFills, SpoiltEvents

OPEN = datetime(2023, 1, 4, 14, 30, tzinfo=UTC)
NEW = OrderUpdate("a", "IBM", Side.BUY, OrderEvent.NEW, OPEN)
FILL = OrderUpdate("a", "IBM", Side.BUY, OrderEvent.FILL, OPEN, "x1", Decimal(5), Decimal(100))


@pytest.fixture
def faults():
    return Faults(lambda: OPEN)


def test_without_faults_events_are_passed_on(faults):
    assert SpoiltEvents(faults, lambda _: [NEW, FILL]).after([NEW, FILL]) == [NEW, FILL]


def test_a_repeated_execution_is_the_whole_story_three_times(faults):
    faults.arm(Fault(name="repeat-execution"))
    events = SpoiltEvents(faults, lambda _: [NEW, FILL])
    assert [*events.after([NEW]), *events.after([FILL])] == [NEW, FILL] * 3
    assert events.surplus == 4


def test_a_lost_execution_is_told_to_nobody(faults):
    faults.arm(Fault(name="lose-execution"))
    events = SpoiltEvents(faults, lambda _: [NEW, FILL])
    assert [*events.after([NEW]), *events.after([FILL])] == [NEW]
    assert events.surplus == -1


def ticket(qty, filled="0"):
    request = Request(client_order_id="a", symbol="IBM", side=Side.BUY, qty=Decimal(qty))
    return Ticket(
        request=request, id=UUID(int=1), number=1, accepted=OPEN, since=OPEN, qty=Decimal(qty), filled=Decimal(filled)
    )


@pytest.mark.parametrize("qty", ["1", "2", "400", "0.5"])
def test_an_order_fills_in_part_and_then_no_more(faults, qty):
    faults.arm(Fault(name="partial-fill"))
    fills = ShortFills(faults)
    part = fills.cap(ticket(qty), Decimal(qty))
    assert 0 <= part < Decimal(qty)
    assert part % 1 == 0 or qty == "0.5"
    assert fills.cap(ticket(qty, part), Decimal(qty) - part) == 0


def test_the_next_order_fills_whole(faults):
    faults.arm(Fault(name="partial-fill"))
    fills = ShortFills(faults)
    fills.cap(ticket("400"), Decimal(400))
    other = replace(ticket("400"), request=replace(ticket("400").request, client_order_id="b"))
    assert fills.cap(other, Decimal(100)) == 100
