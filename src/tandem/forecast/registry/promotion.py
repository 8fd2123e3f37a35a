"""From what a trial came to, to the stages."""

from datetime import datetime
from typing import Final

from tandem.forecast.verdict import Verdict
from tandem.store import Facts, StageChanged, Stages

TRIAL: Final = "trial"


def act_on(verdict: Verdict, facts: Facts, at: datetime, by: str = TRIAL) -> tuple[StageChanged, ...]:
    """Promote or demote as a verdict says, with its evidence on record; nothing where that is so already.

    Args:
        at: market time; sessions follow from their next decision on.

    Raises:
        DataError: a promotion without evidence, or of a recipe that is not in Staging.
    """
    stages = Stages(facts)
    is_in_production = stages.production(verdict.sector) == verdict.recipe
    if verdict.action == "keep" or (verdict.action == "promote") is is_in_production:
        return ()
    move = stages.promote if verdict.action == "promote" else stages.demote
    return move(verdict.sector, verdict.recipe, why=verdict.why, by=by, at=at, evidence=verdict.evidence)
