"""What each pair earned in each session, as a fold over facts."""

from decimal import Decimal

import pytest

from tandem.book import Book
from tandem.desk import earned, run_session
from tandem.market import Calendar, Pair
from tandem.signals import Signal


def traded(stage, **given):
    made = stage(**given)
    for session in made.sessions:
        run_session(made.desk(), session)
    return made


def test_pairs_earn_what_the_book_earned(stage):
    made = traded(stage)
    found = earned(made.facts)
    book = Book.from_facts(made.facts)
    signals = {str(record.body.pair): record.body for record in made.facts.read(Signal)}
    last = {
        s: p for body in signals.values() for s, p in zip(body.pair.symbols, (body.price_a, body.price_b), strict=True)
    }
    worth = book.mark({symbol: Decimal(str(price)) for symbol, price in last.items()})
    assert set(found) == {"A/B", "C/D"}
    assert sum(sum(days.values()) for days in found.values()) == pytest.approx(float(worth.net_pnl), abs=1e-6)


def test_a_trade_over_night_earns_in_each_session(stage, half_day):
    sessions = [half_day, Calendar().after(half_day.day)]
    made = traded(stage, sessions=sessions)
    found = earned(made.facts)["A/B"]
    assert list(found) == [session.day for session in sessions]
    only_first = traded(stage)
    assert found[half_day.day] == earned(only_first.facts)["A/B"][half_day.day]
    assert found[sessions[1].day] != 0


def test_a_session_without_a_trade_earns_nothing_and_counts(stage, half_day):
    sessions = [half_day, Calendar().after(half_day.day)]
    made = traded(stage, steps={Pair("A", "B"): [(12, 2.5), (48, 0.2)]}, sessions=sessions[:1])
    later = stage(steps={Pair("A", "B"): []}, sessions=sessions[1:], plan=False)
    run_session(later.desk(facts=made.facts, world=made.facts.world), sessions[1])
    assert earned(made.facts)["A/B"][sessions[1].day] == 0


def test_what_was_never_traded_earned_nothing(stage):
    assert earned(traded(stage, steps={Pair("A", "B"): []}).facts) == {}
