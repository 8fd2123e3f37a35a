"""The recycler's own certificate, which Tandem's clients trust on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from http.client import HTTPConnection
    from ssl import SSLContext

SECURE: Final = ("https", "wss")
NAMES: Final = ("localhost", "127.0.0.1", "::1")
FILE: Final = Path("tls") / "recycler.pem"


def own_certificate(url: str | None) -> Path | None:
    """The certificate of a recycler that speaks TLS at this address; None where it is another server's business.

    Args:
        url: `wss://...` or `https://...` of this machine.
    """
    from tandem.config.load import load

    parts = urlsplit(url or "")
    if parts.scheme not in SECURE or parts.hostname not in NAMES:
        return None
    file = load().home / FILE
    return file if file.exists() else None


def trusting(url: str | None) -> "SSLContext | None":
    """What verifies the server at this address; None where it speaks no TLS."""
    if urlsplit(url or "").scheme not in SECURE:
        return None
    import ssl

    context = ssl.create_default_context()
    if (file := own_certificate(url)) is not None:
        context.load_verify_locations(file)
    return context


def connection(url: str, seconds: float) -> "HTTPConnection":
    """A connection to the server at `http://...` or `https://...`, not yet open.

    Args:
        url: its address.
        seconds: how long each answer may take.
    """
    from http.client import HTTPConnection, HTTPSConnection

    parts, context = urlsplit(url), trusting(url)
    host = parts.hostname or "localhost"
    if context is not None:
        return HTTPSConnection(host, parts.port or 443, timeout=seconds, context=context)
    return HTTPConnection(host, parts.port or 80, timeout=seconds)


def speaks_tls(host: str, port: int, seconds: float = 1.0) -> bool:
    """Whether the server there answers a TLS greeting."""
    import socket
    import ssl

    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE  # nothing is sent; only the greeting counts
    try:
        with socket.create_connection((host, port), seconds) as line, anybody.wrap_socket(line):
            return True
    except OSError:
        return False


def unreachable(url: str) -> tuple[str, str]:
    """What is wrong with a recycler's address at which nobody answers, and the mend."""
    parts = urlsplit(url)
    where = parts.netloc
    if parts.scheme in SECURE:
        return f"no recycler answers at {where} with a certificate that is trusted", _MEND_TLS
    if speaks_tls(parts.hostname or "localhost", parts.port or 80):
        return f"the recycler at {where} speaks TLS", f"Its address is wss://{where}: give that as --url or server_url."
    return f"no recycler answers at {where}", "Start one: `tandem recycler start`."


_MEND_TLS: Final = "Start one with `tandem recycler start --tls`; one without TLS is at ws:// instead."


def is_free(port: int) -> bool:
    """Whether nothing listens on a port of this machine."""
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
