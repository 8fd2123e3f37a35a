"""Whose bars each symbol plays."""

from collections.abc import Mapping, Sequence
from itertools import chain

from tandem.market import RecyclerError, Timeframe
from tandem.recycler.options import Options
from tandem.recycler.reel.shelf import Shelf, range_of
from tandem.store import Track

Roles = dict[str, tuple[str, ...]]


def cast(options: Options, shelf: Shelf) -> tuple[tuple[Track, ...], Roles]:
    """The tracks that are played, and the symbols that play each.

    A symbol plays its own bars where it has some, else its proxy's, else, where any may do, those of the first
    symbol that has some.

    Raises:
        RecyclerError: a symbol without bars, or with none but simulated ones.
    """
    names = sorted({*options.symbols, *options.proxies.values()})
    chosen = shelf.choose(names, options.timeframe, *range_of(options))
    roles = _roles(options, chosen)
    _refuse_missing(options, shelf, roles)
    return tuple(track for symbol, track in sorted(chosen.items()) if symbol in roles), roles


def _roles(options: Options, chosen: Mapping[str, Track]) -> Roles:
    """Symbol that has bars to the symbols that play them."""
    first = next((symbol for symbol in options.symbols if symbol in chosen), None) if options.any_proxy else None
    found: dict[str, tuple[str, ...]] = {}
    for symbol in sorted(options.symbols):
        whose = next((one for one in (symbol, options.proxies.get(symbol), first) if one in chosen), None)
        if whose is not None:
            found[whose] = (*found.get(whose, ()), symbol)
    return found


def _refuse_missing(options: Options, shelf: Shelf, roles: Mapping[str, Sequence[str]]) -> None:
    missing = sorted(set(options.symbols) - set(chain.from_iterable(roles.values())))
    doubtful = sorted(set(options.symbols) - set(roles) - set(options.proxies))
    refused = shelf.simulated(doubtful, options.timeframe) if doubtful and not shelf.allow_simulated else []
    if refused:
        raise RecyclerError(
            f"{', '.join(refused)}: there are simulated bars only, and they are not played",
            "Load real ones with `tandem data load`, or allow them: websocket.recycler.allow_simulated.",
        )
    if missing:
        raise RecyclerError(
            f"no {_length(options.timeframe)} bars of {', '.join(missing)} {_dates(options)}",
            "`tandem data list` shows what is there, `tandem data load` brings more.",
        )


def _length(timeframe: Timeframe) -> str:
    return "1-minute" if timeframe is Timeframe.MIN_1 else str(timeframe)


def _dates(options: Options) -> str:
    first = options.start or ("the first day stored" if options.end else "the first")
    return f"from {first} to {options.end or 'the last day stored'}"
