from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.config import CostSettings
from tandem.market import Bar, Order, OrderEvent, OrderUpdate, Side, World, WorldKind
from tandem.matching import Engine, Rejected

WORLD = World(WorldKind.BACKTEST, 1)
OPEN = datetime(2023, 1, 3, 14, 30, tzinfo=UTC)
FREE = CostSettings(spread_bps=0, impact=0)
CASH = Decimal(100_000)


def minute(n: int) -> datetime:
    return OPEN + timedelta(minutes=n)


def bar(symbol: str, n: int, price: float = 100.0, volume: int = 10_000, close: float | None = None) -> Bar:
    last = price if close is None else close
    return Bar(symbol, minute(n), price, max(price, last), min(price, last), last, volume)


def order(id: str, symbol: str, side: Side, qty: str) -> Order:
    return Order(id, symbol, side, Decimal(qty))


def engine_with(held: str = "0", costs: CostSettings = FREE, cash: Decimal = CASH) -> Engine:
    engine = Engine(WORLD, cash, costs)
    engine.on_bars([bar("AAPL", -3)])
    if qty := Decimal(held):
        engine.submit(Order("held", "AAPL", Side.BUY if qty > 0 else Side.SELL, abs(qty)), minute(-2))
        engine.on_bars([bar("AAPL", -2)])
    return engine


def test_an_order_fills_at_the_open_of_the_first_bar_that_starts_at_or_after_it() -> None:
    engine = engine_with()
    accepted = engine.submit(order("a", "AAPL", Side.BUY, "5"), minute(1))
    assert [update.event for update in accepted] == [OrderEvent.NEW]
    assert engine.on_bars([bar("AAPL", 0, 90.0)]) == []
    assert engine.on_bars([bar("MSFT", 1, 80.0)]) == []
    (fill,) = engine.on_bars([bar("AAPL", 1, 101.5)])
    assert (fill.event, fill.at, fill.qty, fill.price) == (OrderEvent.FILL, minute(1), Decimal(5), Decimal("101.5"))
    assert engine.find("a") == [*accepted, fill]


def test_a_bar_without_volume_fills_nothing() -> None:
    engine = engine_with()
    engine.submit(order("a", "AAPL", Side.BUY, "5"), minute(0))
    assert engine.on_bars([bar("AAPL", 0, volume=0)]) == []
    assert len(engine.on_bars([bar("AAPL", 1)])) == 1


@pytest.mark.parametrize(("side", "paid"), [(Side.BUY, "100.11"), (Side.SELL, "99.89")])
def test_a_fill_pays_half_the_spread_and_the_impact_of_its_share_of_volume(side: Side, paid: str) -> None:
    engine = engine_with(costs=CostSettings(spread_bps=2.0, impact=0.1))
    engine.submit(order("a", "AAPL", side, "100"), minute(0))
    (fill,) = engine.on_bars([bar("AAPL", 0, 100.0, volume=10_000)])
    assert fill.price == Decimal(paid)


def test_the_commission_is_taken_from_cash_and_counted_as_a_loss() -> None:
    engine = engine_with(costs=CostSettings(spread_bps=0, impact=0, commission_per_share=Decimal("0.01")))
    engine.submit(order("a", "AAPL", Side.BUY, "100"), minute(0))
    engine.on_bars([bar("AAPL", 0)])
    assert engine.account().cash == CASH - 10_000 - 1
    assert engine.ledger.realised == -1


def test_an_order_left_at_the_close_expires_and_one_sent_after_it_waits_for_the_next_session() -> None:
    engine = engine_with()
    engine.submit(order("early", "AAPL", Side.BUY, "1"), minute(389))
    close = minute(390)
    (expired,) = engine.on_close(close)
    assert (expired.client_order_id, expired.event, expired.at) == ("early", OrderEvent.EXPIRED, close)
    engine.submit(order("late", "AAPL", Side.BUY, "1"), close)
    assert engine.on_close(close) == []
    (fill,) = engine.on_bars([bar("AAPL", 1440)])
    assert fill.client_order_id == "late"


def test_a_canceled_order_never_fills() -> None:
    engine = engine_with()
    engine.submit(order("a", "AAPL", Side.BUY, "1"), minute(0))
    (canceled,) = engine.cancel("a", minute(0))
    assert canceled.event is OrderEvent.CANCELED
    assert engine.on_bars([bar("AAPL", 0)]) == []
    with pytest.raises(Rejected, match='order is already in "canceled" state'):
        engine.cancel("a", minute(1))
    with pytest.raises(Rejected, match="order not found for b"):
        engine.cancel("b", minute(1))


