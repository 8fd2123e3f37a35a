"""Another recipe on the bars of a session: the one loop again, in a world and a book of its own that nobody trades."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from tandem.book import Book, Capital, Mark
from tandem.config import Settings
from tandem.desk.configuration import TradingConfiguration, as_identified, configuration_of
from tandem.desk.desk import Desk
from tandem.desk.draft import Draft
from tandem.desk.history import bars_in, seen
from tandem.desk.plan import Plan, passport_key, plan_of, record_plan
from tandem.desk.session import run_session
from tandem.desk.training import day_models, forget_training
from tandem.execution import in_process
from tandem.forecast import Contender, PairModel, as_baseline
from tandem.market import Calendar, DataError, FactConflict, Fill, Pair, Session, World, WorldKind
from tandem.matching import HeldShares, LedgerState
from tandem.screening import Passport
from tandem.store import Facts, Record, Store


@dataclass(frozen=True, slots=True)
class Shadow:
    """A recipe has a book beside a world's, as a fact of that world.

    Attributes:
        recipe: its name.
        run: of its world: `shadow-{run}`.
    """

    kind: ClassVar = "shadow"

    recipe: str
    run: int

    @property
    def world(self) -> World:
        """Where its facts are."""
        return World(WorldKind.SHADOW, self.run)


def shadow_session(store: Store, facts: Facts, session: Session, settings: Settings, recipe: Contender) -> Facts:
    """Trade a session that a world has a plan for by another recipe; its facts, all of them on record or none.

    It has the same passports and configuration, the models that the morning fitted for it or else models of its own,
    the minutes that the world's desk saw, and the in-process broker; its book goes on from its session before. A
    session that it has traded is left as it is.

    Args:
        facts: of the world whose plans and bars it follows.
        session: one that is over; sessions in order of time.
        settings: all but the model's, which are the recipe's.

    Raises:
        DataError: the world has no plan for the day, there are no bars of it, or a later one was traded already.
    """
    own = store.facts(shadow_of(facts, recipe.name) or _new_shadow(store, facts, session, recipe.name))
    if not own.read(Mark, session=session.day):
        _in_order(own, session)
        draft = Draft(own)
        _prepare(store, facts, draft, session, settings, recipe)
        symbols = _symbols(draft, session) or settings.websocket.symbols
        run_session(_desk(store, facts.world, draft, session, settings, symbols), session)
        draft.publish()
        forget_training(settings, session)
    return own


def shadow_of(facts: Facts, recipe: str) -> World | None:
    """The world of a recipe's shadow book beside a world's; None where it has none."""
    return next((each.body.world for each in facts.read(Shadow) if each.body.recipe == recipe), None)


def _new_shadow(store: Store, facts: Facts, session: Session, recipe: str) -> World:
    world = store.new_world(WorldKind.SHADOW, f"{recipe} beside {facts.world}")
    try:
        facts.append(Record(Shadow(recipe, world.run), session.day, session.morning, f"shadow.{recipe}"))
    except FactConflict:  # another process was quicker
        return shadow_of(facts, recipe) or world
    return world


def _in_order(own: Facts, session: Session) -> None:
    last = max((record.session for record in own.read(Mark)), default=session.day)
    if last > session.day:
        raise DataError(
            f"{own.world} has traded {last} and cannot go back to {session.day}",
            "Take the sessions in their order; a shadow that lacks one goes on without it.",
        )


def _prepare(store: Store, facts: Facts, draft: Draft, session: Session, settings: Settings, recipe: Contender) -> None:
    plan = plan_of(facts, session.day)
    if plan is None:
        raise DataError(f"{facts.world} has no plan for {session.day}", "A shadow follows sessions that were traded.")
    if not draft.read(Capital):
        capital = [record.body for record in facts.read(Capital)] or [Capital(settings.websocket.recycler.cash)]
        draft.append(Record(capital[0], session.day, session.morning, "capital"))
    passports = _passports(facts, session, plan)
    models = _refitted(store, plan, recipe, passports)
    others = [passport for passport in passports if str(passport.pair) not in models]
    like_it = _contending(facts, session, settings, recipe)
    trained = day_models(store, session, like_it, others, networks=not recipe.is_baseline)
    models |= {str(pair): store.blobs.put(model.to_bytes()) for pair, model in trained.items()}
    draft.append(*facts.read(TradingConfiguration, session=session.day))
    record_plan(draft, session, Plan(plan.tested, models, plan.version), passports)


def _refitted(store: Store, plan: Plan, recipe: Contender, passports: Iterable[Passport]) -> dict[str, str]:
    """Digests of the models that the morning fitted, with the baseline in place of those that must not trade."""
    found: dict[str, str] = {}
    for passport in passports:
        refit, pair = plan.refit(passport.sector, recipe.name), str(passport.pair)
        if refit is not None and refit.refused:
            model = as_baseline(PairModel.from_bytes(store.blobs.get(refit.models[pair])), refit.why_not)
            found[pair] = store.blobs.put(model.to_bytes())
        elif refit is not None:
            found[pair] = refit.models[pair]
    return found


def _contending(facts: Facts, session: Session, settings: Settings, contender: Contender) -> Settings:
    """The contender's model on the bars and the window of the day's configuration, whatever the settings say by now."""
    own = settings.model_copy(update={"model": contender.settings})
    configuration = configuration_of(facts, session.day)
    return own if configuration is None else as_identified(own, configuration)


def _passports(facts: Facts, session: Session, plan: Plan) -> list[Passport]:
    found = {record.key: record.body for record in facts.read(Passport, session=session.day)}
    planned = [each for key, each in found.items() if key == passport_key(each, plan.version)]
    return [each for each in planned if str(each.pair) in plan.models]


def _symbols(facts: Facts, session: Session) -> list[str]:
    plan = plan_of(facts, session.day)
    pairs = {*map(Pair.parse, plan.models if plan else ()), *Book.from_facts(facts).open}
    return sorted({symbol for pair in pairs for symbol in pair.symbols})


def _desk(store: Store, seen_by: World, facts: Facts, session: Session, settings: Settings, symbols: list[str]) -> Desk:
    bars = seen(store, seen_by, symbols, session.open, session.close)
    inside = in_process(bars, facts.world, settings.websocket.recycler.cash, settings.costs, account_of(facts))
    return Desk(
        facts.world,
        settings,
        Calendar(),
        inside.clock,
        inside.feed,
        inside.broker,
        facts,
        store.blobs,
        lambda names, first, last: list(bars_in(seen(store, seen_by, names, first, last))),
    )


def account_of(facts: Facts) -> LedgerState:
    """What the broker of the session before held: the book's cash, and its shares at the prices of their last fills."""
    book = Book.from_facts(facts)
    last = _last_prices(record.body for record in facts.read(Fill))
    shares = (HeldShares(symbol, qty, qty * last[symbol]) for symbol, qty in sorted(book.shares().items()))
    return LedgerState(cash=book.cash, realised=Decimal(0), fees=Decimal(0), holdings=tuple(shares))


def _last_prices(fills: Iterable[Fill]) -> dict[str, Decimal]:
    return {fill.symbol: fill.price for fill in fills}
