"""The morning in plain words: pairs, models, promotions, the day's risk budget, and what stands against trading."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from textwrap import wrap
from typing import Any, Final

from tandem.book import Book, Capital, Mark, Trade, merge
from tandem.config import RiskSettings, Settings
from tandem.desk import ConfiguredPair, Plan, Refit, TradingConfiguration, configuration_of, plan_of
from tandem.forecast import PairModel, Verdict
from tandem.market import Calendar, Fill, Session, World
from tandem.operations.run.wording import counted, dollars, listed, percent, plain, weekday
from tandem.risk import Baseline, Intent, Standing, Switch, in_force
from tandem.screening import Funnel, PairState
from tandem.store import Board, Facts, Record, StageChanged, Store

WIDTH: Final = 78
SCREEN: Final = 45
FEW: Final = 8
GROUPS: Final = {
    "new": "new, or back",
    "kept": "kept",
    "candidate": "candidates, not entered yet",
    "probation": "on probation, closed and not entered",
    "dropped": "dropped",
}


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be risked today, in dollars, by the settings' shares of equity.

    Attributes:
        equity: at the last mark before the session.
        pair, sector, gross: most that may be held in one pair, in one sector, and in all, both legs together.
        daily_loss: loss of the day at which new entries halt.
        drawdown: share that equity has fallen from its peak.
        to_halt: dollars that it may still fall before the drawdown halts new entries; never below 0.
    """

    equity: Decimal
    pair: Decimal
    sector: Decimal
    gross: Decimal
    daily_loss: Decimal
    drawdown: float
    to_halt: Decimal

    @classmethod
    def of(cls, equity: Decimal, peak: Decimal, risk: RiskSettings) -> "Budget":
        """From equity now and at its best since it counts."""

        def share(value: float) -> Decimal:
            return equity * Decimal(str(value))

        floor = peak * (1 - Decimal(str(risk.max_drawdown_share)))
        return cls(
            equity=equity,
            pair=share(risk.max_pair_share),
            sector=share(risk.max_sector_share),
            gross=share(risk.max_gross_share),
            daily_loss=share(risk.max_daily_loss_share),
            drawdown=float(1 - equity / peak) if peak else 0.0,
            to_halt=max(equity - floor, Decimal(0)),
        )


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that is said of something, with the reason."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Brief:
    """A morning in plain words.

    Attributes:
        groups: pairs by what the morning made of them, as in `GROUPS`, each with the reason.
        found: what the screen came to; empty without an identification.
        held: positions from before.
        models: which recipe trades each sector, and why.
        forecasts: what forecasts the pairs that may be entered, and why.
        changes: recipes that were promoted or not, staged or demoted since the session before, and why.
        against: what stands against new entries; empty where nothing does.
        may_enter: pairs that may be entered.
    """

    world: World
    day: date
    found: str
    groups: Mapping[str, tuple[Said, ...]]
    held: tuple[str, ...]
    models: tuple[Said, ...]
    forecasts: tuple[Said, ...]
    changes: tuple[Said, ...]
    budget: Budget
    risk: RiskSettings
    against: tuple[str, ...]
    may_enter: tuple[str, ...]

    @property
    def text(self) -> str:
        """At most a screen of 80 columns: where much is to be said, the fewer examples and the shorter reasons."""
        lines: list[str] = []
        for most in (4, 3, 2, 1):
            lines = list(self._lines(most))
            if len(lines) <= SCREEN:
                break
        return "\n".join(lines)

    def document(self) -> dict[str, Any]:
        """The same as plain data; dollars as numbers."""
        return {
            "world": str(self.world),
            "session": self.day.isoformat(),
            "may_enter": list(self.may_enter),
            "against": list(self.against),
            "found": self.found,
            "pairs": {name: _documents(self.groups.get(name, ())) for name in GROUPS},
            "held": list(self.held),
            "models": _documents(self.models),
            "forecasts": _documents(self.forecasts),
            "changes": _documents(self.changes),
            "risk": {
                "equity": float(self.budget.equity),
                "pair": float(self.budget.pair),
                "sector": float(self.budget.sector),
                "gross": float(self.budget.gross),
                "daily_loss": float(self.budget.daily_loss),
                "drawdown": self.budget.drawdown,
                "drawdown_limit": self.risk.max_drawdown_share,
                "to_drawdown_halt": float(self.budget.to_halt),
            },
        }

    def _lines(self, most: int) -> Iterator[str]:
        yield f"{weekday(self.day)} {self.day.year}, {self.world}"
        yield from _wrapped(self._verdict(), "")
        yield from self._pairs(most)
        yield from self._models(most)
        yield from self._budget()

    def _verdict(self) -> str:
        if self.against:
            return f"No new position may be opened: {'; '.join(self.against)}."
        return f"{_named(self.may_enter)} may be entered; nothing stands against trading."

    def _pairs(self, most: int) -> Iterator[str]:
        yield from ("", "Pairs")
        yield from _wrapped(self.found)
        for name, meaning in GROUPS.items():
            own = self.groups.get(name, ())
            if name == "kept" and own:
                yield from _wrapped(f"{meaning}: {_named([said.what for said in own])}")
            elif own:
                yield from _wrapped(f"{meaning}:")
                yield from _told(own, most)
        if self.held:
            yield from _wrapped(f"held over night: {_few(self.held)}")

    def _models(self, most: int) -> Iterator[str]:
        if not (self.models or self.forecasts or self.changes):
            return
        yield from ("", "Models")
        yield from _told(self.models, most, "  ")
        yield from _told(self.forecasts, most, "  ")
        if self.changes:
            yield from _wrapped("since the session before:")
            yield from _told(self.changes, most)

    def _budget(self) -> Iterator[str]:
        own, risk = self.budget, self.risk

        def amount(value: Decimal) -> str:
            return f"${value:,.0f}"

        yield from ("", f"Risk, of {dollars(own.equity, signed=False)} equity")
        yield from _wrapped(
            f"at most {amount(own.pair)} in one pair, {amount(own.sector)} in one sector, {amount(own.gross)} in all, "
            "both legs together"
        )
        yield from _wrapped(
            f"entries halt when the day has lost {amount(own.daily_loss)} ({percent(risk.max_daily_loss_share, 1)}), "
            f"or at a drawdown of {percent(risk.max_drawdown_share, 1)}: it is {percent(own.drawdown)} now, "
            f"{amount(own.to_halt)} away"
        )