@pytest.mark.parametrize(
    ("held", "side", "qty", "status", "code", "text"),
    [
        ("0", Side.BUY, "0", 422, 40010001, "qty must be > 0"),
        ("0", Side.BUY, "-1", 422, 40010001, "qty must be > 0"),
        ("0", Side.BUY, "0.1234567891", 422, 40010001, "qty must be limited to 9 decimal places"),
        ("0", Side.BUY, "2001", 403, 40310000, "insufficient buying power"),
        ("0", Side.SELL, "1942", 403, 40310000, "insufficient buying power"),
        ("0", Side.SELL, "0.5", 422, 42210000, "fractional orders cannot be sold short"),
        ("-10", Side.SELL, "0.5", 422, 42210000, "fractional orders cannot be sold short"),
        ("-10", Side.BUY, "0.5", 422, 42210000, "fractional orders cannot be sold short"),
        ("10", Side.SELL, "11", 403, 40310000, "insufficient qty available for order (requested: 11, available: 10)"),
        ("-10", Side.BUY, "11", 403, 40310000, "insufficient qty available for order (requested: 11, available: 10)"),
    ],
)
def test_an_order_against_the_rules_is_refused_in_alpacas_words(
    held: str, side: Side, qty: str, status: int, code: int, text: str
) -> None:
    engine = engine_with(held)
    with pytest.raises(Rejected) as refusal:
        engine.submit(order("a", "AAPL", side, qty), minute(0))
    assert (refusal.value.status, refusal.value.code, str(refusal.value)) == (status, code, text)
    assert engine.find("a") is None


def test_a_second_order_with_the_same_id_is_refused() -> None:
    engine = engine_with()
    engine.submit(order("a", "AAPL", Side.BUY, "1"), minute(0))
    with pytest.raises(Rejected, match="client_order_id must be unique"):
        engine.submit(order("a", "AAPL", Side.BUY, "1"), minute(0))
    with pytest.raises(Rejected, match="no more than 128 characters"):
        engine.submit(order("x" * 129, "AAPL", Side.BUY, "1"), minute(0))


def test_shares_in_an_open_sell_are_not_available_twice() -> None:
    engine = engine_with("10")
    engine.submit(order("a", "AAPL", Side.SELL, "8"), minute(0))
    with pytest.raises(Rejected, match=r"requested: 3, available: 2") as refusal:
        engine.submit(order("b", "AAPL", Side.SELL, "3"), minute(0))
    assert refusal.value.details == {
        "available": "2",
        "existing_qty": "10",
        "held_for_orders": "8",
        "symbol": "AAPL",
    }


def test_a_fraction_of_a_long_position_may_be_sold() -> None:
    engine = engine_with("10")
    engine.submit(order("a", "AAPL", Side.SELL, "0.25"), minute(0))
    engine.on_bars([bar("AAPL", 0)])
    assert engine.positions()["AAPL"].qty == Decimal("9.75")


def test_an_order_against_an_open_one_on_the_other_side_is_a_wash_trade() -> None:
    engine = engine_with()
    engine.submit(order("a", "AAPL", Side.BUY, "1"), minute(0))
    with pytest.raises(Rejected, match="potential wash trade detected"):
        engine.submit(order("b", "AAPL", Side.SELL, "1"), minute(0))


def test_an_account_below_two_thousand_dollars_may_not_short() -> None:
    engine = engine_with(cash=Decimal("1999.99"))
    assert not engine.account().shorting_enabled
    with pytest.raises(Rejected, match="account is not allowed to short"):
        engine.submit(order("a", "AAPL", Side.SELL, "1"), minute(0))


def test_buying_power_is_twice_the_equity_less_what_is_held_and_what_open_orders_bind() -> None:
    engine = engine_with("100")
    assert engine.account().buying_power == 190_000
    engine.submit(order("a", "AAPL", Side.BUY, "50"), minute(0))
    assert engine.account().buying_power == 185_000
    engine.on_bars([bar("AAPL", 0)])
    assert engine.account().buying_power == 185_000


def test_equity_is_marked_at_the_last_close() -> None:
    engine = engine_with("-100")
    engine.on_bars([bar("AAPL", 0, 100.0, close=97.5)])
    account = engine.account()
    assert (account.cash, account.equity) == (Decimal(110_000), Decimal(100_250))
    assert engine.positions()["AAPL"].average_price == 100


