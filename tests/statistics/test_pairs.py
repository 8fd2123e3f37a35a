"""Pairs of a price matrix: which there are, and why some have no answer, whatever the matrix holds."""

from dataclasses import fields

import numpy as np
import pytest

from tandem.statistics import (
    RefusedPairs,
    Unfit,
    all_pairs,
    correlations,
    fit_garch,
    measure_spreads,
    screen_cointegration,
    screen_johansen,
)

GENERATOR = np.random.default_rng(0)
NONSENSE = {
    "no symbols": np.zeros((0, 40)),
    "one symbol": np.zeros((1, 40)),
    "no bars": np.zeros((3, 0)),
    "one bar": np.zeros((3, 1)),
    "nothing but gaps": np.full((3, 50), np.nan),
    "infinite prices": np.full((3, 50), np.inf),
    "prices of zero": np.full((3, 50), -np.inf),
    "constant prices": np.ones((3, 50)),
    "one line": np.tile([1.0, 2.0], (3, 25)),
    "parabolas": np.arange(150.0).reshape(3, 50) ** 2,
    "tiny": GENERATOR.standard_normal((3, 50)) * 1e-300,
    "huge": GENERATOR.standard_normal((3, 50)) * 1e150,
    "half of it missing": np.where(GENERATOR.random((3, 60)) < 0.5, np.nan, GENERATOR.standard_normal((3, 60))),
    "two prices": np.log(GENERATOR.integers(1, 3, (3, 40)).astype(float)),
    "a jump at the end": np.vstack([np.append(np.zeros(39), 1), GENERATOR.standard_normal((2, 40))]),
}


def test_every_pair_is_there_once_in_order():
    assert all_pairs(4).tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    assert all_pairs(1).shape == all_pairs(0).shape == (0, 2)


def test_a_refusal_says_why_with_the_bars():
    refused = RefusedPairs.of(all_pairs(3), np.array([0, Unfit.TOO_FEW_BARS, 0]), np.array([50, 7, 50]))
    assert (len(refused), refused.row.tolist()) == (1, [1])
    assert (refused.first[0], refused.second[0]) == (0, 2)
    assert refused.refusal(0).reason == "too few common bars"
    assert refused.refusal(0).why.startswith("7 common bars")


@pytest.mark.parametrize("code", [code for code in Unfit if code])
def test_every_code_has_words(code):
    assert RefusedPairs.of(all_pairs(2), np.array([code]), np.array([50])).refusal(0).why


@pytest.mark.parametrize("prices", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_gives_numbers_or_refusals_and_never_a_warning(prices):
    before, pairs = prices.copy(), len(all_pairs(len(prices)))
    found = correlations(prices)
    assert np.isfinite(found.prices).all()
    assert np.isfinite(found.returns).all()
    for table in (screen_johansen(prices), *(measure_spreads(prices, hedge=by) for by in ("ols", "tls", "kalman"))):
        assert len(table) + len(table.refused) == pairs
        columns = (getattr(table, field.name) for field in fields(table) if field.name != "refused")
        assert not any(np.isnan(column).any() for column in columns)
    np.testing.assert_array_equal(prices, before)


@pytest.mark.parametrize("test", [screen_cointegration, screen_johansen, correlations, measure_spreads])
def test_a_matrix_on_its_side_is_noticed_where_it_can_be_nothing_else(test):
    with pytest.raises(ValueError, match=r"\(symbols, bars\), got 250 x 4: transpose"):
        test(np.zeros((250, 4)))
    assert test(np.zeros((250, 4)), [[0, 1]]) is not None
    assert test(np.zeros((4, 250))) is not None


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([["CTSH", "NVDA"]], "whole numbers from 0 on, got .*'CTSH'"),
        ([[0.5, 1.7]], "whole numbers from 0 on, got .*0.5"),
        ([[True, False]], "whole numbers from 0 on, got .*True"),
        ([[0, np.nan]], "whole numbers from 0 on"),
        ([0, 1], r"the shape \(pairs, 2\), got \(2,\)"),
        ([[0, 1, 2]], r"the shape \(pairs, 2\), got \(1, 3\)"),
        ([[0, 4]], "rows 0 to 4 of 3 symbols"),
    ],
)
def test_pairs_that_name_no_rows_are_said(pairs, said):
    with pytest.raises(ValueError, match=said):
        screen_cointegration(np.zeros((3, 40)), pairs)


def test_no_pairs_have_no_rows():
    assert len(screen_cointegration(np.zeros((3, 40)), [])) == 0


def test_refused_pairs_show_their_reasons():
    refused = RefusedPairs.of(all_pairs(3), np.array([Unfit.CONSTANT, Unfit.TOO_FEW_BARS, Unfit.CONSTANT]), np.ones(3))
    assert refused.reasons() == {"constant price": 2, "too few common bars": 1}
    assert repr(refused) == "RefusedPairs(2 constant price, 1 too few common bars)"
    assert repr(RefusedPairs.of(all_pairs(2), np.array([0]), np.array([50]))) == "RefusedPairs(none)"


@pytest.mark.parametrize("screen", [screen_cointegration, fit_garch])
def test_complex_numbers_are_refused(screen):
    with pytest.raises(ValueError, match="real numbers"):
        screen(np.ones((3, 50)) * 1j)
