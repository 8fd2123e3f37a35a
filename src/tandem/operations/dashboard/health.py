"""How feed, broker, store, models and processes fare, each in one line."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from markupsafe import Markup

from tandem.execution import Outcome
from tandem.market import NEW_YORK, Calendar
from tandem.operations.dashboard.followed import Followed
from tandem.operations.dashboard.page import Page
from tandem.operations.dashboard.wording import clock, lasting
from tandem.operations.run.wording import counted, forecaster, listed

Tone = Literal["good", "warn", "bad", "idle"]
LATE: Final = timedelta(minutes=7)
GRACE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Health:
    """One line.

    Attributes:
        name: key of its definition.
        state: in a word.
        words: in a sentence.
    """

    name: str
    label: str
    tone: Tone
    state: str
    words: str


def health(page: Page, followed: Followed) -> list[Health]:
    """Every line."""
    now = page.now(followed.world)
    return [
        _feed(page, followed, now),
        _broker(followed, now),
        _store(page, followed),
        _models(followed),
        _processes(followed),
    ]


def _feed(page: Page, followed: Followed, now: datetime | None) -> Health:
    mark = followed.curve.newest
    if mark is None:
        return Health("feed", "Feed", "idle", "no decision yet", "The first one comes five minutes after the open.")
    blind = [each for each in followed.decisions.latest.values() if each.at == mark.at and each.signal is None]
    seen = Markup("last decision {}").format(clock(mark.at, "day"))
    if blind:
        seen += f", {counted(len(blind), 'pair')} without fresh bars"
    if now is None:
        return Health("feed", "Feed", "warn" if blind else "idle", "history", seen)
    if page.remote.has_ended(followed.world):
        return Health("feed", "Feed", "idle", "the reel has ended", seen)
    session = Calendar().session(now.astimezone(NEW_YORK).date())
    if session is None or not session.open + GRACE <= now <= session.close:
        return Health("feed", "Feed", "idle", "market closed", seen)
    age = max(now - mark.at, timedelta(0))  # the replay's clock is asked less often than facts come
    if age > LATE:
        return Health("feed", "Feed", "bad", "late", seen + f", {lasting(age)} ago")
    return Health("feed", "Feed", "warn" if blind else "good", "fresh", seen + f", {lasting(age)} ago")


def _broker(followed: Followed, now: datetime | None) -> Health:
    working, newest = followed.orders.working, followed.orders.newest(1)
    today = [life for life in followed.orders.newest(200) if life.session == followed.decisions.session]
    stuck = [life for life in today if life.ended is not None and life.ended.outcome is Outcome.STUCK]
    refused = followed.decisions.reasons["execution", "order refused"]
    last = newest[0].fills[-1].at if newest and newest[0].fills else None
    words = Markup("last fill {}").format(clock(last, "day")) if last else Markup("nothing filled yet")
    if refused:
        words += f", {counted(refused, 'order')} refused today"
    if stuck:
        return Health(
            "broker",
            "Broker",
            "bad",
            f"{len(stuck)} stuck",
            Markup("{}; {}").format(listed(str(life.pair) for life in stuck), words),
        )
    if working:
        return Health("broker", "Broker", "good", f"{counted(len(working), 'order')} working", words)
    return Health("broker", "Broker", "warn" if refused else "good" if newest else "idle", "quiet", words)


def _store(page: Page, followed: Followed) -> Health:
    if page.watching.trouble:
        return Health("store", "Store", "bad", "away", page.watching.trouble)
    words = f"read-only, {counted(followed.version, 'fact')}"
    if followed.unreadable:
        unread = counted(followed.unreadable, "fact")
        return Health("store", "Store", "warn", "partly read", f"{unread} of another version of Tandem; {words}")
    return Health("store", "Store", "good", "answers", words)


def _models(followed: Followed) -> Health:
    production = followed.recipes.production
    planned = followed.mornings.newest_plan()
    if planned is None:
        return Health("models_health", "Models", "idle", "no plan yet", "A morning's identification makes one.")
    day, plan = planned
    refits = [plan.refit(sector, recipe) for sector, recipe in production.items()]
    refused = [refit for refit in refits if refit is not None and refit.refused]
    pairs = f"{counted(len(plan.models), 'pair')} on {day:%d %b}".replace(" 0", " ")
    stands = listed(f"{recipe} is in Production for {sector}" for sector, recipe in sorted(production.items()))
    said = {each.signal.model for each in followed.decisions.latest.values() if each.signal and each.session == day}
    by = listed(map(forecaster, sorted(said)))
    words = "; ".join(filter(None, (stands or "no recipe is in Production", by and f"forecasts by {by}")))
    if refused:
        return Health("models_health", "Models", "warn", "baseline instead", f"{refused[0].why_not}; {pairs}")
    return Health("models_health", "Models", "good" if plan.models else "idle", pairs, words)


def _processes(followed: Followed) -> Health:
    troubled, latest = followed.processes.troubled, followed.processes.latest
    if not latest:
        return Health("processes", "Processes", "idle", "not supervised", "tandem up runs them.")
    if troubled:
        worst = troubled[0].body
        words = Markup("{} {}").format(worst.why or worst.event, clock(troubled[0].at, "day"))
        return Health("processes", "Processes", "bad", f"{worst.name} {worst.event}", words)
    running = sorted(name for name, record in latest.items() if record.body.event == "started")
    return Health("processes", "Processes", "good" if running else "idle", f"{len(running)} running", listed(running))
