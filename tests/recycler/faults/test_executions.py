from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tandem.market import OrderEvent, OrderUpdate, Side
from tandem.recycler.faults import Fault, Faults, SpoiltEvents, SpoiltOrders

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


def test_an_order_is_rejected_where_its_symbol_is_meant(faults):
    faults.arm(Fault(name="reject-order", symbol="IBM", every=2))
    orders = SpoiltOrders(faults)
    assert [orders.is_rejected("IBM", str(n)) for n in range(4)] == [False, True, False, True]
    assert not orders.is_rejected("AAPL", "z")


@pytest.mark.parametrize("qty", ["1", "2", "400", "0.5"])
def test_a_part_is_never_all_and_stays_what_it_is(faults, qty):
    faults.arm(Fault(name="partial-fill"))
    orders = SpoiltOrders(faults)
    most = orders.most("IBM", "a", Decimal(qty))
    assert 0 <= most < Decimal(qty)
    assert orders.most("IBM", "a", Decimal(qty)) == most
    assert orders.most("IBM", "b", Decimal(qty)) == Decimal(qty)


def test_without_faults_an_order_may_fill_whole(faults):
    assert SpoiltOrders(faults).most("IBM", "a", Decimal(7)) == 7
