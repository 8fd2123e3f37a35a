"""`tandem history`: pairs, models, signals and attribution over time, and any two of them side by side."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO, TypeVar

from cyclopts import App, Parameter

from tandem.cli.nearest import nearest
from tandem.cli.opening import open_store
from tandem.cli.report import chosen_world
from tandem.market import DataError, World

if TYPE_CHECKING:
    from tandem.operations import Answer, Comparison
    from tandem.store import Asked, Store

T = TypeVar("T")
app = App(name="history", help="Pairs, models, signals and attribution over time, side by side.")
compare = App(name="compare", help="Two periods, pairs or models side by side.")
app.command(compare)

Since = Annotated[date | None, Parameter(help="First trading date, as 2026-04-14.")]
Until = Annotated[date | None, Parameter(help="Last trading date.")]
PairName = Annotated[str, Parameter(show_default=False, help="Only this pair, as AAPL/NVDA.")]
SectorName = Annotated[
    str, Parameter(show_default=False, help="Only this sector; of a pair, that of its first symbol.")
]
WorldName = Annotated[
    str, Parameter(show_default=False, help="Which account and timeline, as paper-3; else the newest that traded.")
]
Csv = Annotated[bool, Parameter(negative=(), show_default=False, help="Print every row for a spreadsheet.")]
Json = Annotated[bool, Parameter(negative=(), show_default=False, help="Print JSON.")]
Html = Annotated[Path | None, Parameter(help="Write a page with pictures here.")]


@app.command
def pairs(
    *, since: Since = None, until: Until = None, pair: PairName = "", sector: SectorName = "", world: WorldName = "",
    csv: Csv = False, json: Json = False, html: Html = None,
) -> None:  # fmt: skip
    """Rank pairs by net P&L, with gross, costs, execution and trend; one pair session by session."""
    from tandem.operations import pair_history

    with _opened(world) as desk:
        _give(
            pair_history(desk.store, desk.world, desk.asked(since, until, pair, sector)), csv=csv, json=json, html=html
        )


@app.command
def models(
    *, since: Since = None, until: Until = None, sector: SectorName = "", world: WorldName = "",
    csv: Csv = False, json: Json = False, html: Html = None,
) -> None:  # fmt: skip
    """Rank recipes by the skill of their refits, and by what their forecasts came to, with trend."""
    from tandem.operations import model_history

    with _opened(world) as desk:
        _give(
            model_history(desk.store, desk.world, desk.asked(since, until, "", sector)), csv=csv, json=json, html=html
        )


@app.command
def signals(
    *, since: Since = None, until: Until = None, pair: PairName = "", sector: SectorName = "", world: WorldName = "",
    csv: Csv = False, json: Json = False, html: Html = None,
) -> None:  # fmt: skip
    """Show every signal and refusal with z, probability, confidence, action and reason."""
    from tandem.operations import signal_history

    with _opened(world) as desk:
        _give(
            signal_history(desk.store, desk.world, desk.asked(since, until, pair, sector)),
            csv=csv,
            json=json,
            html=html,
        )


@app.command
def attribution(
    *, since: Since = None, until: Until = None, pair: PairName = "", sector: SectorName = "", world: WorldName = "",
    csv: Csv = False, json: Json = False, html: Html = None,
) -> None:  # fmt: skip
    """Show what each trade's P&L is made of: spread move, hedge drift, costs, borrowing."""
    from tandem.operations import attribution_history

    with _opened(world) as desk:
        _give(
            attribution_history(desk.store, desk.world, desk.asked(since, until, pair, sector)),
            csv=csv,
            json=json,
            html=html,
        )


@compare.command(name="periods")
def compare_periods(one: str, other: str, *, world: WorldName = "", json: Json = False, html: Html = None) -> None:
    """Compare what all pairs came to in two periods.

    Parameters
    ----------
    one
        First and last date, as 2026-04-01..2026-04-14.
    other
        Another period.
    """
    from tandem.operations import compare_periods as compared

    periods = _two(_period(one), _period(other))
    with _opened(world) as desk:
        left, right = (desk.asked(first, last) for first, last in periods)
        _compare(compared(desk.store, desk.world, left, right), json=json, html=html)


@compare.command(name="pairs")
def compare_pairs(
    one: str, other: str, *, since: Since = None, until: Until = None, world: WorldName = "", json: Json = False,
    html: Html = None,
) -> None:  # fmt: skip
    """Compare what two pairs came to.

    Parameters
    ----------
    one
        A pair, as AAPL/NVDA.
    other
        Another one.
    """
    from tandem.operations import compare_pairs as compared

    with _opened(world) as desk:
        asked = desk.asked(since, until)
        left, right = _two(desk.pair(one), desk.pair(other))
        _compare(compared(desk.store, desk.world, left, right, asked), json=json, html=html)


