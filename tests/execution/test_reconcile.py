from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.execution import reconcile
from tandem.market import Position

SHARES = st.dictionaries(
    st.sampled_from(["AAPL", "IBM", "NVDA"]), st.integers(-5, 5).filter(bool).map(Decimal), max_size=3
)


def positions(shares: dict[str, Decimal]) -> dict[str, Position]:
    return {symbol: Position(symbol, qty, Decimal(10)) for symbol, qty in shares.items()}


def test_what_tandem_holds_is_neither_foreign_nor_missing() -> None:
    found = reconcile({"AAPL": Decimal(3)}, positions({"AAPL": Decimal(3)}))
    assert (found.foreign, found.missing) == ({}, {})


def test_shares_beyond_the_book_are_foreign_also_in_a_symbol_that_tandem_holds() -> None:
    found = reconcile({"AAPL": Decimal(3)}, positions({"AAPL": Decimal(5), "IBM": Decimal(-2)}))
    assert found.foreign == {"AAPL": Decimal(2), "IBM": Decimal(-2)}
    assert found.missing == {}


def test_shares_that_the_broker_lacks_are_missing() -> None:
    assert reconcile({"AAPL": Decimal(3)}, {}).missing == {"AAPL": Decimal(3)}
    assert reconcile({"AAPL": Decimal(3)}, positions({"AAPL": Decimal(1)})).missing == {"AAPL": Decimal(2)}


def test_a_short_where_the_book_is_long_is_missing() -> None:
    found = reconcile({"AAPL": Decimal(3)}, positions({"AAPL": Decimal(-4)}))
    assert found.missing == {"AAPL": Decimal(7)}
    assert found.foreign == {}


@settings(deadline=None)
@given(book=SHARES, account=SHARES)
def test_book_and_foreign_and_missing_account_for_every_share(
    book: dict[str, Decimal], account: dict[str, Decimal]
) -> None:
    found = reconcile(book, positions(account))
    none = Decimal(0)
    for symbol in book.keys() | account.keys():
        explained = book.get(symbol, none) + found.foreign.get(symbol, none) - found.missing.get(symbol, none)
        assert explained == account.get(symbol, none)
    assert not found.foreign.keys() & found.missing.keys()


@settings(deadline=None)
@given(book=SHARES, account=SHARES)
def test_nothing_is_missing_exactly_when_every_own_share_is_there(
    book: dict[str, Decimal], account: dict[str, Decimal]
) -> None:
    there = all(account.get(symbol, Decimal(0)) / qty >= 1 for symbol, qty in book.items())
    assert (not reconcile(book, positions(account)).missing) is there
