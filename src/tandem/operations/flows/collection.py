"""Bringing the store's bars up to the evening before."""

from tandem.desk import sessions_needed
from tandem.market import Calendar
from tandem.operations.flows.work import Work


def collect(work: Work) -> str:
    """Ask Alpaca for the bars of the active sectors' symbols that the store lacks; what was done, in words.

    A symbol that Alpaca does not know is named, and the others are loaded. A recycler's bars are stored already.

    Raises:
        ConfigError: there are no keys, or they are refused.
        DataError: Alpaca does not answer.
    """
    from tandem.sources import alpaca

    settings, store, session = work.settings, work.store, work.session
    if settings.websocket.mode == "recycler":
        return "the stored bars are those that the recycler plays"
    settings.alpaca.keys()
    symbols = sorted({symbol for sector in settings.sectors.active for symbol in store.sectors.symbols(sector)})
    before = Calendar().before(session.day, sessions_needed(settings))
    unknown: list[str] = []
    loaded = alpaca.load(
        store,
        symbols,
        settings.model.timeframe,
        first=before[0].day,
        last=before[-1].day,
        now=session.morning,
        account=settings.alpaca,
        unknown=unknown.append,
    )
    strangers = f"; Alpaca does not know {', '.join(unknown)}. {alpaca.RENAMED}" if unknown else ""
    return f"{loaded.added:,} bars of {len(symbols) - len(unknown):,} symbols added{strangers}"
