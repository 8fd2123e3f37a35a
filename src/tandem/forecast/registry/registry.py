"""What was tried and what trades, in MLflow: a run per pair, one registered model per recipe and day."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tandem.config import Settings, as_yaml
from tandem.forecast.model import PairModel
from tandem.forecast.registry import lineage
from tandem.forecast.registry.drawing import Drawing
from tandem.forecast.registry.mirror import TAG, mirror
from tandem.forecast.registry.package import package
from tandem.forecast.registry.registered import ModelRegistered
from tandem.market import Pair, Session, World
from tandem.screening import Passport
from tandem.store import Facts, Runs, Stage, Tracking, TrialCount


class MlflowRegistry:
    """MLflow's tracking store and registry, without a server.

    Args:
        tracking_uri: of the tracking database, `postgresql+psycopg://.../mlflow_db`.
        artifacts: the folder for pictures and models.

    Attributes:
        tracking: the connection.
    """

    def __init__(self, tracking_uri: str, artifacts: Path) -> None:
        self.tracking = Tracking(tracking_uri, artifacts)

    def record_day(
        self,
        session: Session,
        sector: str,
        passports: Sequence[Passport],
        models: Mapping[Pair, PairModel],
        settings: Settings,
        screen_facts: Mapping[str, float | str] | None = None,
        *,
        pictures: bool = True,
        world: World | None = None,
        refused: str = "",
        tried: TrialCount | None = None,
    ) -> ModelRegistered:
        """Log a run for the day and one for each pair, and register the day's models as one, in Staging.

        Args:
            session: the trading day.
            sector: of its pairs.
            passports: of the selected pairs, best score first, at least one.
            models: by pair; every passport has one.
            settings: what they were made with; `model.version` is the recipe.
            screen_facts: of the day's screen; numbers become metrics, words parameters.
            pictures: whether to draw three pictures per pair.
            world: the account that will trade them.
            refused: why the refit must not trade; it is registered as Archived.
            tried: in the sector, by the ledger; it deflates each pair's Sharpe ratio.

        Raises:
            StoreError: the tracking store is away.
        """
        recipe = settings.model.version
        tags = lineage.tags(session, sector, passports, models, settings, world)
        name = lineage.model_name(session, sector, recipe)
        figures = {passport.pair: lineage.figures(passport, models[passport.pair], tried) for passport in passports}
        document = {"settings.yaml": as_yaml(settings).encode()}
        asked = [(passport, models[passport.pair]) for passport in passports] if pictures else []
        with (
            Drawing(asked) as drawing,
            self.tracking.runs(lineage.experiment_of(sector, settings), session.morning, tags) as runs,
        ):
            words, numbers = lineage.totals(models, screen_facts or {}, refused)
            with runs.begun(f"{sector} {session.day}", {}, words, numbers, files=document) as run:
                for passport in passports:
                    model = models[passport.pair]
                    child = runs.add(
                        f"{passport.pair} {session.day}",
                        {"mlflow.parentRunId": run, "pair": str(passport.pair), "trades_with": model.trades_with},
                        lineage.params(sector, settings, model),
                        figures[passport.pair],
                        lineage.epochs(model),
                        files={"passport.json": msgspec.json.encode(passport), **document},
                    )
                    drawing.keep(passport.pair, runs.folder(child))
                version = _register(runs, {**tags, TAG: _stage(refused)}, name, run, passports, models)
        return ModelRegistered(
            name,
            version,
            run,
            pairs=tuple(str(passport.pair) for passport in passports),
            trades_with={str(passport.pair): models[passport.pair].trades_with for passport in passports},
            metrics={str(pair): found for pair, found in figures.items()},
            sector=sector,
            recipe=recipe,
            refused=refused,
        )

    def record_trading(self, registered: ModelRegistered, metrics: Mapping[str, float]) -> None:
        """Add what the day's trading came to (`sharpe_ratio`, `win_rate`, ...) to its run.

        Raises:
            StoreError: the tracking store is away.
        """
        with self.tracking.client() as client:
            for name, value in metrics.items():
                client.log_metric(registered.run_id, name, value)

    def mirror(self, facts: Facts) -> tuple[str, ...]:
        """Bring MLflow's stages and aliases to what the world's facts say; what was changed, in words.

        Raises:
            StoreError: the tracking store is away.
        """
        return mirror(self.tracking, facts)


def _stage(refused: str) -> Stage:
    return Stage.ARCHIVED if refused else Stage.STAGING


def _register(
    runs: Runs,
    tags: Mapping[str, str],
    name: str,
    run: str,
    passports: Sequence[Passport],
    models: Mapping[Pair, PairModel],
) -> str:
    client = runs.client
    logged = client.create_logged_model(runs.experiment, name="pairs", source_run_id=run, tags=dict(tags))
    with TemporaryDirectory() as folder:
        client.log_model_artifacts(logged.model_id, str(package(Path(folder), passports, models)))
    client.finalize_logged_model(logged.model_id, "READY")
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name, tags={key: value for key, value in tags.items() if key != TAG})
    # The source is a path: for `models:/...` MLflow asks its global tracking store, not this one.
    made = client.create_model_version(
        name, source=logged.artifact_location, run_id=run, tags=dict(tags), model_id=logged.model_id
    )
    return str(made.version)
