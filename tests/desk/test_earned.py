"""What each pair earned in each session, as a fold over facts."""

from decimal import Decimal

import pytest

from tandem.book import Book, Mark
from tandem.desk import earned, run_session
from tandem.desk.earned import Holding
from tandem.market import Calendar, Fill, Pair
from tandem.signals import Signal
from tandem.store import MemoryFacts


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


def plainly(facts):
    """The plain way: every signal of every session is looked at."""
    found = {}
    fills = {record.body.execution_id: record for record in facts.read(Fill)}.values()
    for pair in sorted({record.pair for record in fills}):
        holding, before = Holding(Pair.parse(pair)), 0
        own = [*(each for each in fills if each.pair == pair), *facts.read(Signal, pair=pair)]
        for day in sorted({record.session for record in facts.read(Mark)}):
            for record in sorted((each for each in own if each.session == day), key=lambda each: each.at):
                (holding.fill if isinstance(record.body, Fill) else holding.price)(record.body)
            found.setdefault(pair, {})[day] = float(holding.value - before)
            before = holding.value
    return found


def test_signals_that_are_not_looked_at_change_nothing(stage, half_day, monkeypatch):
    sessions = [half_day, Calendar().after(half_day.day)]
    made = traded(stage, sessions=sessions)
    expected, read = plainly(made.facts), []
    keep = MemoryFacts.read
    monkeypatch.setattr(MemoryFacts, "read", lambda self, body, **of: read.append((body, of)) or keep(self, body, **of))
    assert earned(made.facts) == expected
    asked = [(of["session"], of["pair"]) for body, of in read if body is Signal]
    assert set(asked) < {(session.day, pair) for session in sessions for pair in ("A/B", "C/D")}
    assert (half_day.day, "A/B") in asked
