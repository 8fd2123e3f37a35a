"""How pairs were found, from refusals alone."""

import re

from tandem.operations.chronicle import Chronicle
from tandem.operations.mornings_section import GATES, mornings_section
from tandem.screening.gates import STEPS


def test_the_gates_are_the_screens_in_its_order():
    assert tuple(GATES) == STEPS


def test_each_morning_counts_down_to_the_selected(traded):
    section = mornings_section(Chronicle.of(traded.store, traded.facts), None)
    rows = re.findall(r"<tr>(.*?)</tr>", section)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    assert cells[0] == ["Morning", "Pairs", "correlation", "cointegration", "Selected"]
    assert cells[1] == ["Wed 25 Jan", "3", "2", "1", "<b>1</b>"]
    assert cells[2] == ["Thu 26 Jan", "3", "0", "0", "0"]
    assert cells[4][0] == "AAA/BBB"
    assert "selected" in cells[4][1]
    assert "correlation" in cells[4][2]
