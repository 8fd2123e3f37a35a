"""What was tried and what trades, in MLflow: a run per pair, one registered model per day."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec

from tandem.config import Settings
from tandem.forecast import lineage
from tandem.forecast.model import PairModel
from tandem.forecast.package import package
from tandem.forecast.pictures import pictures as drawn
from tandem.forecast.registered import ModelRegistered
from tandem.market import Pair, Session, World
from tandem.screening import world_tag
from tandem.store import Runs, Tracking

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from tandem.screening import Passport

STAGING, PRODUCTION, ARCHIVED = "Staging", "Production", "Archived"
CHAMPION = "champion"


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
        passports: Sequence["Passport"],
        models: Mapping[Pair, PairModel],
        settings: Settings,
        screen_facts: Mapping[str, float | str] | None = None,
        *,
        pictures: bool = True,
        world: World | None = None,
    ) -> ModelRegistered:
        """Log a run for the day and one for each pair, and register the day's models as one, in Staging.

        Args:
            session: the trading day.
            sector: of its pairs.
            passports: of the selected pairs, best score first, at least one.
            models: by pair; every passport has one.
            settings: what they were made with.
            screen_facts: of the day's screen; numbers become metrics, words parameters.
            pictures: whether to draw three pictures per pair.
            world: the account that will trade them.

        Raises:
            StoreError: the tracking store is away.
        """
        tags = lineage.tags(session, sector, passports, settings, world)
        name = lineage.model_name(session, sector, settings)
        with self.tracking.runs(lineage.experiment_of(sector, settings), session.morning, tags) as runs:
            run = runs.add(f"{sector} {session.day}", {}, *_totals(models, screen_facts or {}))
            for passport in passports:
                model = models[passport.pair]
                runs.add(
                    f"{passport.pair} {session.day}",
                    {"mlflow.parentRunId": run, "pair": str(passport.pair), "trades_with": model.trades_with},
                    lineage.params(sector, settings, model),
                    lineage.figures(passport, model),
                    lineage.epochs(model),
                    files=_artifacts(passport, model, pictures=pictures),
                )
            version = _register(runs, tags, name, run, passports, models)
        return ModelRegistered(
            name,
            version,
            run,
            pairs=tuple(str(passport.pair) for passport in passports),
            trades_with={str(passport.pair): models[passport.pair].trades_with for passport in passports},
            metrics={str(passport.pair): lineage.figures(passport, models[passport.pair]) for passport in passports},
        )

    def record_trading(self, registered: ModelRegistered, metrics: Mapping[str, float]) -> None:
        """Add what the day's trading came to (`sharpe_ratio`, `win_rate`, ...) to its run.

        Raises:
            StoreError: the tracking store is away.
        """
        with self.tracking.client() as client:
            for name, value in metrics.items():
                client.log_metric(registered.run_id, name, value)

    def promote(self, name: str, version: str) -> None:
        """Make a version the sector's Production in its world, alias `champion`; the one before is Archived.

        Raises:
            StoreError: the tracking store is away, or has no such version.
        """
        with self.tracking.client() as client:
            for former in _in_production(client, client.get_model_version(name, version).tags):
                client.set_model_version_tag(former.name, former.version, "stage", ARCHIVED)
                champion = client.get_registered_model(former.name).aliases.get(CHAMPION)
                if str(champion) == str(former.version):
                    client.delete_registered_model_alias(former.name, CHAMPION)
            client.set_model_version_tag(name, version, "stage", PRODUCTION)
            client.set_registered_model_alias(name, CHAMPION, version)

    def stage(self, name: str, version: str) -> str:
        """`Staging`, `Production` or `Archived`.

        Raises:
            StoreError: the tracking store is away, or has no such version.
        """
        with self.tracking.client() as client:
            return str(client.get_model_version(name, version).tags["stage"])

    def champion(self, sector: str, world: World | None = None) -> ModelRegistered | None:
        """The sector's Production model in a world, without its figures; None where nothing was promoted.

        Raises:
            StoreError: the tracking store is away.
        """
        with self.tracking.client() as client:
            found = _in_production(client, {"sector": sector, "world": world_tag(world)})
            return ModelRegistered(found[0].name, str(found[0].version), found[0].run_id, ()) if found else None


def _register(
    runs: Runs,
    tags: dict[str, str],
    name: str,
    run: str,
    passports: Sequence["Passport"],
    models: Mapping[Pair, PairModel],
) -> str:
    client = runs.client
    logged = client.create_logged_model(runs.experiment, name="pairs", source_run_id=run, tags=tags)
    with TemporaryDirectory() as folder:
        client.log_model_artifacts(logged.model_id, str(package(Path(folder), passports, models)))
    client.finalize_logged_model(logged.model_id, "READY")
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name, tags=tags)
    # The source is a path: for `models:/...` MLflow asks its global tracking store, not this one.
    made = client.create_model_version(
        name,
        source=logged.artifact_location,
        run_id=run,
        tags={**tags, "stage": STAGING},
        model_id=logged.model_id,
    )
    return str(made.version)


def _in_production(client: "MlflowClient", tags: Mapping[str, str]) -> list[Any]:
    found = client.search_model_versions(f"tag.stage = '{PRODUCTION}'")
    return [each for each in found if all(each.tags.get(key) == tags.get(key) for key in ("sector", "world"))]


def _totals(
    models: Mapping[Pair, PairModel], screen_facts: Mapping[str, float | str]
) -> tuple[dict[str, object], dict[str, float]]:
    words: dict[str, object] = {name: value for name, value in screen_facts.items() if isinstance(value, str)}
    numbers = {name: float(value) for name, value in screen_facts.items() if not isinstance(value, str)}
    with_gru = float(sum(model.trades_with == "gru" for model in models.values()))
    return words, {**numbers, "pairs": float(len(models)), "pairs_with_gru": with_gru}


def _artifacts(passport: "Passport", model: PairModel, *, pictures: bool) -> dict[str, bytes]:
    return {"passport.json": msgspec.json.encode(passport)} | (drawn(passport, model) if pictures else {})
