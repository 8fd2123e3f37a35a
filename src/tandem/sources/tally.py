"""What became of several loads."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tandem.store import Loaded


def together(loads: Iterable["Loaded"]) -> "Loaded":
    """The loads as one."""
    from tandem.store import Loaded

    every = list(loads)
    return Loaded(
        added=sum(one.added for one in every),
        skipped=sum(one.skipped for one in every),
        quarantined=sum(one.quarantined for one in every),
        revised=sum(one.revised for one in every),
        other=sum(one.other for one in every),
    )
