"""Stored bars as the desk reads them, never later than a moment."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING

from tandem.config import Settings
from tandem.market import NEW_YORK, Bar, Calendar, DataError, Session, Timeframe, World
from tandem.store import Panel, Store

if TYPE_CHECKING:
    import pandas as pd


def bars_in(frame: "pd.DataFrame") -> Iterator[Bar]:
    """The rows of a frame of 1-minute bars, by start and symbol."""
    ordered = frame.sort_values(["start", "symbol"])
    starts = [start.to_pydatetime() for start in ordered["start"]]
    figures = (ordered[name].tolist() for name in ("open", "high", "low", "close", "volume"))
    yield from map(Bar, ordered["symbol"], starts, *figures)


def minutes(store: Store, symbols: Sequence[str], first: datetime, last: datetime) -> list[Bar]:
    """Stored 1-minute bars that start at `first` or later and are over by `last`: those a desk saw, where there are."""
    return list(bars_in(store.bars.read(symbols, Timeframe.MIN_1, first=first, last=last, prefer="seen")))


def formation(store: Store, symbols: Sequence[str], session: Session, settings: Settings) -> Panel:
    """Bars of the model's timeframe over the formation window: the sessions before, known at 6:00.

    Raises:
        DataError: there are none, or the newest are not of the session before.
    """
    timeframe, days = settings.model.timeframe, settings.screen.formation_days
    first = _oldest(session, timeframe, days)
    panel = store.bars.panel(symbols, timeframe, first=first, last=_midnight(session), prefer="adjusted")
    newest = panel.starts[-1].item().replace(tzinfo=UTC).astimezone(NEW_YORK).date() if panel.starts.size else None
    last = Calendar().before(session.day, 1)[0].day
    if newest is None or newest < last:
        held = f"the newest {timeframe} bars are of {newest}" if newest else f"no {timeframe} bars in {days} sessions"
        raise DataError(
            f"{held}, {session.day} needs those of {last}", "Load them; `tandem data list` says what is there"
        )
    return panel


def training(store: Store, symbols: Sequence[str], session: Session, settings: Settings) -> "pd.DataFrame":
    """Bars to train on: the formation window, or further back where `min_data_points` asks for more."""
    return _before(store, symbols, session, settings.model.timeframe, sessions_needed(settings))


def sessions_needed(settings: Settings) -> int:
    """How many sessions before a trading day its screen and its trainings look back on."""
    needed = ceil(settings.model.min_data_points / settings.model.timeframe.per_session)
    return max(needed, settings.screen.formation_days)


def _before(store: Store, symbols: Sequence[str], session: Session, timeframe: Timeframe, days: int) -> "pd.DataFrame":
    first = _oldest(session, timeframe, days)
    return store.bars.read(symbols, timeframe, first=first, last=_midnight(session), prefer="adjusted")


def _midnight(session: Session) -> datetime:
    # A bar of one symbol before that morning's open would make the others look as if they had ended.
    return Timeframe.DAY_1.start_of(session.open)


def _oldest(session: Session, timeframe: Timeframe, days: int) -> datetime:
    try:
        oldest = Calendar().before(session.day, days)[0]
    except DataError as error:
        raise DataError(
            f"the exchange calendar does not go back {days} sessions before {session.day}", "Give fewer formation days"
        ) from error
    return min(oldest.open, timeframe.start_of(oldest.open))


def seen(store: Store, world: World, symbols: Sequence[str], first: datetime, last: datetime) -> "pd.DataFrame":
    """1-minute bars as the desk of a world saw them: its own where it kept any, else the stored ones."""
    own = store.bars.read(symbols, Timeframe.MIN_1, first=first, last=last, world=world)
    return own if len(own) else store.bars.read(symbols, Timeframe.MIN_1, first=first, last=last, prefer="seen")
