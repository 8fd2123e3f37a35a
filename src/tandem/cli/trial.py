"""`tandem trial`: champion and challenger, their records and what follows from them."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from tandem.cli.nearest import nearest
from tandem.cli.opening import open_store, world_of
from tandem.market import Calendar, DataError, Session

if TYPE_CHECKING:
    from tandem.config import Settings
    from tandem.forecast import Verdict
    from tandem.store import Facts

app = App(name="trial", help="Champion and challenger: their records and what follows from them.")

Json = Annotated[bool, Parameter(name="--json", negative=(), show_default=False)]


@app.command
def shadow(*, world: str = "") -> None:
    """Trade every session on record by the challenger and by the baseline, in books of their own.

    Needs `trial.mode: shadow`. Sessions that they have traded already are left as they are.

    Parameters
    ----------
    world
        Whose sessions, such as paper-3; without it the newest of those the settings name.
    """
    from tandem.config import load
    from tandem.desk import Shadow, shadow_day

    settings = load()
    with open_store() as store:
        facts = store.facts(world_of(store, settings, world))
        if settings.trial.mode != "shadow":
            print(f"No shadow books are kept: trial.mode is {settings.trial.mode}.")
            return
        known = {each.body.world: _days(store.facts(each.body.world)) for each in facts.read(Shadow)}
        before = dict(known)
        for session in _sessions(facts):
            for own in shadow_day(store, facts, session, settings):
                days = _days(own)
                for day in sorted(days - known.get(own.world, set())):
                    print(f"{day}: traded in {own.world}.")
                known[own.world] = days
    if known == before:
        books = ", ".join(map(str, known)) or "no books"
        print(f"Nothing to do: {books} have every session on record already.")


@app.command
def status(sector: str = "", *, world: str = "", json: Json = False) -> None:
    """Show what a decision would say now; nothing is recorded.

    Parameters
    ----------
    sector
        Whose models; without it the first of `sectors.active`.
    world
        Which account and timeline, such as paper-3; without it the newest of those the settings name.
    json
        Print one JSON document.
    """
    from tandem.config import load
    from tandem.desk import try_challenger, watch_champion, why_no_trial

    settings = load()
    with open_store() as store:
        facts = store.facts(world_of(store, settings, world))
        _last_session(facts)
        sector = _sector(facts, settings, sector or settings.sectors.active[0])
        nobody = why_no_trial(facts, settings, sector)
        reached = [watch_champion] if nobody else [watch_champion, try_challenger]
        verdicts = [reach(store, facts, settings, sector) for reach in reached]
    _show(verdicts, json=json)
    if settings.trial.mode != "off" and nobody and not json:
        print(f"Nobody is tried: {nobody}.")


@app.command
def decide(sector: str = "", *, world: str = "", json: Json = False) -> None:
    """Do the evening of the last session again: shadow books, verdicts, and the promotions that follow from them.

    `tandem trade` does it after each session by itself; what is on record by then stays as it is.

    Parameters
    ----------
    sector
        Whose models; without it all that had pairs.
    world
        Which account and timeline, such as paper-3; without it the newest of those the settings name.
    json
        Print one JSON document.
    """
    from tandem.config import load
    from tandem.desk import close_day, registry_of

    settings = load()
    with open_store() as store:
        facts = store.facts(world_of(store, settings, world))
        session = _last_session(facts)
        sectors = [_sector(facts, settings, sector)] if sector else None
        verdicts = close_day(store, facts, session, settings, registry_of(store, settings), sectors)
    _show(verdicts, json=json)
    if not verdicts and not json:
        print(f"No sector had pairs on {session.day}.")


def _sector(facts: "Facts", settings: "Settings", asked: str) -> str:
    """A sector that is active, has recipes or had pairs, as the record spells it."""
    from tandem.desk import sectors_of
    from tandem.store import Stages

    had_pairs = (each for session in _sessions(facts) for each in sectors_of(facts, session))
    known = dict.fromkeys([*settings.sectors.active, *Stages(facts).sectors(), *had_pairs])
    return nearest(asked, list(known), f"{facts.world} has no sector {asked}")


def _show(verdicts: "list[Verdict]", *, json: bool) -> None:
    if json:
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(verdicts), indent=2).decode())
        return
    for verdict in verdicts:
        against = f" against {verdict.against}" if verdict.against else ""
        print(f"{verdict.sector}, {verdict.recipe}{against}: {verdict.action}. {verdict.why}.")
        for name, value in sorted(verdict.evidence.items()):
            print(f"  {name:<32}{value:>14,.6g}")


def _last_session(facts: "Facts") -> Session:
    sessions = _sessions(facts)
    if not sessions:
        raise DataError(f"{facts.world} has not traded", "A trial needs sessions on record: `tandem trade`.")
    return sessions[-1]


def _days(facts: "Facts") -> set[date]:
    from tandem.book import Mark

    return {record.session for record in facts.read(Mark)}


def _sessions(facts: "Facts") -> list[Session]:
    return [session for day in sorted(_days(facts)) if (session := Calendar().session(day)) is not None]
