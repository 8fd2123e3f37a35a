"""The summary on a terminal."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tandem.market import World, WorldKind
from tandem.operations import print_summary, summarise


@pytest.fixture
def printed():
    def run(diary, width=100, **more):
        console = Console(width=width, file=StringIO(), highlight=False)
        print_summary(summarise(diary.store, diary.facts), console, **more)
        return console.file.getvalue()

    return run


@pytest.mark.parametrize("width", [80, 100, 160])
def test_nothing_is_cut_off_and_every_line_fits(traded, printed, width):
    text = printed(traded, width)
    assert max(map(len, text.splitlines())) <= min(width, 100)
    assert "\u2026" not in text


def test_a_loss_is_said_plainly(traded, printed):
    assert "It lost $18.00 after costs" in printed(traded)


def test_the_loss_of_a_shadow_book_is_nobodys(traded, printed):
    traded.facts.world = World(WorldKind.SHADOW, 8)
    said = " ".join(printed(traded).split())
    assert "This is a shadow book: its orders were meant and not sent. It would have lost $18.00 after costs" in said
    assert "It lost" not in said


def test_nothing_traded_is_said_plainly(diary, printed):
    assert "Nothing was traded" in printed(diary)


def test_an_open_position_is_said_plainly(open_position, printed):
    assert "Still open: AAA/BBB, long the spread since Wed 25 Jan 09:35, +$28.00" in printed(open_position)


def test_every_reason_and_day_is_there(traded, printed):
    text = printed(traded)
    for word in (
        "correlation 4",
        "cointegration 1",
        "no pair passed every gate",
        "baseline",
        "Always 1",
        "not compared",
    ):
        assert word in text


def test_what_next_finds_the_store_of_the_run(traded, printed):
    assert "TANDEM_HOME=elsewhere tandem report" in printed(traded, home=Path("elsewhere"))
    assert "TANDEM_HOME" not in printed(traded)
