from datetime import date
from decimal import Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tandem.market import Pair
from tandem.risk import close_out
from tandem.rules import Action
from tandem.signals import Signal

PAIR = Pair("AAPL", "NVDA")
DAY = date(2023, 1, 24)
SIGNAL = Signal(PAIR, Action.EXIT, "target", 0.3, 0.003, 0.6, 0.5, 0.0, 1e-6, 0.01, -3.0, "baseline", 140.0, 190.0)
HELD = st.decimals(-500, 500, places=3)


@settings(deadline=None)
@given(qty_a=HELD, qty_b=HELD, direction=st.sampled_from([-1, 1]))
def test_closing_brings_what_is_held_to_nothing(qty_a: Decimal, qty_b: Decimal, direction: int) -> None:
    assume(qty_a or qty_b)
    intent = close_out(PAIR, direction, (qty_a, qty_b), SIGNAL, "target", False, DAY)
    assert qty_a + intent.side_a.sign * intent.qty_a == 0
    assert qty_b + intent.side_b.sign * intent.qty_b == 0
    assert min(intent.qty_a, intent.qty_b) >= 0
    assert (intent.purpose, intent.direction, intent.passport) == ("exit", direction, DAY)
    assert intent.gross == abs(qty_a) * 140 + abs(qty_b) * 190


def test_a_stop_is_marked_so_that_the_pair_rests() -> None:
    assert close_out(PAIR, 1, (Decimal(1), Decimal(-1)), SIGNAL, "stop", True, DAY).stopped
