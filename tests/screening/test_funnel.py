"""What a screen says of luck."""

from dataclasses import replace
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from tandem.screening import Funnel, Step, funnel, identify
from tandem.statistics import SimulatedMarkets, SimulatedNull

FUNNEL = Funnel(
    steps=(Step("pairs", 1711), Step("score", 18)),
    tested=1711,
    passing=62,
    expected_by_chance=85.55,
    simulated_null=SimulatedNull(33.0, 1.7, 20_000),
    simulated_markets=SimulatedMarkets(38.4, 18.0, 70.0, 233, 0.4),
    selected_by_luck=11.1,
)


def test_a_count_stands_beside_the_range_that_luck_has():
    assert FUNNEL.chance == (
        "62 of 1,711 tested pairs have p < 0.05; luck alone gives 18 to 70 in a market of this size (mean 38). "
        "So many pass by luck: the test by itself says nothing here, and the later gates have to."
    )
    assert replace(FUNNEL, passing=71).chance.endswith("(mean 38). Nineteen markets in twenty have fewer by luck.")
    few = replace(FUNNEL, tested=6, passing=0, simulated_markets=SimulatedMarkets(0.12, 0, 1, 2000, 0.1))
    assert few.chance == (
        "0 of 6 tested pairs have p < 0.05; luck alone gives 0 to 1 in a market of this size (mean 0.1). "
        "None passes, not even by luck."
    )
    assert replace(FUNNEL, tested=0).chance == ""


@pytest.mark.parametrize(
    ("selected", "lucky", "said"),
    [
        (18, 11.1, "Of the 18 selected pairs expect about 11 to be luck."),
        (18, 0.72, "Of the 18 selected pairs expect about 0.7 to be luck."),
        (18, 18.0, "All 18 selected pairs may be luck."),
        (1, 0.6, "The selected pair is luck with a chance of about 60%."),
        (0, 0.0, ""),
        (18, None, ""),
    ],
)
def test_the_lucky_among_the_selected_are_told(selected, lucky, said):
    assert replace(FUNNEL, steps=(Step("score", selected),), selected_by_luck=lucky).luck == said


def test_a_funnel_of_an_older_record_is_read():
    new = {"level", "simulated_markets", "selected_by_luck"}
    old = {name: value for name, value in msgspec.to_builtins(FUNNEL).items() if name not in new}
    read = msgspec.convert(old, Funnel)
    assert read.chance == "62 of 1,711 tested pairs have p < 0.05; luck alone gives about 33."
    assert read.luck == ""
    assert msgspec.json.decode(msgspec.json.encode(FUNNEL), type=Funnel) == FUNNEL


def test_a_screen_knows_the_range_of_its_market_and_its_lucky_pairs(market, panel, day, settings, sectors):
    screen = identify(panel(market), day, settings, sectors)
    markets = screen.funnel.simulated_markets
    assert (markets.low, markets.high, markets.markets) == (0, 1, 2000)
    table = screen.table
    assert markets.correlation == max(np.median(table.correlation_returns[table.tested]), 0)
    q = table.q_bh[table.selected].max()
    assert screen.funnel.selected_by_luck == min(markets.mean / screen.funnel.passing, q)
    assert screen.funnel.level == settings.screen.max_pvalue


@pytest.mark.parametrize(
    ("q", "by_luck", "passing", "lucky"),
    [
        ([0.99, 0.98], 40.0, 50, 1.6),
        ([0.99, 0.98], 60.0, 50, 1.98),
        ([0.9, 0.05, 0.02, 0.9], 40.0, 50, 0.1 + 1.6),
        ([0.05, 0.02], 40.0, 50, 0.1),
        ([], 40.0, 50, 0.0),
    ],
)
def test_the_best_are_luck_by_their_q_values_and_the_rest_as_all_that_passed(q, by_luck, passing, lucky):
    table = SimpleNamespace(selected=np.arange(len(q)), q_bh=np.array(q))
    assert funnel._selected_by_luck(table, by_luck, passing) == pytest.approx(lucky)
