"""The book charges what the broker charged."""

from datetime import date
from decimal import Decimal

from tandem.book import Book
from tandem.cli.demo import SYMBOLS, settings_of
from tandem.config import Settings
from tandem.desk import backtest_desk, prepare, run_session
from tandem.market import Calendar, WorldKind
from tandem.sources import samples
from tandem.store import MemoryFacts


def test_the_books_cash_is_the_brokers_to_the_cent_commission_and_all(module_store, tmp_path):
    samples.load(module_store)
    given = settings_of(tmp_path).model_dump()
    given["model"] |= {"epochs": 1, "evidence_pvalue": 0.0}  # the baseline trades
    given["costs"]["commission_per_share"] = Decimal("0.005")
    settings = Settings.model_validate(given)
    session = Calendar().session(date(2023, 1, 25))
    facts = MemoryFacts(module_store.new_world(WorldKind.BACKTEST))
    prepare(module_store, facts, session, settings, None)
    desk = backtest_desk(module_store, facts.world, settings, SYMBOLS, [session], facts)
    run_session(desk, session)
    book = Book.from_facts(facts)
    assert book.costs > 0
    assert len(book.executions) == 8
    assert abs(book.cash - desk.broker.account().cash) < Decimal("0.005")
    assert sum(trade.net for trade in book.closed) == book.cash - book.capital
