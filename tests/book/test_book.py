from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.book import Book, Capital, merge
from tandem.market import Fill, Pair, Side, World, WorldKind
from tandem.risk import Intent
from tandem.store import MemoryFacts, Record

DAY = date(2023, 1, 25)
NOON = datetime(2023, 1, 25, 17, 0, tzinfo=UTC)
CAPITAL = Decimal(100_000)
PAIRS = (Pair("AAPL", "NVDA"), Pair("AAPL", "IBM"))
SYMBOLS = ("AAPL", "IBM", "NVDA")
FEW = settings(max_examples=60, deadline=None)


def intent(pair: Pair, purpose: str = "enter", direction: int = 1, stopped: bool = False) -> Intent:
    buys_a = direction > 0
    return Intent(
        pair, purpose, direction, Side.BUY if buys_a else Side.SELL, Decimal(1), Side.SELL if buys_a else Side.BUY,
        Decimal(1), "because", stopped, 2.1, 0.02, 0.001, 1e-6, Decimal(200), 0.0, DAY,
    )  # fmt: skip


def meant(pair: Pair, minute: int, purpose: str = "enter") -> Record:
    at = NOON + timedelta(minutes=minute)
    return Record(intent(pair, purpose), DAY, at, f"intent.{minute}.{purpose}.{pair}", str(pair))


def filled(
    pair: Pair,
    symbol: str,
    minute: int,
    qty: str,
    price: str = "100",
    reference: str = "100",
    fees: str = "0",
    n: str = "",
) -> Record:
    """A fill of signed shares."""
    shares, at = Decimal(qty), NOON + timedelta(minutes=minute)
    side = Side.BUY if shares > 0 else Side.SELL
    id = f"{pair}.{symbol}.{minute}.{qty}.{n}"
    fill = Fill(id, id, symbol, side, abs(shares), Decimal(price), at, Decimal(reference), Decimal(fees))
    return Record(fill, DAY, at, f"fill.{id}", str(pair))


@pytest.fixture
def empty() -> Book:
    return Book.starting_with(CAPITAL)


def test_a_round_trip_wins_what_it_was_sold_for_less_what_it_cost(empty: Book) -> None:
    pair = PAIRS[0]
    book = empty.after([
        meant(pair, 0),
        filled(pair, "AAPL", 0, "10", "100.1", "100"),
        filled(pair, "NVDA", 0, "-5", "199.8", "200"),
    ])  # fmt: skip
    assert book.shares() == {"AAPL": Decimal(10), "NVDA": Decimal(-5)}
    trade = book.open[pair]
    assert (trade.opened_at, trade.qty_a, trade.qty_b, trade.costs) == (NOON, 10, -5, Decimal("2.0"))
    book = book.after([
        meant(pair, 5, "exit"),
        filled(pair, "AAPL", 5, "-10", "101.9", "102", fees="0.5"),
        filled(pair, "NVDA", 5, "5", "200.2", "200"),
    ])  # fmt: skip
    assert book.open == {}
    (trade,) = book.closed
    assert trade.net == Decimal("15.5")  # 18 on a, -2 on b, 0.5 of fees
    assert trade.costs == Decimal("4.5")
    assert trade.gross == Decimal(20)
    assert trade.closed_at == NOON + timedelta(minutes=5)
    assert trade.exit is not None
    assert trade.exit.purpose == "exit"
    assert book.cash == CAPITAL + Decimal("15.5")


def test_an_entry_that_was_unwound_is_a_closed_trade_without_an_exit(empty: Book) -> None:
    pair = PAIRS[0]
    book = empty.after([meant(pair, 0), filled(pair, "AAPL", 0, "10"), filled(pair, "AAPL", 3, "-10", "99")])
    assert book.open == {}
    assert [(trade.exit, trade.net) for trade in book.closed] == [(None, Decimal(-10))]


