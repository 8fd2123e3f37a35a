"""The name that a person meant."""

import pytest

from tandem.cli.nearest import nearest
from tandem.market import DataError


@pytest.mark.parametrize("asked", ["v2_wide", "V2_Wide"])
def test_a_known_name_is_meant_whatever_its_case(asked):
    assert nearest(asked, ["v1", "V2_wide"], "unused") == "V2_wide"


@pytest.mark.parametrize(
    ("asked", "known", "mend"),
    [
        ("tecnology", ["energy", "technology"], "Did you mean technology?"),
        ("TECNOLOGY", ["energy", "Technology"], "Did you mean Technology?"),
        ("zz", ["energy", "technology"], "There are: energy, technology"),
        ("zz", [], "There are: none yet"),
    ],
)
def test_a_name_that_nobody_has_is_told_with_what_was_probably_meant(asked, known, mend):
    with pytest.raises(DataError) as told:
        nearest(asked, known, f"there is no {asked}")
    assert (told.value.what, told.value.mend) == (f"there is no {asked}", mend)
