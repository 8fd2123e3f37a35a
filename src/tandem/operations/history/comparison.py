"""Two periods, pairs or models side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tandem.book import Parts
from tandem.market import World
from tandem.operations.history.listing import Column, Listing, plain
from tandem.operations.history.listings import figure_text
from tandem.operations.history.pictures import Line, lines_drawing, parts_drawing
from tandem.operations.history.ranking import graded_skill_of, mean, skill_of
from tandem.operations.history.signals import SignalCounts
from tandem.operations.history.trades import parts_of, trades_of
from tandem.operations.run.wording import counted, dollars
from tandem.operations.writing.markup import Markup, element
from tandem.operations.writing.page import figure, page, paragraph
from tandem.operations.writing.target import check_target, write_whole
from tandem.store import Asked, ModelSession, PairSession, Store, TradeSession

if TYPE_CHECKING:
    from rich.console import Console

DOLLARS: Final = ("net", "gross", "spread move", "hedge drift", "costs", "borrow", "net per session", "largest fall")
COLUMNS: Final = (
    *("f1_score", "base_rate", "mcc", "mcc_ar1", "roc_auc"),
    *("brier", "log_loss", "log_loss_ar1", "sharpe_ratio"),
)
EARNED: Final = "Net P&L since the period began"
EARNED_IN: Final = "net P&L, dollars"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two.

    Attributes:
        label: its name.
        sessions: of its period.
        figures: by name; dollars are named in `DOLLARS`, None where there is none.
        curve: what its picture shows, by the place of the session.
        parts: of its P&L; None for models.
    """

    label: str
    sessions: tuple[date, ...]
    figures: Mapping[str, float | None]
    curve: Line = ()
    parts: Parts | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both, and what the picture shows."""

    title: str
    left: Side
    right: Side
    unit: str
    shows: str
    note: str = ""

    @property
    def listing(self) -> Listing:
        """Figures side by side with their difference."""
        columns = [
            Column("Figure", lambda row: row.name),
            Column(f">{self.left.label}", lambda row: row.text(row.left)),
            Column(f">{self.right.label}", lambda row: row.text(row.right)),
            Column(">Difference", lambda row: row.difference),
        ]
        rows = [_Row(name, value, self.right.figures.get(name)) for name, value in self.left.figures.items()]
        return Listing(self.title, columns, rows, self.note)

    def document(self) -> dict[str, Any]:
        """The same as plain data."""
        sides = [
            {
                "name": side.label,
                "sessions": [day.isoformat() for day in side.sessions],
                "figures": {name.replace(" ", "_"): plain(value) for name, value in side.figures.items()},
            }
            for side in (self.left, self.right)
        ]
        return {"title": self.title, "left": sides[0], "right": sides[1]}

    def print(self, console: "Console") -> None:
        """The figures."""
        self.listing.print(console)

    def write(self, path: Path) -> None:
        """A page with pictures that needs nothing from outside.

        Raises:
            DataError: it cannot be written there.
        """
        check_target(path)
        sides = (self.left, self.right)
        lines = lines_drawing("curves", self.shows, self.unit, {side.label: side.curve for side in sides})
        parts = {side.label: side.parts for side in sides if side.parts is not None}
        pictures = [figure(lines, f"{self.shows}, by session of each.")]
        if parts:
            pictures.append(figure(parts_drawing("parts", "P&L by its parts", parts), "What the net P&L is made of."))
        sections = [*pictures, self.listing.section("figures", "Side by side")]
        write_whole(path, page(f"Tandem: {self.title}", heading(self.title, self.note), sections, Markup()))


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    left: float | None
    right: float | None

    @property
    def difference(self) -> str:
        if self.left is None or self.right is None:
            return ""
        return self.text(self.right - self.left, signed=True)

    def text(self, value: float | None, *, signed: bool = False) -> str:
        if value is None:
            return "n/a"
        if self.name in DOLLARS:
            return dollars(Decimal(repr(value)), signed=signed or self.name not in ("costs", "borrow"))
        text = f"{value:,}".replace("-", "\u2212") if isinstance(value, int) else figure_text(value)
        return ("+" if signed and value > 0 else "") + text


def heading(title: str, *said: str) -> Markup:
    """The head of a page of history."""
    return element("header", paragraph("Tandem history", class_="kicker"), element("h1", title), *map(paragraph, said))


def compare_periods(store: Store, world: World, one: Asked, other: Asked) -> Comparison:
    """What all pairs came to in two periods."""
    left, right = (_traded(store, world, asked, f"{asked.since}..{asked.until}") for asked in (one, other))
    return Comparison(f"Two periods of {world}", left, right, EARNED_IN, EARNED)


def compare_pairs(store: Store, world: World, one: str, other: str, asked: Asked) -> Comparison:
    """What two pairs came to in the same period."""
    left, right = (_traded(store, world, Asked(asked.since, asked.until, pair), pair) for pair in (one, other))
    return Comparison(f"{one} and {other} in {world}", left, right, EARNED_IN, EARNED)


def compare_models(store: Store, world: World, one: str, other: str, asked: Asked) -> Comparison:
    """Two recipes on the sessions and sectors that both were fitted for; on their own ones where they share none."""
    rows = [row for row in store.history.rows(ModelSession, world, asked) if row.recipe in (one, other)]
    of = {name: [row for row in rows if row.recipe == name and row.name is not None] for name in (one, other)}
    shared = {(r.session, r.sector) for r in of[one]} & {(r.session, r.sector) for r in of[other]}
    note = f"Over {counted(len(shared), 'refit')} that both have."
    if not shared:
        shared = {(row.session, row.sector) for row in rows}
        note = "They have no session in common: each stands with its own."
    left, right = (
        _fitted(name, [row for row in of[name] if (row.session, row.sector) in shared]) for name in (one, other)
    )
    shows = "Log loss spared on the test block against AR(1)"
    return Comparison(f"{one} and {other} in {world}", left, right, "skill, nats", shows, note)


def _traded(store: Store, world: World, asked: Asked, label: str) -> Side:
    sessions = store.history.sessions(world, Asked(asked.since, asked.until))
    rows = list(store.history.rows(TradeSession, world, asked))
    pairs = list(store.history.rows(PairSession, world, asked))
    by_day = {day: Decimal(0) for day in sessions}
    for row in rows:
        by_day[row.session] += row.net
    curve, total = [], 0.0
    for place, net in enumerate(by_day.values(), 1):
        total += float(net)
        curve.append((float(place), total))
    closed = [trade for trade in trades_of(rows) if not trade.is_open]
    parts = parts_of(rows).in_cents
    signals = SignalCounts.of(store, world, asked)
    figures: dict[str, float | None] = {
        "sessions": len(sessions),
        "pairs traded": len({row.pair for row in rows}),
        "trades closed": len(closed),
        "won, % of closed": 100 * sum(trade.net > 0 for trade in closed) / len(closed) if closed else None,
        "net": float(parts.net),
        "gross": float(parts.gross),
        "spread move": float(parts.spread_move),
        "hedge drift": float(parts.hedge_drift),
        "costs": float(parts.costs),
        "borrow": float(parts.borrow),
        "net per session": float(parts.net) / len(sessions) if sessions else None,
        "largest fall": _fall([value for _, value in curve]),
        "naked seconds": sum(row.naked_seconds for row in pairs),
        "orders not filled": sum(row.not_filled for row in pairs),
        "signals": signals.signals,
        "refusals": signals.refused + signals.unjudged,
    }
    return Side(label, tuple(sessions), figures, curve, parts)


def _fitted(name: str, rows: Sequence[ModelSession]) -> Side:
    days = sorted({row.session for row in rows})
    skills = [skill_of(row for row in rows if row.session == day) for day in days]
    figures: dict[str, float | None] = {
        "refits": len(rows),
        "refused": sum(bool(row.refused) for row in rows),
        "skill": skill_of(rows),
        **{column.replace("_", " "): mean(getattr(row, column) for row in rows) for column in COLUMNS},
        "graded forecasts": sum(row.graded_forecasts or 0 for row in rows),
        "graded skill": graded_skill_of(rows),
    }
    curve = [(float(place), skill) for place, skill in enumerate(skills, 1) if skill is not None]
    return Side(name, tuple(days), figures, curve)


def _fall(curve: Sequence[float]) -> float | None:
    best, fall = 0.0, 0.0
    for value in curve:
        best = max(best, value)
        fall = min(fall, value - best)
    return fall if curve else None