def brief_of(store: Store, facts: Facts, session: Session, settings: Settings) -> Brief:
    """What a trader reads before the open, from what is on record by then.

    Args:
        store: where the models of the plan are.
        session: the trading day; one that is over reads as its morning did, but for its halts.
        settings: the limits in force, and what a missed morning means.
    """
    configuration, plan = configuration_of(facts, session.day), plan_of(facts, session.day)
    since = _session_before(facts, session)
    may_enter = tuple(plan.models) if plan else ()
    return Brief(
        world=facts.world,
        day=session.day,
        found=_found(facts, session.day),
        groups=_groups(configuration),
        held=tuple(map(_position, _held(facts, session))),
        models=tuple(_trading(facts, session, plan)),
        forecasts=tuple(_forecasts(store, plan)),
        changes=tuple(_changes(facts, session, since)),
        budget=_budget(facts, session, settings),
        risk=settings.risk,
        against=tuple(_against(facts, session, settings, configuration, plan)),
        may_enter=may_enter,
    )


def _found(facts: Facts, day: date) -> str:
    funnels = facts.read(Funnel, session=day)
    if not funnels:
        return "No screen is on record for this morning."
    funnel = funnels[-1].body
    steps, selected = pairwise(funnel.steps), funnel.steps[-1].left
    lost = listed(f"{before.left - step.left:,} at {step.gate}" for before, step in steps if step.left < before.left)
    refused = f"; refused {lost}." if lost else "."
    return f"{counted(funnel.steps[0].left, 'pair')} considered, {selected:,} selected{refused} {funnel.luck}".strip()


def _groups(configuration: TradingConfiguration | None) -> dict[str, tuple[Said, ...]]:
    found: dict[str, list[Said]] = {name: [] for name in GROUPS}
    for each in configuration.pairs if configuration else ():
        found[_group(each)].append(Said(_ranked(each), each.life.why))
    return {name: tuple(own) for name, own in found.items()}


def _group(each: ConfiguredPair) -> str:
    life = each.life
    if life.state is PairState.ACTIVE:
        return "kept" if life.before is PairState.ACTIVE else "new"
    if life.state is PairState.CANDIDATE and life.before is not PairState.ACTIVE:
        return "candidate"
    return "probation" if life.state is PairState.PROBATION else "dropped"


def _ranked(each: ConfiguredPair) -> str:
    return f"{each.pair} (score {plain(each.score)})" if each.score is not None else str(each.pair)


def _held(facts: Facts, session: Session) -> list[Trade]:
    known = merge(*([r for r in facts.read(kind) if r.session < session.day] for kind in (Intent, Fill)))
    book = Book.starting_with(Decimal(0)).after(known)
    return [book.open[pair] for pair in sorted(book.open)]


def _position(trade: Trade) -> str:
    side = "long" if trade.entry.direction > 0 else "short"
    return f"{trade.pair} {side} since {weekday(trade.entry.passport)}"


def _trading(facts: Facts, session: Session, plan: Plan | None) -> Iterator[Said]:
    changes = [record for record in facts.read(StageChanged) if record.at <= session.open]
    for sector in sorted({refit.sector for refit in plan.refits}) if plan else ():
        own = [record for record in changes if record.body.sector == sector]
        board = Board.of(sector, (record.body for record in own))
        refits = [refit for refit in (plan.refits if plan else ()) if refit.sector == sector]
        fitted = listed(refit.recipe for refit in refits)
        yield Said(f"{sector}: {_champion(board, refits)}", f"{_since(own, board.production)}fitted today: {fitted}")


