from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tandem.execution import Broker, Feed
from tandem.execution.fakes import Answer, ListFeed, ScriptedBroker
from tandem.market import Bar, BrokerError, Order, OrderEvent, OutcomeUnknown, Side

NOON = datetime(2023, 1, 25, 17, 0, tzinfo=UTC)
ORDER = Order("one", "AAPL", Side.SELL, Decimal(3))


def test_a_list_feed_gives_each_bar_once_when_it_is_over() -> None:
    bars = [Bar(symbol, NOON + timedelta(minutes=n), 1.0, 1.0, 1.0, 1.0, 1) for n in (1, 0) for symbol in "BA"]
    feed: Feed = ListFeed(bars)
    assert feed.take(NOON) == []
    assert [(bar.start, bar.symbol) for bar in feed.take(NOON + timedelta(minutes=1))] == [(NOON, "A"), (NOON, "B")]
    assert len(feed.take(NOON + timedelta(minutes=9))) == 2
    assert feed.take(NOON + timedelta(minutes=9)) == []


@pytest.mark.parametrize(
    ("answer", "error", "taken"),
    [
        (Answer.TAKE, None, True),
        (Answer.REFUSE, BrokerError, False),
        (Answer.LOSE, OutcomeUnknown, False),
        (Answer.HIDE, OutcomeUnknown, True),
    ],
)
def test_a_scripted_broker_does_as_it_is_told(answer: Answer, error: type[BrokerError] | None, taken: bool) -> None:
    scripted = ScriptedBroker(NOON, [answer])
    broker: Broker = scripted
    if error is None:
        broker.submit(ORDER)
    else:
        with pytest.raises(error):
            broker.submit(ORDER)
    assert (broker.find("one") is not None) is taken
    assert len(broker.updates(NOON)) == taken


def test_an_order_sent_twice_counts_once_and_fills_as_told() -> None:
    broker = ScriptedBroker(NOON)
    broker.submit(ORDER)
    broker.submit(ORDER)
    broker.fill("one", qty=Decimal(1))
    assert broker.open() == ["one"]
    broker.fill("one")
    assert broker.open() == []
    assert broker.positions()["AAPL"].qty == -3
    events = [update.event for update in broker.updates(NOON)]
    assert events == [OrderEvent.NEW, OrderEvent.PARTIAL_FILL, OrderEvent.FILL]
    with pytest.raises(BrokerError):
        broker.cancel("one")
