"""`tandem trial`: champion and challenger, their records and what follows from them."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from tandem.cli.opening import open_store, world_of
from tandem.market import Calendar, DataError, Session

if TYPE_CHECKING:
    from tandem.config import Settings
    from tandem.forecast import Verdict
    from tandem.store import Facts, Store

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
    from tandem.desk import shadow_day

    settings = load()
    with open_store() as store:
        facts = store.facts(world_of(store, settings, world))
        for session in _sessions(facts):
            for each in shadow_day(store, facts, session, settings):
                print(f"{session.day}: {each.world} is as far.")


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
    _decide(sector, world, json=json, record=False)


@app.command
def decide(sector: str = "", *, world: str = "", json: Json = False) -> None:
    """Say whether the champion stands down and whether the challenger takes over, and put both on record.

    Nothing is promoted or demoted by this: a verdict is the evidence for it.

    Parameters
    ----------
    sector
        Whose models; without it the first of `sectors.active`.
    world
        Which account and timeline, such as paper-3; without it the newest of those the settings name.
    json
        Print one JSON document.
    """
    _decide(sector, world, json=json, record=True)


def _decide(sector: str, world: str, *, json: bool, record: bool) -> None:
    from tandem.config import load
    from tandem.desk import record_verdict

    settings = load()
    with open_store() as store:
        facts = store.facts(world_of(store, settings, world))
        sessions = _sessions(facts)
        if not sessions:
            raise DataError(f"{facts.world} has not traded", "A trial needs sessions on record: `tandem trade`.")
        verdicts = list(_verdicts(store, facts, settings, sector or settings.sectors.active[0]))
        if record:
            for verdict in verdicts:
                record_verdict(facts, sessions[-1], verdict)
    _show(verdicts, json=json)


def _verdicts(store: "Store", facts: "Facts", settings: "Settings", sector: str) -> "list[Verdict]":
    from tandem.desk import try_challenger, watch_champion

    watched = watch_champion(store, facts, settings, sector)
    if settings.trial.mode == "off":
        return [watched]
    return [watched, try_challenger(store, facts, settings, sector)]


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


def _sessions(facts: "Facts") -> list[Session]:
    from tandem.book import Mark

    days = sorted({record.session for record in facts.read(Mark)})
    return [session for day in days if (session := Calendar().session(day)) is not None]