def _champion(board: Board, refits: Sequence[Refit]) -> str:
    refit = next((each for each in refits if each.recipe == board.production), None)
    if board.production is None:
        return "the baseline alone trades, no recipe is in Production"
    if refit is None:
        return f"the baseline trades, {board.production} was not fitted"
    if refit.refused:
        return f"the baseline trades, {refit.why_not}"
    return f"{board.production} trades"


def _since(changes: Sequence[Record[StageChanged]], recipe: str | None) -> str:
    up = [record for record in changes if record.body.recipe == recipe and record.body.after == "Production"]
    return f"in Production since {weekday(up[-1].session)} ({up[-1].body.move}); " if up else ""


def _forecasts(store: Store, plan: Plan | None) -> Iterator[Said]:
    models = {
        pair: PairModel.from_bytes(store.blobs.get(digest)) for pair, digest in (plan.models if plan else {}).items()
    }
    by = Counter((model.trades_with, model.why) for model in models.values())
    for (name, why), _ in by.most_common():
        pairs = [pair for pair, model in models.items() if (model.trades_with, model.why) == (name, why)]
        yield Said(f"{'GRU' if name == 'gru' else 'AR(1) baseline'} forecasts {_named(pairs)}", why)


def _changes(facts: Facts, session: Session, since: datetime | None) -> Iterator[Said]:
    moved = [r for r in facts.read(StageChanged) if _is_recent(r, session, since)]
    for record in moved:
        change = record.body
        yield Said(f"{change.recipe} of {change.sector} {change.move}", f"{change.why} ({change.by})")
    acted = {(record.body.sector, record.body.recipe) for record in moved}
    for verdict in (r.body for r in facts.read(Verdict) if _is_recent(r, session, since)):
        if (verdict.sector, verdict.recipe) not in acted:
            outcome = "not promoted" if verdict.against else "stays"
            said = outcome if verdict.action == "keep" else f"to {verdict.action}, not done yet"
            yield Said(f"{verdict.recipe} of {verdict.sector} {said}", verdict.why)


def _is_recent(record: Record[Any], session: Session, since: datetime | None) -> bool:
    return (since is None or record.at >= since) and record.at <= session.open


def _session_before(facts: Facts, session: Session) -> datetime | None:
    """The close of the session before: verdicts count from there."""
    days = [r.session for kind in (Plan, TradingConfiguration) for r in facts.read(kind) if r.session < session.day]
    before = Calendar().session(max(days)) if days else None
    return before.close if before else None


def _budget(facts: Facts, session: Session, settings: Settings) -> Budget:
    capital = facts.read(Capital)
    start = capital[0].body.cash if capital else settings.websocket.recycler.cash
    baselines = [record for record in facts.read(Baseline) if record.session < session.day]
    marks = [record for record in facts.read(Mark) if record.session < session.day]
    if baselines:
        start = baselines[-1].body.equity
        marks = [record for record in marks if record.at >= baselines[-1].at]
    path = [start, *(record.body.equity for record in marks)]
    return Budget.of(path[-1], max(path), settings.risk)


def _against(
    facts: Facts, session: Session, settings: Settings, configuration: TradingConfiguration | None, plan: Plan | None
) -> Iterator[str]:
    # A person speaks at the wall clock's time, which is no replay's: the newest morning hears all of it.
    newest = max((record.session for record in facts.read(TradingConfiguration)), default=session.day)
    heard = [each for each in facts.read(Switch) if each.session <= session.day or session.day >= newest]
    switch = in_force(record.body for record in heard)
    if switch.standing is not Standing.ARMED:
        what = "everything is being closed" if switch.standing is Standing.FLATTEN else "halted"
        yield f"{what} by {switch.by}: {switch.why} (`tandem resume` ends it)"
    if configuration is None:
        exits_only = settings.operations.missed_morning == "exits_only"
        yield f"no pairs were identified this morning, {'so there are exits only' if exits_only else 'or not yet'}"
    elif not any(each.is_selected for each in configuration.pairs):
        yield "no pair passed every gate"
    elif not any(each.entries for each in configuration.pairs):
        yield "no pair that passed is active yet"
    elif plan is None:
        yield "no model has been fitted yet this morning"


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ") if text else []


def _told(said: Sequence[Said], most: int, indent: str = "    ") -> Iterator[str]:
    for each in said[:most]:
        lines = _wrapped(f"{each.what}: {each.why}", indent)
        yield from lines if len(lines) <= most else [*lines[: most - 1], f"{lines[most - 1][: WIDTH - 2]} \u2026"]
    if len(said) > most:
        yield f"{indent}and {len(said) - most:,} more"


def _named(names: Sequence[str]) -> str:
    return f"{counted(len(names), 'pair')} ({_few(names)})" if len(names) > 1 else listed(names)


def _few(names: Sequence[str]) -> str:
    shown = list(names[:FEW])
    return listed(shown if len(shown) == len(names) else [*shown, f"{len(names) - len(shown):,} more"])


def _documents(said: Iterable[Said]) -> list[dict[str, str]]:
    return [{"what": each.what, "why": each.why} for each in said]
