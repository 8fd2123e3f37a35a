"""What Prefect is told by its environment; it reads it when it is imported."""

from collections.abc import Mapping
from http.client import HTTPException
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from tandem.config import Settings
from tandem.store import Store

ANSWER_SECONDS: Final = 3.0
DATABASE: Final = "prefect_db"
QUIET: Final = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
}


def prefect_environment(settings: Settings) -> Mapping[str, str]:
    """Variables for whoever runs flows: where Prefect's server listens, and no other."""
    return {
        **QUIET,
        "PREFECT_HOME": str(settings.home.expanduser() / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{settings.operations.prefect_port}/api",
    }


def server_environment(settings: Settings, store: Store) -> Mapping[str, str]:
    """Variables for Prefect's server: its database on Tandem's own server, made where it is missing."""
    address = store.database(DATABASE).replace("postgresql+psycopg://", "postgresql+asyncpg://", 1)
    own = f"http://127.0.0.1:{settings.operations.prefect_port}"
    return {
        **prefect_environment(settings),
        "PREFECT_API_DATABASE_CONNECTION_URL": address,
        # A page from elsewhere, open in the same browser, shall not drive the flows.
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": own,
    }


def answers(url: str) -> bool:
    """Whether a server answers there, and not with an error."""
    try:
        with urlopen(url, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - our own address
            return bool(answer.status < 400)
    except (URLError, HTTPException, OSError):
        return False
