"""How long the bars of a file are: its times say it, and are held against what a person says."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from tandem.market import DataError, Timeframe

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

# So few times, or so few alike, prove nothing against what a person says.
DAYS: Final = 3
SPACINGS: Final = 20
SHARE: Final = 0.5
KNOWN: Final = {timeframe.length: timeframe for timeframe in Timeframe}
LENGTHS: Final = ", ".join(Timeframe)
DAILY: Final = "one row per symbol and day"
ASK: Final = f"Give --timeframe, one of {LENGTHS}"


@dataclass(frozen=True, slots=True)
class Spacing:
    """How the rows of each symbol follow one another.

    Attributes:
        days: with rows, of all symbols together.
        is_daily: no symbol has two times on one day, and they are midnights or there are some days of them.
        steps: how many rows follow another of their symbol and day.
        usual: the most common time between two such rows; zero where there are none.
        share: of the steps that are the usual one.
    """

    days: int
    is_daily: bool
    steps: int
    usual: timedelta
    share: float

    @classmethod
    def of(cls, symbols: "pd.Series[Any]", times: "pd.Series[Any]") -> Self:
        """The spacing of these rows; times are those of a clock on the wall."""
        import pandas as pd

        codes = pd.factorize(symbols)[0]
        wall = times.to_numpy("datetime64[us]")
        order = np.lexsort((wall, codes))
        codes, wall = codes[order], wall[order]
        days = wall.astype("datetime64[D]")
        steps = np.diff(wall)[(np.diff(codes) == 0) & (np.diff(days) == np.timedelta64(0)) & (np.diff(wall) != 0)]
        count, usual, share = len(np.unique(days)), timedelta(0), 0.0
        if steps.size:
            values, often = np.unique(steps, return_counts=True)
            usual, share = values[often.argmax()].item(), float(often.max() / steps.size)
        return cls(count, not steps.size and (_midnights(wall) or count >= DAYS), int(steps.size), usual, share)

    @property
    def proves(self) -> bool:
        """Whether there are enough steps, and enough of them alike."""
        return self.steps >= SPACINGS and self.share >= SHARE

    @property
    def words(self) -> str:
        """The usual step, in words."""
        minutes = self.usual / timedelta(minutes=1)
        return f"rows {minutes:g} {'minute' if minutes == 1 else 'minutes'} apart"


def taken(path: Path, spacing: Spacing) -> tuple[Timeframe, str]:
    """The length that a file's own times tell, and a sentence that says so.

    Raises:
        DataError: they tell none.
    """
    if not spacing.is_daily and not spacing.steps:
        raise DataError(f"{path} has too few rows to tell the length of its bars", ASK)
    if not spacing.is_daily and spacing.usual not in KNOWN:
        raise DataError(f"{path} has {spacing.words}, which is no length of bars here", ASK)
    timeframe = Timeframe.DAY_1 if spacing.is_daily else KNOWN[spacing.usual]
    return (
        timeframe,
        f"{DAILY if spacing.is_daily else spacing.words}: taken as {timeframe}; --timeframe says otherwise",
    )


def check(path: Path, spacing: Spacing, given: Timeframe) -> None:
    """Hold a length that somebody gave against the file.

    Raises:
        DataError: its bars cannot have that length.
    """
    daily = given is Timeframe.DAY_1
    if spacing.is_daily and not daily:
        raise _contradiction(path, DAILY, given, Timeframe.DAY_1)
    if daily and spacing.steps > spacing.days and spacing.proves:
        raise _contradiction(path, spacing.words, given, KNOWN.get(spacing.usual))
    other = spacing.usual in KNOWN or spacing.usual < given.length
    if not daily and spacing.proves and spacing.usual != given.length and other:
        raise _contradiction(path, spacing.words, given, KNOWN.get(spacing.usual))


def _contradiction(path: Path, what: str, given: Timeframe, other: Timeframe | None) -> DataError:
    mend = f"Leave --timeframe out, or give --timeframe {other}" if other else f"Give another of {LENGTHS}"
    return DataError(f"{path} has {what}, which are no {given} bars", mend)


def _midnights(wall: "NDArray[np.datetime64]") -> bool:
    return bool((wall == wall.astype("datetime64[D]")).all())
