"""The whole screen on the daily bars of the S&P names."""

import numpy as np
import pytest

from tandem.config import Settings
from tandem.market import Calendar, Pair
from tandem.screening import LocalEngine, identify


@pytest.fixture(scope="module")
def screened(daily, real_sectors):
    panel = daily(504)
    session = Calendar().after(panel.starts[-1].item().date())
    asked = {"model": {"timeframe": "1Day"}, "sectors": {"active": sorted(set(real_sectors.values()))}}

    def screen(threads=None, **changes):
        settings = Settings.model_validate({**asked, "screen": changes})
        return identify(panel, session, settings, real_sectors, engine=LocalEngine(threads))

    return screen


@pytest.fixture(scope="module")
def screen(screened):
    return screened()


def test_every_sector_is_screened_and_every_pair_ends_once(screen):
    table = screen.table
    assert len(table) > 8000
    assert len({passport.sector for passport in screen.passports}) > 5
    assert len(screen.refusals) + len(screen.passports) == len(table)
    assert [one.symbol for one in screen.symbols_refused] == ["LNT", "NWL"]


def test_share_classes_among_real_names_are_refused(screen):
    why = {one.pair: one.refusal.why for one in screen.refusals if one.refusal.reason == "same source"}
    assert why[Pair("GOOG", "GOOGL")] == "GOOG and GOOGL are shares of one company"
    assert all("one company" in sentence for sentence in why.values())


def test_passports_are_ranked_by_score_then_by_name(screen):
    order = [(-passport.score.total, passport.pair) for passport in screen.passports]
    assert order == sorted(order)
    assert [passport.rank for passport in screen.passports] == list(range(1, len(order) + 1))
    assert min(passport.score.total for passport in screen.passports) > 0.7


def test_a_spread_has_the_figures_of_its_passport(screen):
    for passport in screen.passports[:20]:
        spread = passport.formation_spread
        assert (spread.mean(), spread.std(ddof=1)) == pytest.approx((passport.mean, passport.deviation), abs=1e-9)
        assert passport.phi == pytest.approx(np.polyfit(spread[:-1], spread[1:], 1)[0], abs=1e-9)
        assert passport.garch.converged
        assert passport.garch.persistence < 1


def test_the_number_of_threads_changes_no_bit(screen, screened):
    assert screened(threads=1) == screen


def test_luck_explains_most_of_what_passes(screen):
    funnel = screen.funnel
    assert funnel.expected_by_chance == pytest.approx(0.05 * funnel.tested)
    assert funnel.simulated_null.passing < funnel.expected_by_chance
    assert funnel.passing < 2 * funnel.expected_by_chance


def test_a_limit_on_false_discoveries_leaves_fewer_than_the_gates_alone(screen, screened):
    strict = screened(max_fdr=0.2)
    assert len(strict.passports) < len(screen.passports)
    assert all(passport.q_bh <= 0.2 for passport in strict.passports)
