"""Pairs and models that are no longer what they were."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tandem.forecast import Verdict
from tandem.market import Refusal
from tandem.operations.alerts.known import Happened, Known
from tandem.operations.alerts.rules.finding import Finding
from tandem.operations.run.wording import clock_time
from tandem.store import StageChanged


def drift(known: Known, moment: datetime, _: float) -> Iterator[Finding]:
    """A pair left the relation it was chosen for, or a model its own record; until the next session decides."""
    for each in known.happened:
        body, pair = each.record.body, each.record.pair or ""
        if isinstance(body, Refusal) and _stands(known, each, "drift", pair):
            yield Finding(pair, f"{pair} has drifted", f"No entries: {body.why}.", pair)
        elif isinstance(body, Verdict) and _stands(known, each, "drift", subject := f"{body.sector} {body.recipe}"):
            yield Finding(subject, f"{body.recipe} of {body.sector} has drifted", f"{body.why}.")


def demotion(known: Known, moment: datetime, _: float) -> Iterator[Finding]:
    """A model was taken out of Production; until the next session decides."""
    for each in known.happened:
        body = each.record.body
        if isinstance(body, StageChanged) and _stands(
            known, each, "demotion", subject := f"{body.sector} {body.recipe}"
        ):
            instead = f" {body.against} comes in its place." if body.against else " The baseline trades its pairs."
            title = f"{body.recipe} of {body.sector} was {body.move}"
            yield Finding(subject, title, f"By {body.by}: {body.why}.{instead}")


def refit_refused(known: Known, moment: datetime, _: float) -> Iterator[Finding]:
    """A refit of the newest morning must not trade."""
    if known.plan is None:
        return
    for refit in known.plan.body.refits:
        if refit.refused:
            title = f"The refit of {refit.recipe} in {refit.sector} must not trade"
            yield Finding(
                f"{refit.sector} {refit.recipe}", title, f"{refit.refused}. The baseline trades in its place."
            )


def not_registered(known: Known, moment: datetime, minutes: float) -> Iterator[Finding]:
    """The registry has not been told of a refit for so long."""
    for record in known.owed.values():
        if moment - record.at >= timedelta(minutes=minutes):
            text = f"MLflow has not been told of the refit of {clock_time(record.at)}; it trades all the same."
            yield Finding(record.body.name, f"{record.body.name} is not registered", text)


def _stands(known: Known, happened: Happened, rule: str, subject: str) -> bool:
    """In the session it happened in; in the next one as long as it has not been told."""
    if happened.number == known.sessions:
        return True
    return happened.number == known.sessions - 1 and known.told.get((rule, subject), -1) < happened.number