def test_the_next_entry_opens_a_trade_of_its_own(empty: Book) -> None:
    pair = PAIRS[0]
    book = empty.after([
        meant(pair, 0), filled(pair, "AAPL", 0, "1"), meant(pair, 5, "exit"), filled(pair, "AAPL", 5, "-1"),
        meant(pair, 10), filled(pair, "AAPL", 10, "2"),
    ])  # fmt: skip
    assert book.open[pair].opened_at == NOON + timedelta(minutes=10)
    assert book.open[pair].exit is None
    assert len(book.closed) == 1


def test_an_entry_that_never_filled_leaves_nothing(empty: Book) -> None:
    book = empty.after([meant(PAIRS[0], 0)])
    assert (book.open, book.closed, book.cash) == ({}, (), CAPITAL)


def test_pairs_that_share_a_symbol_keep_their_own_shares(empty: Book) -> None:
    first, second = PAIRS
    book = empty.after([
        meant(first, 0), meant(second, 0), filled(first, "AAPL", 0, "10"), filled(second, "AAPL", 0, "-4"),
    ])  # fmt: skip
    assert book.shares() == {"AAPL": Decimal(6)}
    assert (book.open[first].qty_a, book.open[second].qty_a) == (10, -4)


def test_a_mark_values_what_is_held(empty: Book) -> None:
    pair = PAIRS[0]
    book = empty.after(
        [meant(pair, 0), filled(pair, "AAPL", 0, "10", "100.1"), filled(pair, "NVDA", 0, "-5", "200", "200")]
    )
    mark = book.mark({"AAPL": Decimal(103), "NVDA": Decimal(201)})
    assert mark.equity == CAPITAL + 29 - 5
    assert (mark.net_pnl, mark.costs, mark.gross_pnl) == (Decimal(24), Decimal(1), Decimal(25))
    assert mark.exposure == 1030 + 1005


def test_a_world_without_facts_has_an_empty_book() -> None:
    book = Book.from_facts(MemoryFacts(World(WorldKind.PAPER, 1)))
    assert (book.cash, book.open, book.closed) == (Decimal(0), {}, ())


def test_intents_come_before_the_fills_of_their_time() -> None:
    fill, entry = filled(PAIRS[0], "AAPL", 0, "10"), meant(PAIRS[0], 0)
    assert merge([fill], [entry]) == [entry, fill]


@dataclass(frozen=True)
class History:
    """What happened in a world, in order, with prices at the end."""

    records: tuple[Record, ...]
    prices: dict[str, Decimal]