Command = tuple[str, str, Side, Decimal]
symbols = st.sampled_from(["AAPL", "MSFT"])
quantities = st.decimals("0.25", 400, places=2) | st.integers(1, 400).map(Decimal)
commands = st.lists(
    st.tuples(
        st.sampled_from(["submit", "cancel", "bars", "bars", "close"]), symbols, st.sampled_from(Side), quantities
    ),
    max_size=40,
)
prices = st.floats(1.0, 500.0).map(lambda value: round(value, 2))


def play(
    steps: list[Command], path: list[float], volumes: list[int], costs: CostSettings
) -> tuple[Engine, list[OrderUpdate]]:
    engine = Engine(WORLD, CASH, costs)
    heard: list[OrderUpdate] = []
    for n, (what, symbol, side, qty) in enumerate(steps):
        try:
            if what == "submit":
                heard += engine.submit(Order(f"{n % 7}", symbol, side, qty), minute(n))
            elif what == "cancel":
                heard += engine.cancel(f"{n % 7}", minute(n))
            elif what == "close":
                heard += engine.on_close(minute(n))
            else:
                both = [
                    bar(s, n, path[(n + k) % len(path)], volumes[n % len(volumes)])
                    for k, s in enumerate(("AAPL", "MSFT"))
                ]
                heard += engine.on_bars(both)
        except Rejected:
            pass
    return engine, heard


cases = given(
    commands,
    st.lists(prices, min_size=1, max_size=10),
    st.lists(st.sampled_from([0, 1, 50, 10_000]), min_size=1, max_size=5),
    st.builds(
        CostSettings,
        spread_bps=st.floats(0, 20),
        impact=st.floats(0, 0.5),
        commission_per_share=st.just(Decimal("0.005")),
    ),
)


@settings(deadline=None)
@cases
def test_cash_holdings_at_cost_and_realised_profit_always_add_up(
    steps: list[Command], path: list[float], volumes: list[int], costs: CostSettings
) -> None:
    engine, heard = play(steps, path, volumes, costs)
    ledger = engine.ledger
    assert ledger.cash + sum(held.basis for held in ledger.holdings.values()) - ledger.realised == CASH
    spent = sum(
        (u.side.sign * u.qty * u.price + u.qty * costs.commission_per_share for u in heard if u.qty and u.price),
        Decimal(0),
    )
    assert ledger.cash == CASH - spent
    for symbol in ("AAPL", "MSFT"):
        bought = sum((u.side.sign * u.qty for u in heard if u.qty and u.symbol == symbol), Decimal(0))
        assert ledger.held(symbol) == bought
        assert bought >= 0 or bought == bought.to_integral_value()


@settings(deadline=None)
@cases
def test_events_of_an_order_come_in_a_legal_order_and_never_fill_more_than_was_asked(
    steps: list[Command], path: list[float], volumes: list[int], costs: CostSettings
) -> None:
    engine, heard = play(steps, path, volumes, costs)
    for ticket in engine.tickets():
        own = [u for u in heard if u.client_order_id == ticket.order.client_order_id]
        assert own == list(ticket.updates)
        assert own[0].event is OrderEvent.NEW
        assert all(u.event is not OrderEvent.NEW for u in own[1:])
        assert not any(u.event.is_final for u in own[:-1])
        assert [u.at for u in own] == sorted(u.at for u in own)
        assert ticket.filled in (0, ticket.order.qty)
    executions = [u.execution_id for u in heard if u.event.is_execution]
    assert None not in executions
    assert len(set(executions)) == len(executions)


@settings(deadline=None)
@cases
def test_a_fill_is_the_open_plus_or_minus_its_costs(
    steps: list[Command], path: list[float], volumes: list[int], costs: CostSettings
) -> None:
    _, heard = play(steps, path, volumes, costs)
    for u in (u for u in heard if u.event is OrderEvent.FILL):
        n = (u.at - OPEN) // timedelta(minutes=1)
        opened = Decimal(str(path[(n + (u.symbol == "MSFT")) % len(path)]))
        assert u.price is not None
        assert u.qty is not None
        share = min(u.qty / volumes[n % len(volumes)], Decimal(1))
        cost = opened * (Decimal(costs.spread_bps) / 20_000 + Decimal(costs.impact) * share)
        assert abs(u.side.sign * (u.price - opened) - cost) <= Decimal("0.00006")


@settings(deadline=None)
@cases
def test_the_same_inputs_give_the_same_events(
    steps: list[Command], path: list[float], volumes: list[int], costs: CostSettings
) -> None:
    first, second = play(steps, path, volumes, costs), play(steps, path, volumes, costs)
    assert first[1] == second[1]
    assert first[0].account() == second[0].account()
    assert first[0].positions() == second[0].positions()
