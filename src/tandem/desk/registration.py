"""A morning's refits in MLflow: a fact first, then told, or, where it is away, told as soon as it is back."""

from typing import TYPE_CHECKING

from tandem.desk.configuration import fact_key
from tandem.desk.plan import Plan, passport_key
from tandem.forecast import PairModel, Registration, is_behind, owed
from tandem.market import Calendar, DataError, Refusal, Session, StoreError
from tandem.screening import Passport
from tandem.store import Blobs, Facts, Record

if TYPE_CHECKING:
    from tandem.forecast import MlflowRegistry


def as_owed(session: Session, asked: Registration) -> Record[Registration]:
    """The fact that MLflow has yet to be told of a refit. It has all that is told but what the plan has."""
    key = fact_key("registration", session.day, asked.configuration, asked.sector, asked.recipe)
    return Record(asked, session.day, session.morning, key)


def mlflow_lacks(facts: Facts) -> bool:
    """Whether MLflow has yet to be told of a refit or a stage: it was away, or a process was killed."""
    return bool(owed(facts)) or is_behind(facts)


def tell_mlflow(registry: "MlflowRegistry", blobs: Blobs, facts: Facts) -> Refusal | None:
    """Tell MLflow what it has yet to be told: refits of mornings on which it was away, then the stages.

    What was cut off is gone on with. A refit that cannot be read keeps the others and the stages from nothing.

    Returns:
        Why not all of it was told; None where MLflow lacks nothing.
    """
    why = ""
    try:
        for record in owed(facts):
            try:
                _tell(registry, blobs, facts, record)
            except DataError as error:
                why = f"{record.body.name}: {error}"
        if is_behind(facts):
            registry.mirror(facts)
    except Exception as error:
        # Whatever happens to MLflow, its files or its pictures: the day goes on without.
        why = str(error) if isinstance(error, StoreError) else f"{type(error).__name__}: {error}"
    return Refusal("not mirrored", why, "forecast") if why else None


def _tell(registry: "MlflowRegistry", blobs: Blobs, facts: Facts, record: Record[Registration]) -> None:
    asked, session = record.body, Calendar().session(record.session)
    plans = [each.body for each in facts.read(Plan, session=record.session)]
    refits = [plan.refit(asked.sector, asked.recipe) for plan in plans if plan.version == asked.configuration]
    if session is None or not refits or refits[-1] is None:
        raise DataError(f"no plan of {record.session} has the refit of {asked.recipe} of {asked.sector}")
    found = {pair: PairModel.from_bytes(blobs.get(digest)) for pair, digest in refits[-1].models.items()}
    passports = [
        each.body
        for each in facts.read(Passport, session=session.day)
        if str(each.body.pair) in found and each.key == passport_key(each.body, asked.configuration)
    ]
    models = {passport.pair: found[str(passport.pair)] for passport in passports}
    made = registry.register(session, asked, passports, models)
    facts.append(Record(made, session.day, session.morning, f"registered.{made.name}.{made.version}"))
