"""The ports that a desk listens on, looked at before anything starts."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from tandem.config import Settings, is_free
from tandem.market import ConfigError


def ports_of(settings: Settings) -> Mapping[str, int]:
    """Each setting that names a port of `tandem up`, with that port."""
    known = {
        "operations.prefect_port": settings.operations.prefect_port,
        "operations.mlflow_port": settings.operations.mlflow_port,
        "dashboard.port": settings.dashboard.port,
    }
    if settings.websocket.mode == "recycler":
        known["websocket.recycler.server_url"] = urlsplit(settings.websocket.recycler.server_url).port or 0
    return known


def check_ports(ports: Mapping[str, int]) -> None:
    """Refuse to start where a port cannot be had; 0 is any that is free.

    Args:
        ports: by the setting that names each.

    Raises:
        ConfigError: somebody listens on one, or two settings name the same.
    """
    owners: dict[int, str] = {}
    for setting, port in ports.items():
        if port and port in owners:
            raise ConfigError(f"{owners[port]} and {setting} are both port {port}", "Give one of them another")
        if port and not is_free(port):
            raise ConfigError(f"port {port} is taken", f"End what listens there, or set {setting} to another")
        owners[port] = setting
