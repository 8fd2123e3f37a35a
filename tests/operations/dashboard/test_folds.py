"""What the folds come to, beside the slow and plain ways to the same figures."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tandem.book import Book, Capital, Mark
from tandem.desk import earned
from tandem.market import Fill, Leg, Order, Pair, Refusal, Side, World, WorldKind
from tandem.operations.dashboard.folds.curve import EquityCurve
from tandem.operations.dashboard.folds.money import Money
from tandem.operations.dashboard.folds.orders import Orders
from tandem.operations.dashboard.followed import Followed
from tandem.risk import Intent
from tandem.rules import Action
from tandem.signals import Signal
from tandem.store import Entry, Record

DAY, AT = date(2023, 1, 25), datetime(2023, 1, 25, 15, tzinfo=UTC)
AB = Pair("A", "B")


def mark(equity, at):
    return Record(Mark(Decimal(equity), Decimal(0), Decimal(0), Decimal(0), Decimal(0)), at.date(), at, f"mark.{at}")


def signal(at, z=1.0, prices=(100.0, 100.0), pair=AB, action=Action.HOLD):
    body = Signal(pair, action, "why", z, 0.0, 0.6, 0.5, 0.0, 1e-6, 0.01, None, "baseline", *prices)
    return Record(body, at.date(), at, f"signal.{at}.{pair}", str(pair))


def intent(at, purpose="enter", qty=("10", "10"), direction=1):
    sides = (Side.BUY, Side.SELL) if (direction > 0) == (purpose == "enter") else (Side.SELL, Side.BUY)
    body = Intent(AB, purpose, direction, sides[0], Decimal(qty[0]), sides[1], Decimal(qty[1]), "why", False, -2.0, 0.0,
                  0.0, 1e-6, Decimal(2000), 0.0, DAY)  # fmt: skip
    return Record(body, at.date(), at, f"intent.{at}", str(AB))


def fill(at, symbol, side, qty, price, reference=None, id=""):
    order = f"w.d.A-B.t.{'a' if symbol == 'A' else 'b'}.enter.1"
    body = Fill(
        id or f"{symbol}{at}{qty}", order, symbol, side, Decimal(qty), Decimal(price), at, Decimal(reference or price)
    )
    return Record(body, at.date(), at, f"fill.{body.execution_id}", str(AB))


def minutes(count):
    return AT + timedelta(minutes=count)


def test_money_is_what_the_book_says(demo):
    store, world = demo
    followed = Followed(world, store)
    while followed.catch_up():
        pass
    book = Book.from_facts(store.facts(world))
    money = followed.money
    assert list(money.closed) == list(book.closed)
    assert [position.pair for position in money.positions()] == sorted(book.open)
    for pair, days in earned(store.facts(world)).items():
        total = money.total(Pair.parse(pair))
        assert total is not None
        assert float(total.net) == pytest.approx(sum(days.values()))
    last = store.facts(world).read(Mark)[-1].body
    assert followed.curve.newest is not None
    assert followed.curve.newest.body == last
    totals = [money.total(Pair.parse(pair)) for pair in earned(store.facts(world))]
    assert sum(total.net for total in totals if total) == pytest.approx(last.net_pnl)
    assert sum(total.costs for total in totals if total) == pytest.approx(last.costs)


def test_today_counts_from_the_prices_of_the_session_before():
    money = Money()
    money.mean(intent(AT))
    money.fill(fill(minutes(1), "A", Side.BUY, "10", "100.1", "100"))
    money.fill(fill(minutes(1), "B", Side.SELL, "10", "99.9", "100"))
    money.price(signal(minutes(5), prices=(103.0, 100.0)))
    (today,) = money.earned()
    assert (today.gross, today.costs, today.net) == (Decimal(30), Decimal(2), Decimal(28))
    tomorrow = AT + timedelta(days=1)
    money.begin(tomorrow.date())
    (today,) = money.earned()
    assert (today.gross, today.costs, today.net) == (0, 0, 0)
    money.price(signal(tomorrow, prices=(102.0, 100.0)))
    (today,) = money.earned()
    assert (today.gross, today.costs, today.net) == (Decimal(-10), 0, Decimal(-10))
    assert money.total(AB).net == Decimal(18)


def test_a_leg_that_stands_alone_is_naked():
    money = Money()
    money.mean(intent(AT))
    money.fill(fill(minutes(1), "A", Side.BUY, "10", "100"))
    assert money.positions()[0].naked == 1000
    money.fill(fill(minutes(2), "B", Side.SELL, "5", "100"))
    assert money.positions()[0].naked == 500
    money.fill(fill(minutes(3), "B", Side.SELL, "5", "100", id="rest"))
    assert money.positions()[0].naked == 0


def test_an_execution_that_is_repeated_counts_once_and_one_without_an_intent_opens_nothing():
    money = Money()
    money.fill(fill(AT, "A", Side.BUY, "10", "100"))
    assert money.positions() == []
    money.mean(intent(minutes(1)))
    for _ in range(3):
        money.fill(fill(minutes(2), "A", Side.BUY, "10", "100", id="once"))
    assert money.positions()[0].legs[0].qty == 10


def test_a_long_curve_is_thinned_and_keeps_its_depth():
    curve = EquityCurve(most=5000)
    curve.start(Decimal(100))
    low = 1234
    for count in range(20_000):
        curve.take(mark("90" if count == low else "100", minutes(count)))
    assert len(curve.points) <= 5000
    assert curve.deepest == pytest.approx(0.1)
    assert max(point.drawdown for point in curve.points) == pytest.approx(0.1)
    assert [point.at for point in curve.points] == sorted(point.at for point in curve.points)
    assert curve.points[-1].at == minutes(19_999)


def test_the_life_of_an_order_has_its_timing_and_cost():
    orders = Orders()
    orders.mean(intent(AT))
    for leg, symbol, side in (("a", "A", Side.BUY), ("b", "B", Side.SELL)):
        order = Order(f"w.d.A-B.t.{leg}.enter.1", symbol, side, Decimal(10))
        orders.send(Record(order, DAY, AT, order.client_order_id, "A/B"))
    orders.fill(fill(minutes(1), "A", Side.BUY, "10", "100.1", "100"))
    orders.fill(fill(minutes(3), "B", Side.SELL, "10", "99.9", "100"))
    (life,) = orders.newest(10)
    assert (life.purpose, life.outcome, life.gap_seconds, life.fill_seconds) == ("enter", "working", 120, 180)
    assert life.cost == 2
    assert life.cost_bps == pytest.approx(10)
    assert life.leg(Leg.B) == (Side.SELL, 10, 10, Decimal("99.9"))


def test_names_with_dots_are_no_trouble():
    orders, pair = Orders(), Pair("BRK.B", "BF.B")
    order = Order("paper-1.20230125.BRK.B-BF.B.1500.a.enter.2", "BRK.B", Side.BUY, Decimal(1))
    orders.send(Record(order, DAY, AT, order.client_order_id, str(pair)))
    (life,) = orders.newest(1)
    assert life.name == "paper-1.20230125.BRK.B-BF.B.1500"
    assert (life.sent[0].meant, life.sent[0].attempt) == ("enter", 2)


def test_memory_is_bounded_however_many_orders_come():
    orders = Orders()
    for count in range(1500):
        order = Order(f"w.{count}.a.enter.1", "A", Side.BUY, Decimal(1))
        orders.send(Record(order, DAY, minutes(count), order.client_order_id, "A/B"))
    assert orders.count == 1500
    assert len(orders.newest(5000)) == 1000
    assert len(orders._sent) == 1000


def test_a_fact_of_another_version_is_counted_and_passed_over():
    followed = Followed()
    followed.take([entry(1, "capital", '{"gold": 1}'), entry(2, "capital", '{"cash": "5"}'), entry(3, "fill", FILL)])
    assert followed.unreadable == 2
    assert followed.capital == Capital(Decimal(5))


FILL = """{"execution_id": "e", "client_order_id": "o", "symbol": "A", "side": "buy", "qty": "1", "price": "1",
    "at": "2023-01-25T15:00:00Z", "reference": "1", "fees": "0"}"""


def entry(id, kind, text, key="", at=AT):
    return Entry(id, kind, DAY, at, key or f"k{id}", None, text)


def test_refusals_of_a_screen_are_not_decisions():
    followed = Followed()
    followed.decisions.refused(Record(Refusal("score", "low", "screening"), DAY, AT, "r", "A/B"))
    assert followed.decisions.count == 0


def test_what_risk_makes_of_a_signal_stands_beside_it():
    decisions = Followed().decisions
    decisions.judged(signal(AT, action=Action.ENTER_LONG))
    decisions.meant(intent(AT))
    decisions.judged(signal(minutes(5), action=Action.ENTER_LONG))
    decisions.refused(Record(Refusal("halted", "a feeling (Ada)", "risk"), DAY, minutes(5), "r", "A/B"))
    refused, meant = decisions.newest(5)
    assert (meant.came, meant.refused) == ("buy 10 A, sell 10 B", False)
    assert (refused.came, refused.refused) == ("halted: a feeling (Ada)", True)
    assert decisions.reasons == {("risk", "halted"): 1}


@pytest.fixture(scope="module")
def crowd(module_store):
    """A world with ten thousand decisions of a hundred pairs."""
    world = module_store.new_world(WorldKind.RECYCLER, "crowd")
    pairs = [Pair(f"A{n}", f"B{n}") for n in range(100)]
    records = [Record(Capital(Decimal(100_000)), DAY, AT, "capital")]
    for count in range(100):
        at = minutes(5 * count)
        records += [mark(str(100_000 + count), at), *(signal(at, pair=pair) for pair in pairs)]
    module_store.facts(world).append(*records)
    return module_store


@pytest.mark.parametrize("path", ["/", "/pairs", "/pairs/A7/B7", "/orders"])
def test_ten_thousand_decisions_are_no_trouble(crowd, serve, path):
    with serve(crowd) as visitor:
        answer = visitor.get(path)
        assert answer.status_code == 200
        assert len(answer.content) < 300_000
        if path == "/":
            assert "10,000" in answer.text
    assert World(WorldKind.RECYCLER, 1) in crowd.worlds()
