"""A ranking of all pairs in MLflow: a run for the ranking, under it one for each of the best pairs."""

from math import isfinite
from typing import Final

from tandem.config import Settings
from tandem.forecast.ranking.ranking import Ranked, Ranking
from tandem.forecast.registry import lineage
from tandem.market import Session, World
from tandem.screening import code_version, world_tag
from tandem.store import Runs, Tracking

# MLflow takes some tens of runs a second, and a sector may have thousands of pairs; the others are in the document.
MOST_CHILDREN: Final = 100
NOTE: Final = "mlflow.note.content"


def track_ranking(
    tracking: Tracking,
    session: Session,
    ranking: Ranking,
    fact: Ranked,
    settings: Settings,
    world: World,
    trials: int,
) -> str:
    """Record a ranking once; its run's id. A run that is there and finished is taken, others are superseded.

    Args:
        trials: that the ledger has counted in the family.

    Raises:
        StoreError: the tracking store is away, or its files cannot be written.
    """
    tags = {
        "level": "ranking",
        "sector": fact.sector,
        "session": str(session.day),
        "recipe": fact.recipe,
        "table": fact.table,
        "world": world_tag(world),
    }
    experiment = lineage.experiment_of(fact.sector, settings)
    common = {"code_version": code_version(), "model_type": "gru_garch_hybrid"}
    with (
        tracking.alone(f"ranking {fact.table}"),
        tracking.runs(experiment, session.morning, common) as runs,
    ):
        known = runs.known(tags)
        if done := [run for run in known if run.info.status == "FINISHED"]:
            return str(done[0].info.run_id)
        made = _added(runs, tags, ranking, fact, settings, trials)
        for each in known:
            runs.supersede(each, made)
        return made


def _added(runs: Runs, tags: dict[str, str], ranking: Ranking, fact: Ranked, settings: Settings, trials: int) -> str:
    best = ranking.trained[:MOST_CHILDREN]
    figures = ranking.figures(settings.model.evidence_pvalue)
    totals = {"correlated": float(fact.correlated), "left_out": float(fact.left_out), "children": float(len(best))}
    with runs.begun(
        f"all pairs of {fact.sector} {fact.session}",
        {**tags, NOTE: _told(fact, len(best))},
        {
            "sector": fact.sector,
            "lookback_days": settings.screen.formation_days,
            **settings.model.model_dump(mode="json"),
        },
        figures | totals | {"trials": float(trials)},
        files={"ranking.json": ranking.to_bytes()},
    ) as parent:
        for rank, rating in enumerate(best, start=1):
            runs.add(
                f"{rating.pair} {fact.session}",
                {"mlflow.parentRunId": parent, "level": "rating", "pair": str(rating.pair), "rank": str(rank)},
                lineage.params(fact.sector, settings, rating),
                {name: value for name, value in rating.metrics.items() if isfinite(value)},
            )
    return parent


def _told(fact: Ranked, children: int) -> str:
    left_out = f", {fact.left_out:,} were not asked for" if fact.left_out else ""
    capped = f" The best {children:,} have a run of their own." if children < fact.trained else ""
    return (
        f"Of {fact.correlated:,} pairs that passed the correlation gate of {fact.session} (version {fact.version} of "
        f"the trading configuration) {fact.trained:,} were trained and judged on their test blocks, {fact.refused:,} "
        f"had too little to learn from{left_out}.{capped} All are in ranking.json.\n\nNothing here was selected for "
        "trading by its rank: the best of many is better than it will be again."
    )
