"""A search for better settings in MLflow: a run with the best recipe, and every trial's loss by its number."""

import msgspec

from tandem.config import Settings
from tandem.forecast.registry.lineage import experiment_of
from tandem.forecast.tuning.tune import Outcome
from tandem.forecast.tuning.tuned import Tuned
from tandem.market import Session, World
from tandem.screening import code_version, world_tag
from tandem.store import Tracking


def track_tuning(
    tracking: Tracking, session: Session, settings: Settings, tuned: Tuned, ended: Outcome, world: World, trials: int
) -> None:
    """Record what a study came to, once for each number of finished trials.

    Args:
        settings: of the recipe it began with.
        trials: that the ledger has counted in the family.

    Raises:
        StoreError: the tracking store is away, or its files cannot be written.
    """
    identity = {
        "level": "tuning",
        "sector": tuned.sector,
        "study": tuned.study,
        "finished": str(tuned.trials),
        "world": world_tag(world),
    }
    common = {"code_version": code_version(), "model_type": "gru_garch_hybrid"}
    experiment = experiment_of(tuned.sector, settings)
    with (
        tracking.alone(f"tuning {tuned.study}"),
        tracking.runs(experiment, session.morning, common) as runs,
    ):
        if runs.known(identity):
            return
        runs.add(
            f"tuning of {tuned.sector} {tuned.session}",
            identity,
            {**tuned.params, "version": tuned.version, "pairs": ", ".join(tuned.pairs)},
            _figures(tuned) | {"trials": float(trials), "pruned": float(tuned.pruned)},
            steps=[("trial_log_loss", each.loss, each.number) for each in ended.trials],
            files={"trials.json": msgspec.json.encode(ended), "model.yaml": tuned.block().encode()},
        )


def _figures(tuned: Tuned) -> dict[str, float]:
    found = {f"validation_{name}": value for name, value in tuned.scores.items()}
    for rival, scores in tuned.baselines.items():
        found |= {f"validation_{name}_{rival}": value for name, value in scores.items()}
    before = {} if tuned.own_loss is None else {"validation_log_loss_before": tuned.own_loss}
    return found | before
