"""What was tried and what trades, in MLflow: a run per pair, one registered model per recipe and day."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import msgspec

from tandem.config import Settings
from tandem.forecast.model import PairModel
from tandem.forecast.registry import lineage
from tandem.forecast.registry.drawing import Drawing
from tandem.forecast.registry.mirror import TAG, mirror
from tandem.forecast.registry.package import package
from tandem.forecast.registry.registered import ModelRegistered
from tandem.forecast.registry.registration import Registration
from tandem.market import Pair, Session, World
from tandem.screening import Passport
from tandem.store import Facts, Runs, Stage, Tracking, TrialCount

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel

PARENT: Final = "mlflow.parentRunId"
REFIT: Final = "refit"


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
        asked = Registration.of(session, sector, passports, models, settings, world, refused=refused, tried=tried)
        return self.register(session, asked, passports, models, screen_facts, pictures=pictures)

    def register(
        self,
        session: Session,
        asked: Registration,
        passports: Sequence[Passport],
        models: Mapping[Pair, PairModel],
        screen_facts: Mapping[str, float | str] | None = None,
        *,
        pictures: bool = True,
    ) -> ModelRegistered:
        """The same of a refit whose registration was made up before; one that is there already is left as it is.

        What an attempt that was cut off has left is superseded.

        Args:
            asked: made of the same session, passports and models.

        Raises:
            StoreError: the tracking store is away.
        """
        figures = {each.pair: lineage.figures(each, models[each.pair], asked.tried) for each in passports}
        settings = asked.made_with
        experiment = lineage.experiment_of(asked.sector, settings)
        with (
            self.tracking.alone(f"refit {asked.refit}"),
            self.tracking.runs(experiment, session.morning, {**asked.tags, REFIT: asked.refit}) as runs,
        ):
            version, run = _known(runs, asked) or self._record(
                runs, session, asked, settings, passports, models, figures, screen_facts or {}, pictures
            )
        return ModelRegistered(
            asked.name,
            version,
            run,
            pairs=tuple(str(passport.pair) for passport in passports),
            trades_with={str(passport.pair): models[passport.pair].trades_with for passport in passports},
            metrics={str(pair): found for pair, found in figures.items()},
            sector=asked.sector,
            recipe=asked.recipe,
            refused=asked.refused,
            refit=asked.refit,
            configuration=asked.configuration,
        )

    def _record(
        self,
        runs: Runs,
        session: Session,
        asked: Registration,
        settings: Settings,
        passports: Sequence[Passport],
        models: Mapping[Pair, PairModel],
        figures: Mapping[Pair, Mapping[str, float]],
        screen_facts: Mapping[str, float | str],
        pictures: bool,
    ) -> tuple[str, str]:
        """The version's number and the run's id. The version comes last: a refit that has one is whole."""
        left = [each for each in runs.known({REFIT: asked.refit}) if PARENT not in each.data.tags]
        document = {"settings.yaml": asked.settings.encode()}
        drawn = [(passport, models[passport.pair]) for passport in passports] if pictures else []
        words, numbers = lineage.totals(models, screen_facts, asked.refused)
        with (
            runs.begun(f"{asked.sector} {session.day}", {}, words, numbers, files=document) as run,
            Drawing(drawn) as drawing,
        ):
            for passport in passports:
                model = models[passport.pair]
                child = runs.add(
                    f"{passport.pair} {session.day}",
                    {PARENT: run, "pair": str(passport.pair), "trades_with": model.trades_with},
                    lineage.params(asked.sector, settings, model),
                    figures[passport.pair],
                    lineage.epochs(model),
                    files={"passport.json": msgspec.json.encode(passport), **document},
                )
                drawing.keep(passport.pair, runs.folder(child))
            logged = _logged(runs, asked, run, passports, models)
        for each in left:
            runs.supersede(each, run)
        return _version(runs, asked, run, logged), run

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


def _known(runs: Runs, asked: Registration) -> tuple[str, str] | None:
    found = runs.client.search_model_versions(f"name = '{asked.name}' and tag.{REFIT} = '{asked.refit}'")
    return (str(found[0].version), str(found[0].run_id)) if found else None


def _logged(
    runs: Runs, asked: Registration, run: str, passports: Sequence[Passport], models: Mapping[Pair, PairModel]
) -> "LoggedModel":
    client = runs.client
    logged = client.create_logged_model(runs.experiment, name="pairs", source_run_id=run, tags=_tags(asked))
    with TemporaryDirectory() as folder:
        client.log_model_artifacts(logged.model_id, str(package(Path(folder), passports, models)))
    client.finalize_logged_model(logged.model_id, "READY")
    return logged


def _version(runs: Runs, asked: Registration, run: str, logged: "LoggedModel") -> str:
    client = runs.client
    if not client.search_registered_models(f"name = '{asked.name}'"):
        client.create_registered_model(asked.name, tags=dict(asked.tags))
    # The source is a path: for `models:/...` MLflow asks its global tracking store, not this one.
    made = client.create_model_version(
        asked.name, source=logged.artifact_location, run_id=run, tags=_tags(asked), model_id=logged.model_id
    )
    return str(made.version)


def _tags(asked: Registration) -> dict[str, str]:
    stage = Stage.ARCHIVED if asked.refused else Stage.STAGING
    return {**asked.tags, REFIT: asked.refit, TAG: stage.value}
