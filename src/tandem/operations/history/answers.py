"""What `tandem history` answers: each kind of rows with its ranking, its pictures and its page."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from tandem.desk import Ungraded, ungraded
from tandem.market import World
from tandem.operations.history import listings
from tandem.operations.history.comparison import heading
from tandem.operations.history.listing import ON_A_PAGE, Listing, documents, write_csv
from tandem.operations.history.pictures import Line, day_names, lines_drawing, parts_drawing
from tandem.operations.history.ranking import rank_models, rank_pairs, skill_of
from tandem.operations.history.signals import SignalCounts, each_once
from tandem.operations.history.trades import parts_of, trades_of
from tandem.operations.run.wording import period
from tandem.operations.writing.ink import Drawing
from tandem.operations.writing.markup import Markup
from tandem.operations.writing.page import figure, page
from tandem.operations.writing.target import check_target, write_whole
from tandem.store import Asked, Facts, ModelSession, PairSession, SignalRow, Store, TradeSession

if TYPE_CHECKING:
    from rich.console import Console

MOST_LINES: Final = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """One question answered.

    Attributes:
        title: what it is of.
        chapter: heads the first table on its page.
        kind: class of the rows of its file for a spreadsheet.
        rows: reads them, one at a time.
        listings: tables, the first of which the terminal shows.
        document: as plain data.
        pictures: with their captions, each drawn when it is asked for.
    """

    title: str
    chapter: str
    kind: type[Any]
    rows: Callable[[], Iterable[Any]]
    listings: Sequence[Listing]
    document: Callable[[], Mapping[str, Any]]
    pictures: Sequence[tuple[Drawing, str]] = ()

    def print(self, console: "Console") -> None:
        """The first table."""
        self.listings[0].print(console)

    def write_csv(self, to: IO[str]) -> None:
        """Every row for a spreadsheet."""
        write_csv(self.rows(), self.kind, to)

    def write(self, path: Path) -> None:
        """A page with pictures that needs nothing from outside.

        Raises:
            DataError: it cannot be written there.
        """
        check_target(path)
        figures = [figure(drawing, caption) for drawing, caption in self.pictures]
        first, *others = self.listings
        chapters = [first.section("first", self.chapter), *(each.section("more") for each in others)]
        write_whole(path, page(f"Tandem: {self.title}", heading(self.title), [*figures, *chapters], Markup()))


def pair_history(store: Store, world: World, asked: Asked) -> Answer:
    """Pairs by what they earned; one pair session by session."""
    sessions = store.history.sessions(world, asked)
    rows = list(store.history.rows(PairSession, world, asked))
    ranks = rank_pairs(rows, sessions)
    title = f"Pairs of {world}, {period(sessions)}"
    ranking, by_session = listings.pair_ranking(ranks, title), listings.pair_sessions(rows, "Session by session")
    curves = {rank.pair: _earned(rows, rank.pair, sessions) for rank in ranks[:MOST_LINES]}
    shown = lines_drawing("pairs", "Net P&L of the best pairs", "net P&L, dollars", curves, day_names(sessions))
    return Answer(
        title,
        "Session by session" if asked.pair else "Ranking",
        PairSession,
        lambda: rows,
        [by_session, ranking] if asked.pair else [ranking, by_session],
        lambda: {"world": str(world), "ranking": list(documents(ranks)), "sessions": list(documents(rows))},
        [(shown, "Net P&L since the period began, of at most the five best pairs.")] if ranks else [],
    )


def model_history(store: Store, world: World, asked: Asked) -> Answer:
    """Recipes by skill."""
    sessions = store.history.sessions(world, asked)
    rows = list(store.history.rows(ModelSession, world, asked))
    ranks, waiting = rank_models(rows, sessions), _waiting(store.facts(world), asked)
    title = f"Models of {world}, {period(sessions)}"
    curves = {f"{rank.recipe} {rank.sector}": _skill(rows, rank.sector, rank.recipe, sessions) for rank in ranks}
    shown = lines_drawing("models", "Skill of the models", "skill, nats", curves, day_names(sessions))
    return Answer(
        title,
        "Ranking",
        ModelSession,
        lambda: rows,
        [listings.model_ranking(ranks, title, waiting), listings.model_sessions(rows, "Session by session")],
        lambda: {
            "world": str(world),
            "ranking": list(documents(ranks)),
            "sessions": list(documents(rows)),
            "waiting": list(documents(waiting)),
        },
        [(shown, "Log loss spared on the test block against the AR(1) forecast, of at most five.")] if ranks else [],
    )


def signal_history(store: Store, world: World, asked: Asked) -> Answer:
    """Signals and refusals; the table leaves out those that changed nothing."""
    counts = SignalCounts.of(store, world, asked)
    acted = store.history.newest(SignalRow, world, asked, ON_A_PAGE, "action <> 'hold'")
    shown = list(each_once(acted))
    title = f"Signals of {world}"
    return Answer(
        title,
        "Signals",
        SignalRow,
        lambda: store.history.rows(SignalRow, world, asked),
        [listings.signals(shown, title, counts.acted - (len(acted) - len(shown)), counts.words)],
        lambda: {
            "world": str(world),
            "actions": dict(counts.actions),
            "refusals": {"of_a_signal": counts.refused, "without_a_signal": counts.unjudged},
            "signals": list(documents(store.history.rows(SignalRow, world, asked))),
        },
    )


def attribution_history(store: Store, world: World, asked: Asked) -> Answer:
    """Trades by what their P&L is made of."""
    rows = list(store.history.rows(TradeSession, world, asked))
    trades = trades_of(rows)
    total = parts_of(rows).in_cents
    sessions = sorted({row.session for row in rows})
    title = f"Attribution in {world}, {period(sessions)}"
    shown = parts_drawing("parts", "P&L by its parts", {"all trades": total})
    summed = {name: float(getattr(total, name)) for name in ("net", "gross", "spread_move", "hedge_drift", "slippage",
                                                             "fees", "costs", "borrow")}  # fmt: skip
    return Answer(
        title,
        "Trades",
        TradeSession,
        lambda: rows,
        [listings.attribution([*trades, *listings.together(trades, total)], title)],
        lambda: {
            "world": str(world),
            "total": summed,
            "trades": list(documents(trades)),
            "sessions": list(documents(rows)),
        },
        [(shown, "What the net P&L of these trades is made of.")] if rows else [],
    )


def _waiting(facts: Facts, asked: Asked) -> list[Ungraded]:
    since, until = asked.since or date.min, asked.until or date.max
    return [each for each in ungraded(facts) if since <= each.session <= until]


def _earned(rows: Iterable[PairSession], pair: str, sessions: Sequence[date]) -> Line:
    nets: defaultdict[date, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row.pair == pair and row.net is not None:
            nets[row.session] += row.net
    line, total = [], Decimal(0)
    for place, day in enumerate(sessions, 1):
        total += nets[day]
        line.append((float(place), float(total)))
    return line


def _skill(rows: Iterable[ModelSession], sector: str, recipe: str, sessions: Sequence[date]) -> Line:
    places = {day: float(place) for place, day in enumerate(sessions, 1)}
    own = [row for row in rows if (row.sector, row.recipe) == (sector, recipe) and row.session in places]
    return [(places[row.session], skill) for row in own if (skill := skill_of([row])) is not None]
