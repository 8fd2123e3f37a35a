from decimal import Decimal

import pytest

from tandem.config import RiskSettings
from tandem.risk import Equity, Standing, breached, too_many_orders

RISK = RiskSettings(max_daily_loss_share=0.02, max_drawdown_share=0.1, max_orders_per_minute=6)


def equity(now: str, at_open: str = "100000", peak: str = "100000") -> Equity:
    return Equity(Decimal(now), Decimal(at_open), Decimal(peak))


@pytest.mark.parametrize(("now", "halts"), [("98000.01", False), ("98000", True), ("97000", True), ("103000", False)])
def test_losing_the_daily_share_halts(now: str, halts: bool) -> None:
    switch = breached(equity(now), RISK)
    assert (switch is not None) is halts
    if switch:
        assert (switch.standing, switch.by) == (Standing.HALTED, "risk")
        assert "today" in switch.why


@pytest.mark.parametrize(("now", "halts"), [("108000.01", False), ("108000", True)])
def test_a_drawdown_from_the_best_mark_halts(now: str, halts: bool) -> None:
    switch = breached(equity(now, at_open="109000", peak="120000"), RISK)
    assert (switch is not None) is halts
    if switch:
        assert "drawdown" in switch.why


@pytest.mark.parametrize(("sent", "refused"), [(0, False), (4, False), (5, True), (6, True)])
def test_an_entry_whose_two_orders_pass_the_limit_of_a_minute_is_refused(sent: int, refused: bool) -> None:
    refusal = too_many_orders(sent, RISK)
    assert (refusal is not None) is refused
    if refusal:
        assert (refusal.reason, refusal.by) == ("order rate", "risk")
