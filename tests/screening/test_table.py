"""The table of a morning's pairs: what it says of each, and its way through the store."""

import numpy as np
import pytest

from tandem.config import ScreenSettings
from tandem.market import Pair
from tandem.screening import PairTable, identify
from tandem.screening import table as storing
from tandem.screening.gates import SELECTED, STEPS


@pytest.fixture(scope="module")
def table(market, panel, day, settings, sectors):
    return identify(panel(market), day, settings, sectors).table


def test_a_row_is_a_pair_in_the_order_of_the_names(table):
    pairs = [table.pair(row) for row in range(len(table))]
    assert pairs == sorted(pairs)
    assert all(pair.a < pair.b for pair in pairs)
    assert pairs[0] == Pair("SIMA", "SIMB")


def test_every_refused_pair_says_why_and_a_selected_one_does_not(table):
    for row in range(len(table)):
        refusal = table.why(row)
        assert (refusal is None) == (table.gate[row] == SELECTED)
        if refusal:
            assert refusal.reason == STEPS[table.gate[row]]
            assert "nan" not in refusal.why


def test_a_table_survives_its_bytes(table):
    again = PairTable.from_bytes(table.to_bytes())
    assert again == table
    assert [again.why(row) for row in range(len(again))] == [table.why(row) for row in range(len(table))]
    assert again.examined.score == pytest.approx(table.examined.score, nan_ok=True)
    assert again.settings == table.settings


def test_tables_of_other_figures_are_not_equal(table, market, panel, day, sectors, settings):
    strict = settings.model_copy(update={"screen": ScreenSettings(min_correlation=0.99)})
    assert identify(panel(market), day, strict, sectors).table != table


def test_figures_of_pairs_that_were_not_measured_are_absent(table):
    assert len(table.examined) == np.sum(table.gate >= STEPS.index("half-life"))
    assert np.isfinite(table.pvalue[table.tested]).all()
    assert np.isfinite(table.q_bh[table.tested]).all()


def test_the_counts_add_up(table):
    assert table.left()[-1] == table.selected.size
    assert table.left()[2] == table.tested.sum()


def test_a_table_of_many_pieces_and_one_without_pairs_survive_too(table, market, panel, day, settings, monkeypatch):
    nothing = identify(panel(market), day, settings, {}).table
    assert PairTable.from_bytes(nothing.to_bytes()) == nothing
    monkeypatch.setattr(storing, "ROWS", 4)
    again = PairTable.from_bytes(table.to_bytes())
    assert np.array_equal(again.examined.row, table.examined.row)
    assert np.array_equal(again.pvalue, table.pvalue, equal_nan=True)
