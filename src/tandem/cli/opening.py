"""The store that the settings name."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tandem.store import Store


def open_store() -> "Store":
    """The store of the settings in force, connected and migrated; the caller closes it."""
    from tandem.config import load
    from tandem.store import Store

    settings = load()
    return Store.open(settings.home, settings.database_url.get_secret_value() if settings.database_url else None)
