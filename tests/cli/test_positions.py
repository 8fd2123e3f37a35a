"""`tandem positions`: the broker's word beside Tandem's book."""

from decimal import Decimal

import pytest

from tandem.cli.positions import MISSING, NOT_OURS, side_by_side
from tandem.market import Position


def holding(**shares):
    return {symbol: Position(symbol, Decimal(qty), Decimal(100)) for symbol, qty in shares.items()}


def notes(book, held):
    table, missing = side_by_side({symbol: Decimal(qty) for symbol, qty in book.items()}, held)
    return dict(zip(table["symbol"], table["note"], strict=True)), missing


@pytest.mark.parametrize(
    ("book", "held", "note", "missing"),
    [
        ({"AAPL": 10}, {"AAPL": 10}, "", False),
        ({"AAPL": -10}, {"AAPL": -10}, "", False),
        ({}, {"AAPL": 10}, NOT_OURS, False),
        ({"AAPL": 10}, {"AAPL": 15}, NOT_OURS, False),
        ({"AAPL": 10}, {"AAPL": 5}, MISSING, True),
        ({"AAPL": 10}, {"AAPL": -10}, MISSING, True),
        ({"AAPL": 10}, {}, MISSING, True),
    ],
)
def test_each_symbol_says_whose_it_is(book, held, note, missing):
    assert notes(book, holding(**held)) == ({"AAPL": note}, missing)


def test_nothing_anywhere_is_an_empty_table():
    table, missing = side_by_side({}, {})
    assert table.empty
    assert not missing


def test_without_keys_it_is_one_line_and_status_2(tandem):
    done = tandem("positions", TANDEM_WEBSOCKET__MODE="alpaca")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tandem: no keys for Alpaca. `tandem init` asks for them, or set TANDEM_ALPACA__KEY")
    assert done.stderr.count("\n") == 1


def test_a_recycler_that_is_not_there_is_one_line_and_status_2(tandem):
    done = tandem("positions", TANDEM_WEBSOCKET__RECYCLER__SERVER_URL="ws://127.0.0.1:9")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert "tandem recycler start" in done.stderr
