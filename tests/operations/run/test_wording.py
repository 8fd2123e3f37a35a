"""Figures as people read them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tandem.operations.run.wording import counted, dollars, listed, moment_text, paid, period


@pytest.mark.parametrize(
    ("value", "text"),
    [("1234.565", "+$1,234.56"), ("-0.5", "\u2212$0.50"), ("0", "$0.00"), ("-0.001", "$0.00"), ("0.004", "$0.00")],
)
def test_dollars_show_gains_and_losses_to_the_cent(value, text):
    assert dollars(Decimal(value)) == text


def test_times_are_new_york_times():
    assert moment_text(datetime(2023, 1, 25, 14, 35, tzinfo=UTC)) == "Wed 25 Jan 09:35"


@pytest.mark.parametrize(
    ("days", "text"),
    [
        ([], "no session"),
        ([date(2023, 1, 25)], "Wed 25 Jan 2023"),
        ([date(2023, 1, 25), date(2023, 1, 30)], "Wed 25 to Mon 30 Jan 2023"),
        ([date(2022, 12, 30), date(2023, 1, 3)], "Fri 30 Dec 2022 to Tue 3 Jan 2023"),
        ([date(2023, 1, 30), date(2023, 2, 1)], "Mon 30 Jan to Wed 1 Feb 2023"),
    ],
)
def test_a_period_names_its_ends_once(days, text):
    assert period(days) == text


def test_one_is_singular():
    assert (counted(1, "entry", "entries"), counted(2, "entry", "entries")) == ("1 entry", "2 entries")


@pytest.mark.parametrize(("parts", "text"), [([], ""), (["a"], "a"), (["a", "b", "c"], "a, b and c")])
def test_a_list_reads_as_a_sentence(parts, text):
    assert listed(parts) == text


def test_costs_are_what_lies_between_the_gross_and_the_net_beside_them():
    gross, net = Decimal("274.717186"), Decimal("256.904449")
    assert (dollars(gross), paid(gross, net), dollars(net)) == ("+$274.72", "$17.82", "+$256.90")
    assert dollars(gross - net, signed=False) == "$17.81"