QTY = st.integers(1, 50).map(Decimal)
PRICE = st.decimals("1", "500", places=4)
FEES = st.decimals("0", "3", places=2)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Entries and exits of two pairs, filled in pieces, some of them only on one leg or unwound."""
    records: list[Record] = []
    held: dict[tuple[Pair, str], Decimal] = {}
    for minute in range(draw(st.integers(0, 12))):
        pair = draw(st.sampled_from(PAIRS))
        closing = any(held.get((pair, symbol)) for symbol in pair.symbols)
        records.append(meant(pair, 5 * minute, "exit" if closing else "enter"))
        for n, symbol in enumerate(draw(st.lists(st.sampled_from(pair.symbols), max_size=4))):
            left = held.get((pair, symbol), Decimal(0))
            qty = -left if closing else draw(QTY) * (1 if symbol == pair.a else -1)
            if qty:
                records.append(drawn_fill(draw, pair, symbol, 5 * minute, qty, str(n)))
                held[pair, symbol] = left + qty
    return History(tuple(records), {symbol: draw(PRICE) for symbol in SYMBOLS})


def drawn_fill(draw: st.DrawFn, pair: Pair, symbol: str, minute: int, qty: Decimal, n: str) -> Record:
    return filled(pair, symbol, minute, str(qty), str(draw(PRICE)), str(draw(PRICE)), str(draw(FEES)), n)


def fills(history: History) -> Iterator[Fill]:
    return (record.body for record in history.records if isinstance(record.body, Fill))


def book_of(history: History) -> Book:
    return Book.starting_with(CAPITAL).after(history.records)


@FEW
@given(histories())
def test_cash_is_what_was_there_less_what_was_paid(history: History) -> None:
    book = book_of(history)
    assert book.cash == CAPITAL - sum(f.side.sign * f.qty * f.price + f.fees for f in fills(history))
    assert book.costs == sum(f.cost for f in fills(history))


@FEW
@given(histories())
def test_trades_account_for_all_cash_costs_and_shares(history: History) -> None:
    book = book_of(history)
    trades = [*book.closed, *book.open.values()]
    assert CAPITAL + sum(trade.cash for trade in trades) == book.cash
    assert sum(trade.costs for trade in trades) == book.costs
    assert all(trade.qty_a == trade.qty_b == 0 for trade in book.closed)
    for symbol in SYMBOLS:
        bought = sum(f.side.sign * f.qty for f in fills(history) if f.symbol == symbol)
        assert book.shares().get(symbol, Decimal(0)) == bought


@FEW
@given(histories())
def test_gross_less_costs_is_net_and_equity_is_capital_plus_net(history: History) -> None:
    book = book_of(history)
    mark = book.mark(history.prices)
    assert mark.gross_pnl - mark.costs == mark.net_pnl
    assert mark.equity == CAPITAL + mark.net_pnl
    assert mark.equity == book.cash + sum(qty * history.prices[symbol] for symbol, qty in book.shares().items())
    assert all(trade.gross - trade.costs == trade.net for trade in book.closed)


@FEW
@given(histories())
def test_gross_is_what_the_same_trades_would_have_made_at_the_references(history: History) -> None:
    at_references = -sum(f.side.sign * f.qty * f.reference for f in fills(history))
    book = book_of(history)
    held = sum(qty * history.prices[symbol] for symbol, qty in book.shares().items())
    assert book.mark(history.prices).gross_pnl == at_references + held


@FEW
@given(histories())
def test_positions_at_cost_and_what_was_realised_make_up_the_capital(history: History) -> None:
    book = book_of(history)
    realised = sum((trade.cash for trade in book.closed), Decimal(0))
    invested = -sum((trade.cash for trade in book.open.values()), Decimal(0))
    assert book.cash + invested - realised == CAPITAL


@FEW
@given(histories(), st.data())
def test_one_fold_and_many_small_ones_give_the_same_book(history: History, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(history.records)), max_size=4)))
    book = Book.starting_with(CAPITAL)
    for first, last in zip([0, *cuts], [*cuts, None], strict=True):
        book = book.after(history.records[first:last])
    assert book == book_of(history)


@FEW
@given(histories(), st.data())
def test_facts_told_again_change_nothing(history: History, data: st.DataObject) -> None:
    repeats = data.draw(st.lists(st.sampled_from(history.records), max_size=5)) if history.records else []
    again = [record for record in repeats if isinstance(record.body, Fill)]
    assert book_of(history).after(again) == book_of(history)


@FEW
@given(histories(), st.data())
def test_the_order_of_facts_of_one_time_does_not_matter(history: History, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(history.records))
    book = Book.starting_with(CAPITAL).after(merge(list(shuffled)))
    known = book_of(history)
    assert (book.cash, book.costs, book.executions, book.open) == (
        known.cash,
        known.costs,
        known.executions,
        known.open,
    )
    assert sum(trade.net for trade in book.closed) == sum(trade.net for trade in known.closed)


@FEW
@given(histories())
def test_the_book_of_recorded_facts_is_the_book_as_it_went_along(history: History) -> None:
    facts = MemoryFacts(World(WorldKind.PAPER, 1))
    facts.append(Record(Capital(CAPITAL), DAY, NOON, "capital"), *history.records)
    assert Book.from_facts(facts) == book_of(history)
