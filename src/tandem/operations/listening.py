"""Where a server of ours listens."""

import socket
from ipaddress import ip_address

from tandem.market import TandemError


def is_loopback(host: str) -> bool:
    """Whether nobody else's machine can reach it."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there; the caller closes it.

    Raises:
        TandemError: the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise TandemError(
            f"{host}:{port} cannot be listened on: {why}", "Choose another with --port or --host"
        ) from None


def in_url(host: str) -> str:
    """A host as a URL has it."""
    return f"[{host}]" if ":" in host else host
