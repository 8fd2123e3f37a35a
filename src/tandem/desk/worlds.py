"""MLflow and the world that settings name."""

from typing import TYPE_CHECKING

from tandem.config import Settings
from tandem.market import ConfigError, World, WorldKind
from tandem.store import Store

if TYPE_CHECKING:
    from tandem.forecast import MlflowRegistry


def registry_of(store: Store, settings: Settings) -> "MlflowRegistry":
    """MLflow, as the settings have it."""
    from tandem.forecast import MlflowRegistry

    return MlflowRegistry(store.database("mlflow_db"), settings.home.expanduser() / "artifacts")


def kind_of(settings: Settings) -> WorldKind:
    """Which kind of world these settings trade in."""
    if settings.websocket.mode == "recycler":
        return WorldKind.RECYCLER
    return WorldKind.PAPER if settings.alpaca.paper else WorldKind.LIVE


def newest_of_kind(store: Store, settings: Settings) -> World | None:
    """The youngest world of the kind that the settings trade in; None where there is none yet."""
    return next((world for world in reversed(store.worlds()) if world.kind is kind_of(settings)), None)


def world_named(store: Store, name: str) -> World:
    """The world of a name.

    Raises:
        ConfigError: none has it.
    """
    worlds = store.worlds()
    found = next((world for world in worlds if str(world) == name), None)
    if found is None:
        known = ", ".join(str(world) for world in worlds[-5:]) or "none yet"
        raise ConfigError(f"no world is called {name}", f"The newest are: {known}.")
    return found
