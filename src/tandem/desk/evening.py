"""After the close: grades, shadow books, verdicts, what follows from them for the stages, and MLflow."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tandem.config import Settings
from tandem.desk.contenders import why_no_trial
from tandem.desk.graded import keep_grades
from tandem.desk.registration import tell_mlflow
from tandem.desk.shadow import Shadow
from tandem.desk.trial import minutes_of, record_verdict, shadow_day, try_challenger, watch_champion
from tandem.forecast import Verdict, act_on
from tandem.market import Refusal, Session
from tandem.screening import Passport
from tandem.store import Facts, Record, Stages, Store

if TYPE_CHECKING:
    from tandem.forecast import MlflowRegistry

Reach = Callable[[Store, Facts, Settings, str], Verdict]


def close_day(
    store: Store,
    facts: Facts,
    session: Session,
    settings: Settings,
    registry: "MlflowRegistry | None",
    sectors: Iterable[str] | None = None,
) -> list[Verdict]:
    """Keep grades and shadow books, watch the champions, try the challengers; promote or demote as it comes out.

    Each verdict is on record before it is acted upon, and counts from the session's close. Again, it changes nothing:
    the first verdict of a session stays, and a recipe that was moved since the close is left where it is. So one that
    was killed is simply done again. MLflow away is a Refusal on record.

    Args:
        session: one that is over.
        registry: None tells MLflow nothing.
        sectors: those that had pairs where None.

    Raises:
        ConfigError: a trial without a challenger.
        DataError: the shadow books cannot be kept; the champions were watched by then.
    """
    sectors = list(sectors) if sectors is not None else sectors_of(facts, session)
    _keep_grades(store, facts, session)
    watched = [_concluded(store, facts, session, settings, sector, watch_champion) for sector in sectors]
    shadow_day(store, facts, session, settings)
    tried = [
        _concluded(store, facts, session, settings, sector, try_challenger)
        for sector in sectors
        if _on_record(facts, session, sector, try_challenger) or not why_no_trial(facts, settings, sector)
    ]
    if registry is not None:
        _mirror(registry, store, facts, session)
    return [*watched, *tried]


def sectors_of(facts: Facts, session: Session) -> list[str]:
    """Sectors that had pairs to enter in a session."""
    return sorted({record.body.sector for record in facts.read(Passport, session=session.day)})


def _keep_grades(store: Store, facts: Facts, session: Session) -> None:
    shadows = [store.facts(record.body.world) for record in facts.read(Shadow)]
    for each in (facts, *shadows):
        keep_grades(each, minutes_of(store, facts), store.blobs, session)


def _concluded(store: Store, facts: Facts, session: Session, settings: Settings, sector: str, reach: Reach) -> Verdict:
    verdict = _on_record(facts, session, sector, reach) or reach(store, facts, settings, sector)
    with facts.alone(f"verdicts of {sector}") as own:
        known = _on_record(own, session, sector, reach)  # another process may have been quicker
        if known is None:
            record_verdict(own, session, verdict)
    _act(facts, session, known or verdict)
    return known or verdict


def _on_record(facts: Facts, session: Session, sector: str, reach: Reach) -> Verdict | None:
    found = (record.body for record in facts.read(Verdict, session=session.day))
    is_trial = reach is try_challenger
    return next((each for each in found if each.sector == sector and bool(each.against) is is_trial), None)


def _act(facts: Facts, session: Session, verdict: Verdict) -> None:
    with facts.alone(f"verdicts of {verdict.sector}") as own:
        history = Stages(own).history(verdict.sector)
        if not any(each.body.recipe == verdict.recipe and each.at >= session.close for each in history):
            act_on(verdict, own, session.close)


def _mirror(registry: "MlflowRegistry", store: Store, facts: Facts, session: Session) -> None:
    refusal = tell_mlflow(registry, store.blobs, facts)
    key, known = f"refusal.mirror.{session.day}", facts.read(Refusal, session=session.day)
    if refusal is not None and key not in {record.key for record in known}:
        facts.append(Record(refusal, session.day, session.close, key))
