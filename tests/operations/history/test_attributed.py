"""What each trade came to, session by session, on record once a session is over."""

from datetime import date
from decimal import Decimal

import pytest

from tandem.book import Attribution, Parts
from tandem.market import Calendar
from tandem.operations.history.attributed import attribute_over, attribute_session, record_attribution
from tandem.operations.run.chronicle import Chronicle
from tandem.operations.run.day import day_lines
from tandem.rules import Action

DAY, NEXT = Calendar().session(date(2023, 1, 25)), Calendar().session(date(2023, 1, 26))


def parts_of(facts, day=None):
    return sum((record.body.parts for record in facts.read(Attribution, session=day)), Parts())


def test_each_trade_has_its_parts_and_they_sum_to_what_the_report_says(store, traded, kept):
    facts = kept(traded)
    first, second = record_attribution(store, facts, DAY)
    assert first.parts == Parts(spread_move=Decimal(20), slippage=Decimal(4))
    assert second.parts == Parts(spread_move=Decimal(-30), slippage=Decimal(4))
    assert (first.direction, second.direction) == (1, -1)
    assert not first.is_open
    assert not second.is_open
    lines = day_lines(Chronicle.of(traded.store, traded.facts))
    assert parts_of(facts, DAY.day).net == lines[0].net
    assert parts_of(facts, DAY.day).gross == lines[0].gross


def test_again_it_changes_nothing(store, traded, kept):
    facts = kept(traded)
    before = record_attribution(store, facts, DAY)
    record_attribution(store, facts, NEXT)
    assert record_attribution(store, facts, DAY) == before
    assert len(facts.read(Attribution)) == 2


@pytest.fixture
def over_night(open_position):
    """Long 10 at 100/100, valued at 103/100; the day after 104/101, then left at 105/101."""
    made = open_position
    made.morning(NEXT.day, ["correlation"] * 3)
    made.decision("9:35", made.signal(-1.0, price_a=104.0, price_b=101.0), day=NEXT.day)
    made.decision("9:40", made.signal(-0.3, Action.EXIT, 105.0, 101.0), day=NEXT.day)
    made.trade("9:40", made.intent("exit", 1, -0.3), ("105", "101"), day=NEXT.day)
    return made


def test_a_trade_over_night_is_told_session_by_session_and_together_they_are_the_whole(store, over_night, kept, charge):
    facts = kept(over_night)
    charge(facts, NEXT.day, "BBB", "0.37")
    (left,) = record_attribution(store, facts, NEXT)
    (held,) = facts.read(Attribution, session=DAY.day)
    assert held.body.is_open
    assert (held.body.price_a, held.body.price_b, held.body.qty_b) == (103, 100, -10)
    assert held.body.parts == Parts(spread_move=Decimal(30), slippage=Decimal(2))
    assert left.opened_at == held.body.opened_at
    assert left.parts.gross == Decimal(20 - 10)  # 103 to 105 on leg a, 100 to 101 on the short leg b
    assert left.parts.hedge_drift == Decimal("0.3")  # 10.3 shares of b would have been the hedge at 103/100
    assert left.parts.borrow == Decimal("0.37")
    assert parts_of(facts).net == Decimal(50 - 10) - Decimal(4) - Decimal("0.37")


def test_each_session_of_a_trade_over_night_is_what_the_report_says_of_it(store, over_night, kept):
    facts = kept(over_night)
    record_attribution(store, facts, NEXT)
    for line in day_lines(Chronicle.of(over_night.store, over_night.facts)):
        parts = parts_of(facts, line.day)
        assert (parts.net, parts.gross, parts.costs) == (line.net, line.gross, line.costs)


def test_what_is_charged_for_another_symbol_or_to_another_world_is_nobodys(store, over_night, kept, charge):
    facts = kept(over_night)
    charge(facts, NEXT.day, "CCC", "5")
    record_attribution(store, facts, NEXT)
    assert parts_of(facts).borrow == 0


def test_a_session_that_goes_on_is_left_alone_and_told_as_it_stands(store, open_position, kept):
    facts = kept(open_position)
    attribute_over(store, facts)
    assert not facts.read(Attribution)
    (standing,) = attribute_session(facts, DAY.day)
    assert standing.is_open
    assert standing.parts.net == Decimal(28)


def test_a_session_is_over_when_a_later_one_began(store, over_night, kept):
    facts = kept(over_night)
    attribute_over(store, facts)
    assert {record.session for record in facts.read(Attribution)} == {DAY.day}


@pytest.mark.parametrize(("ended", "told"), [(True, 1), (False, 0)])
def test_a_session_is_over_after_its_last_decision_when_every_order_has_ended(store, diary, kept, ended, told):
    diary.morning(DAY.day)
    diary.decision("15:50", diary.signal(-2.5, Action.ENTER_LONG))
    diary.trade("15:50", diary.intent("enter", 1, -2.5), ("100", "100"))
    diary.decision("15:55", diary.signal(-0.3, Action.EXIT))
    diary.trade("15:55", diary.intent("exit", 1, -0.3), ("100", "100"))
    facts = kept(diary, ended=ended)
    attribute_over(store, facts)
    assert len(facts.read(Attribution)) == told


def test_a_leg_that_filled_alone_and_was_unwound_is_drift(store, diary, kept):
    diary.morning(DAY.day)
    diary.decision("9:35", diary.signal(-2.5, Action.ENTER_LONG))
    meant = diary.intent("enter", 1, -2.5)
    diary.note(meant, "9:35")
    diary.fill("9:35", "BBB", meant.side_b, "10", "100")
    diary.fill("9:39", "BBB", meant.side_a, "10", "101")
    facts = kept(diary)
    (found,) = record_attribution(store, facts, DAY)
    assert found.parts == Parts(hedge_drift=Decimal(-10), slippage=Decimal(2))
    assert not found.is_open


def test_a_world_without_a_trade_has_nothing_to_tell(store, diary, kept):
    diary.morning(DAY.day)
    diary.decision("9:35", diary.signal(-1.0))
    assert record_attribution(store, kept(diary), DAY) == []