@compare.command(name="models")
def compare_models(
    one: str, other: str, *, since: Since = None, until: Until = None, sector: SectorName = "",
    world: WorldName = "", json: Json = False, html: Html = None,
) -> None:  # fmt: skip
    """Compare two recipes on the sessions that both were fitted for.

    Parameters
    ----------
    one
        A recipe, as v1.
    other
        Another one.
    """
    from tandem.operations import compare_models as compared

    with _opened(world) as desk:
        asked = desk.asked(since, until, "", sector)
        left, right = _two(desk.recipe(one), desk.recipe(other))
        _compare(compared(desk.store, desk.world, left, right, asked), json=json, html=html)


@dataclass(frozen=True, slots=True)
class _Desk:
    """The history of one world."""

    store: "Store"
    world: World

    def asked(self, since: date | None, until: date | None, pair: str = "", sector: str = "") -> "Asked":
        """What is asked for, with names as they are on record."""
        from tandem.store import Asked

        if since and until and until < since:
            raise DataError(f"{since} is after {until}", "Give the earlier date first")
        asked = Asked(since, until, self.pair(pair) if pair else None, self.sector(sector) if sector else None)
        if (since or until) and not self.store.history.sessions(self.world, asked):
            known = self.store.history.sessions(self.world, Asked())
            has = f"It has {known[0]} to {known[-1]}" if known else "Run `tandem demo`, or name a --world"
            raise DataError(f"{self.world} has no session {_between(since, until)}", has)
        return asked

    def pair(self, name: str) -> str:
        """A pair that the world knows, in either order of its legs."""
        known = self.store.history.pairs(self.world)
        a, _, b = name.partition("/")
        turned = f"{b}/{a}".casefold()
        if (found := {each.casefold(): each for each in known}.get(turned)) is not None:
            return found
        return nearest(name, known, f"{self.world} knows no pair {name}")

    def sector(self, name: str) -> str:
        """A sector that any symbol or model belongs to."""
        return nearest(name, self.store.history.sectors(), f"no sector {name}")

    def recipe(self, name: str) -> str:
        """A recipe that the world has."""
        from tandem.store import Stages

        stages = Stages(self.store.facts(self.world))
        known = sorted({recipe for sector in stages.sectors() for recipe in stages.board(sector).stages})
        return nearest(name, known, f"{self.world} has no recipe {name}")


@contextmanager
def _opened(name: str) -> "Iterator[_Desk]":
    """The world that is asked for; what nobody has put on record of its sessions yet is put there first."""
    from tandem.operations import attribute_over, record_grades

    with open_store() as store:
        world = chosen_world(store, name or None)
        facts = store.facts(world)
        attribute_over(store, facts)
        record_grades(store, facts)
        yield _Desk(store, world)


def _give(answer: "Answer", *, csv: bool, json: bool, html: Path | None) -> None:
    if html is not None:
        _write(answer, html, sys.stderr if csv or json else sys.stdout)
    if csv:
        answer.write_csv(sys.stdout)
    elif json:
        _print(answer.document())
    elif html is None:
        from rich.console import Console

        answer.print(Console(highlight=False))


def _compare(comparison: "Comparison", *, json: bool, html: Path | None) -> None:
    if html is not None:
        _write(comparison, html, sys.stderr if json else sys.stdout)
    if json:
        _print(comparison.document())
    elif html is None:
        from rich.console import Console

        comparison.print(Console(highlight=False))


def _write(answer: "Answer | Comparison", path: Path, tell: TextIO) -> None:
    answer.write(path)
    print(path.resolve(), file=tell)


def _print(document: object) -> None:
    import json

    print(json.dumps(document, indent=2, allow_nan=False))


def _two(one: T, other: T) -> tuple[T, T]:
    if one == other:
        raise DataError(f"both are {one}", "Name two that differ")
    return one, other


def _period(text: str) -> tuple[date, date]:
    first, dots, last = text.partition("..")
    try:
        return date.fromisoformat(first), date.fromisoformat(last if dots else first)
    except ValueError:
        raise DataError(f"{text} is no period", "Give two dates, as 2026-04-01..2026-04-14") from None


def _between(since: date | None, until: date | None) -> str:
    if since and until:
        return f"between {since} and {until}"
    return f"since {since}" if since else f"until {until}"
