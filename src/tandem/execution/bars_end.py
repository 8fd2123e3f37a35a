"""A replay that has no more bars."""

from datetime import datetime

from tandem.market import NEW_YORK, DataError


def bars_end(now: datetime, moment: datetime) -> DataError:
    """What is raised where a clock stands at the end of its bars, and a later moment is waited for."""
    end, wanted = (f"{each.astimezone(NEW_YORK):%Y-%m-%d %H:%M}" for each in (now, moment))
    return DataError(f"the bars end at {end}, before {wanted}, New York time")
