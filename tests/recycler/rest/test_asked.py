"""Numbers as clients write them, and as they are told."""

from decimal import Decimal

import pytest

from tandem.matching import Rejected, malformed
from tandem.recycler.rest.answer import text
from tandem.recycler.rest.asked import Asked


@pytest.mark.parametrize("said", ["10", "+10", "10.", "1e1", "1.0E+1", 10, Decimal("10.0")])
def test_numbers_are_read_as_they_are_written(said: object) -> None:
    assert Asked({"qty": said}, malformed).decimal("qty") == 10


def test_a_number_may_begin_with_its_point() -> None:
    assert Asked({"qty": ".5"}, malformed).decimal("qty") == Decimal("0.5")


@pytest.mark.parametrize(
    "said", ["1_0", " 1 ", "1 ", "\u0661", "\uff11", "NaN", "sNaN", "Infinity", "1e", ".", "1e99999", "0x10", "1,5"]
)
def test_what_only_resembles_a_number_is_refused(said: str) -> None:
    with pytest.raises(Rejected):
        Asked({"qty": said}, malformed).decimal("qty")


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (Decimal("97.7692307692307692307692308"), "97.769230769"),
        (Decimal("99997.3757901854868"), "99997.375790185"),
        (Decimal("-0.0000000001"), "0"),
        (Decimal("1E+12"), "1000000000000"),
        (Decimal("12345678901234567890123.5"), "12345678901234567890123.5"),
        (Decimal("100.10"), "100.1"),
    ],
)
def test_numbers_are_told_with_nine_decimals_at_most(number: Decimal, told: str) -> None:
    assert text(number) == told
