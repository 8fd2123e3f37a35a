from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tandem.config import ExecutionSettings
from tandem.execution import Outcome, PairOrderEnded, Trader
from tandem.execution.fakes import Answer, ScriptedBroker
from tandem.market import Fill, Order, OrderEvent, Pair, Refusal, Side, World, WorldKind
from tandem.risk import Intent
from tandem.store import MemoryFacts, Record

WORLD = World(WorldKind.BACKTEST, 4)
DAY = date(2023, 1, 25)
NOON = datetime(2023, 1, 25, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PAIR = Pair("BRK.B", "NVDA")
A1, B1 = (f"backtest-4.20230125.BRK.B-NVDA.1700.{leg}.enter.1" for leg in "ab")


@pytest.fixture
def facts() -> MemoryFacts:
    return MemoryFacts(WORLD)


@pytest.fixture
def broker(facts: MemoryFacts) -> ScriptedBroker:
    def is_on_record(order: Order) -> None:
        assert order in [record.body for record in facts.read(Order)]

    return ScriptedBroker(NOON, on_submit=is_on_record)


def trader_of(broker: ScriptedBroker, facts: MemoryFacts, executions: list[str] | None = None) -> Trader:
    return Trader(WORLD, DAY, broker, facts, ExecutionSettings(), executions or [])


def intent(purpose: str = "enter") -> Intent:
    buy, sell = (Side.BUY, Side.SELL) if purpose == "enter" else (Side.SELL, Side.BUY)
    return Intent(
        PAIR, purpose, 1, buy, Decimal("2.5"), sell, Decimal(4), "z -2.1", False, -2.1, 0.01, 0.001, 1e-6,
        Decimal(2_000), 0.0, DAY,
    )  # fmt: skip


def placed(trader: Trader, meant: Intent | None = None) -> Record[Intent]:
    """An intent that is on record and under way."""
    record = Record(meant or intent(), DAY, NOON, f"intent.{PAIR}", str(PAIR))
    trader.facts.append(record)
    trader.place(record.body, NOON)
    return record


def fill_all(broker: ScriptedBroker, price: str = "10.1") -> None:
    for name in broker.open():
        broker.fill(name, Decimal(price))


def ended(facts: MemoryFacts) -> list[Outcome]:
    return [record.body.outcome for record in facts.read(PairOrderEnded)]


def refusals(facts: MemoryFacts) -> list[tuple[str, str]]:
    return [(record.key, record.body.why) for record in facts.read(Refusal)]


def test_an_order_is_on_record_before_it_is_sent(broker: ScriptedBroker, facts: MemoryFacts) -> None:
    placed(trader_of(broker, facts))
    assert broker.calls == [("submit", A1), ("submit", B1)]
    assert [record.key for record in facts.read(Order, pair=str(PAIR))] == [A1, B1]


def test_nothing_is_sent_where_the_fact_cannot_be_recorded(broker: ScriptedBroker, facts: MemoryFacts) -> None:
    trader = trader_of(broker, facts)
    facts.append(Record(Order(B1, "NVDA", Side.SELL, Decimal(99)), DAY, NOON, B1))  # somebody has taken its key
    with pytest.raises(Exception, match="another content"):
        placed(trader)
    assert ("submit", B1) not in broker.calls


def test_both_legs_filled_end_the_pair_order(broker: ScriptedBroker, facts: MemoryFacts) -> None:
    trader = trader_of(broker, facts)
    trader.reference = lambda symbol, at: Decimal("10.05")
    placed(trader)
    assert PAIR in trader.working
    fill_all(broker)
    fills = trader.tend(NOON + MINUTE)
    assert [(r.body.client_order_id, r.body.qty, r.body.price, r.body.reference) for r in fills] == [
        (A1, Decimal("2.5"), Decimal("10.1"), Decimal("10.05")),
        (B1, Decimal(4), Decimal("10.1"), Decimal("10.05")),
    ]
    assert [record.key for record in facts.read(Fill)] == [record.key for record in fills]
    assert ended(facts) == [Outcome.FILLED]
    assert trader.working == {}


def test_without_a_reference_a_fill_costs_nothing(broker: ScriptedBroker, facts: MemoryFacts) -> None:
    trader = trader_of(broker, facts)
    placed(trader)
    fill_all(broker)
    assert {record.body.cost for record in trader.tend(NOON + MINUTE)} == {Decimal(0)}


def test_updates_told_again_record_one_fill(broker: ScriptedBroker, facts: MemoryFacts) -> None:
    trader = trader_of(broker, facts)
    placed(trader)
    broker.fill(A1, qty=Decimal(1))
    broker.news *= 3
    news = list(broker.news)
    assert len(trader.tend(NOON + MINUTE)) == 1
    broker.news = news
    assert trader.tend(NOON + 2 * MINUTE) == []
    fill_all(broker)
    broker.news = news + broker.news + news
    assert [record.body.qty for record in trader.tend(NOON + 3 * MINUTE)] == [Decimal("1.5"), Decimal(4)]
    assert len(facts.read(Fill)) == 3


def test_a_fill_of_an_earlier_process_is_not_recorded_again(broker: ScriptedBroker, facts: MemoryFacts) -> None:
    trader = trader_of(broker, facts)
    placed(trader)
    fill = broker.fill(A1)
    trader.tend(NOON + MINUTE)
    broker.news = [fill]
    again = trader_of(broker, facts, executions=[fill.execution_id or ""])
    assert again.tend(NOON + MINUTE) == []


def test_news_of_orders_that_are_not_ours_is_passed_over(broker: ScriptedBroker, facts: MemoryFacts) -> None:
    trader = trader_of(broker, facts)
    broker.on_submit = lambda order: None
    for name in ("by-hand", "backtest-44.20230125.AAPL-NVDA.1700.a.enter.1", "backtest-4.x"):
        broker.submit(Order(name, "AAPL", Side.BUY, Decimal(1)))
        broker.fill(name)
    assert trader.tend(NOON + MINUTE) == []
    assert facts.read(Fill) == []


@pytest.mark.parametrize("no_answer", [Answer.LOSE, Answer.REFUSE])
def test_an_unknown_outcome_is_asked_for_before_anything_is_sent_again(
    broker: ScriptedBroker, facts: MemoryFacts, no_answer: Answer
) -> None:
    broker.answers, broker.finds = [Answer.HIDE], [no_answer, no_answer]
    trader = trader_of(broker, facts)
    placed(trader)
    broker.fill(B1)
    trader.tend(NOON + MINUTE)
    trader.tend(NOON + 2 * MINUTE)
    assert [call for call in broker.calls if call[1] == A1] == [("submit", A1)] + [("find", A1)] * 3
    fill_all(broker)
    trader.tend(NOON + 3 * MINUTE)
    assert ended(facts) == [Outcome.FILLED]


def test_a_fill_that_a_question_brought_to_light_is_told_as_one(broker: ScriptedBroker, facts: MemoryFacts) -> None:
    broker.answers, broker.finds = [Answer.HIDE], [Answer.LOSE]
    trader = trader_of(broker, facts)
    placed(trader)
    fill_all(broker)
    broker.news = []  # the stream was down
    fills = trader.tend(NOON + MINUTE)
    assert [record.body.client_order_id for record in fills] == [A1]
    assert trader.tend(NOON + 2 * MINUTE) == []


def test_an_order_that_never_arrived_goes_out_again_and_is_one_fact(broker: ScriptedBroker, facts: MemoryFacts) -> None:
    broker.answers = [Answer.LOSE]
    trader = trader_of(broker, facts)
    placed(trader)
    trader.tend(NOON + MINUTE)
    assert [kind for kind, name in broker.calls if name == A1] == ["submit", "find", "submit"]
    assert len(facts.read(Order)) == 2
    fill_all(broker)
    trader.tend(NOON + 2 * MINUTE)
    assert ended(facts) == [Outcome.FILLED]


def test_a_refused_leg_unwinds_the_other_and_the_reason_is_on_record(
    broker: ScriptedBroker, facts: MemoryFacts
) -> None:
    trader = trader_of(broker, facts)
    placed(trader)
    broker.fill(A1)
    broker.end(B1, OrderEvent.REJECTED, "asset NVDA cannot be sold short")
    broker.refuses = {"NVDA"}
    trader.tend(NOON + MINUTE)
    fill_all(broker, "10.2")
    trader.tend(NOON + 2 * MINUTE)
    assert ended(facts) == [Outcome.UNWOUND]
    assert broker.positions() == {}
    assert refusals(facts) == [
        (f"refused.{B1}", "asset NVDA cannot be sold short"),
        (f"refused.{B1.replace('enter.1', 'enter.2')}", "insufficient buying power"),
    ]
    assert {(r.body.reason, r.body.by, r.pair) for r in facts.read(Refusal)} == {
        ("order refused", "execution", str(PAIR))
    }


def test_a_rejection_told_again_in_other_words_does_no_harm(broker: ScriptedBroker, facts: MemoryFacts) -> None:
    trader = trader_of(broker, facts)
    placed(trader)
    broker.end(B1, OrderEvent.REJECTED, "asset cannot be sold short")
    trader.tend(NOON + MINUTE)
    broker.end(B1, OrderEvent.REJECTED, "not shortable")
    trader.tend(NOON + 2 * MINUTE)
    assert len(refusals(facts)) == 1


def test_an_exit_that_the_broker_keeps_refusing_is_stuck(broker: ScriptedBroker, facts: MemoryFacts) -> None:
    broker.refuses = {"BRK.B"}
    trader = trader_of(broker, facts)
    placed(trader, intent("exit"))
    fill_all(broker)
    trader.tend(NOON + MINUTE)
    assert ended(facts) == [Outcome.STUCK]


def test_a_refused_cancel_is_answered_by_asking_what_became_of_the_order(
    broker: ScriptedBroker, facts: MemoryFacts
) -> None:
    trader = trader_of(broker, facts)
    placed(trader)
    broker.fill(A1)
    trader.tend(NOON + MINUTE)
    broker.fill(B1)
    broker.news = []  # lost: the broker has filled it, nobody here knows
    broker.now = NOON + 5 * MINUTE
    trader.tend(broker.now)
    assert broker.calls[2:4] == [("cancel", B1), ("find", B1)]
    assert len(facts.read(Fill)) == 2


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_new_process_goes_on_where_the_orders_on_record_end(
    broker: ScriptedBroker, facts: MemoryFacts, kept: int
) -> None:
    meant = Record(intent(), DAY, NOON, f"intent.{PAIR}", str(PAIR))
    facts.append(meant)
    orders = [Order(A1, PAIR.a, Side.BUY, Decimal("2.5")), Order(B1, PAIR.b, Side.SELL, Decimal(4))][:kept]
    facts.append(*(Record(order, DAY, NOON, order.client_order_id, str(PAIR)) for order in orders))
    trader = trader_of(broker, facts)
    trader.take_up(meant, NOON)
    assert [name for kind, name in broker.calls if kind == "find"] == [A1, B1][:kept]
    assert [name for kind, name in broker.calls if kind == "submit"] == [A1, B1]
    assert [record.key for record in facts.read(Order)] == [A1, B1]


def test_a_new_process_records_the_fills_that_the_old_one_did_not(broker: ScriptedBroker, facts: MemoryFacts) -> None:
    meant = placed(trader_of(broker, facts))
    fill_all(broker)
    broker.news = []
    trader = trader_of(broker, facts)
    trader.take_up(meant, NOON + timedelta(hours=20))
    assert ended(facts) == [Outcome.FILLED]
    assert len(trader.tend(NOON + timedelta(hours=20))) == 2
    assert [kind for kind, _ in broker.calls] == ["submit", "submit", "find", "find"]
