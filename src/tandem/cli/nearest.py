"""Names as a person types them."""

from collections.abc import Sequence
from difflib import get_close_matches

from tandem.market import DataError


def nearest(asked: str, known: Sequence[str], what: str) -> str:
    """The known name that is meant, whatever its case.

    Raises:
        DataError: there is none: `what`, and the one that was probably meant.
    """
    by_case = {each.casefold(): each for each in known}
    if asked.casefold() in by_case:
        return by_case[asked.casefold()]
    near = get_close_matches(asked.casefold(), by_case, 1, 0.5)
    mend = f"Did you mean {by_case[near[0]]}?" if near else f"There are: {', '.join(known) or 'none yet'}"
    raise DataError(what, mend)
