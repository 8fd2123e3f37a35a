"""How pairs were found, from the funnels and the tables of pairs."""

import re

import pytest

from tandem.config import RuleSettings
from tandem.market import Refusal
from tandem.operations.report.mornings import GATES, mornings_section, refusals_section
from tandem.operations.report.pairs import passports_section
from tandem.operations.run.chronicle import Chronicle
from tandem.operations.run.summary import summary_of
from tandem.screening.gates import STEPS


def cells_of(section):
    rows = re.findall(r"<tr>(.*?)</tr>", section)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


@pytest.fixture
def section(traded):
    return mornings_section(Chronicle.of(traded.store, traded.facts), None)


def test_the_gates_are_the_screens_in_its_order():
    assert tuple(GATES) == STEPS


def test_each_morning_counts_down_to_the_selected(section):
    cells = cells_of(section)
    assert cells[0] == ["Morning", "Pairs", "correlation", "cointegration", "Selected"]
    assert cells[1] == ["Wed 25 Jan", "3", "2", "1", "<b>1</b>"]
    assert cells[2] == ["Thu 26 Jan", "3", "0", "0", "0"]
    assert cells[4][0] == "AAA/BBB"
    assert "selected" in cells[4][1]
    assert "correlation" in cells[4][2]


def test_the_funnel_is_drawn_and_says_what_is_luck(section):
    assert 'aria-label="3 pairs considered, 0 selected"' in section
    assert "1 of 3 tested pairs have p &lt; 0.05; luck alone gives about 0.1" in section


def test_pairs_that_came_and_went_are_told_with_the_reason(section):
    assert "new \u2192 active" in section
    assert "active \u2192 probation" in section
    assert "what the morning found" in section


def test_symbols_that_no_pair_may_use_are_told_with_the_reason(diary, traded):
    gone = ("CCC", Refusal("data quality", "an unadjusted split on 2023-01-20", "screening"))
    traded.morning(traded.day.replace(day=27), ["correlation", "data quality", "data quality"], refused=[gone])
    assert "an unadjusted split" in mornings_section(Chronicle.of(traded.store, traded.facts), None)


def test_refused_pairs_are_counted_by_the_funnel_with_examples_from_the_table(traded):
    chronicle = Chronicle.of(traded.store, traded.facts)
    cells = cells_of(refusals_section(chronicle, summary_of(chronicle)))
    assert cells[1][:3] == ["correlation", "screening", "4"]
    assert "correlation of prices 0.200 is below 0.8" in cells[1][3]


def test_a_gate_that_refused_nobody_of_late_has_an_example_from_before(traded):
    chronicle = Chronicle.of(traded.store, traded.facts)
    cells = cells_of(refusals_section(chronicle, summary_of(chronicle)))
    assert cells[2][0] == "cointegration"
    assert "engle_granger p 0.3000 is not below 0.05" in cells[2][3]


def test_a_session_is_told_by_the_configuration_that_it_was_traded_by(traded):
    traded.morning(traded.day, ["correlation"] * 3, version=2, traded=False)
    chronicle = Chronicle.of(traded.store, traded.facts)
    assert chronicle.configurations[traded.day].version == 1
    assert chronicle.funnels[traded.day].steps[-1].left == 1
    assert len(chronicle.passports) == 1


def test_a_day_without_a_session_is_told_by_its_newest_configuration(diary):
    diary.morning(diary.day, traded=False)
    diary.morning(diary.day, ["correlation"] * 3, version=2, traded=False)
    chronicle = Chronicle.of(diary.store, diary.facts)
    assert chronicle.configurations[diary.day].version == 2
    assert chronicle.passports == {}


def test_a_passport_has_a_picture_of_its_spread_and_its_standing(traded):
    section = passports_section(Chronicle.of(traded.store, traded.facts), RuleSettings())
    assert "spread of AAA/BBB over the window before 2023-01-25" in section
    assert "It is active: what the morning found." in section
