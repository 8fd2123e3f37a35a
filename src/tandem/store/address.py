"""How a database is named: URLs, and what may be shown of them."""

from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from tandem.market import StoreError

SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")


def normalised(url: str) -> str:
    """The URL as SQLAlchemy wants it for psycopg 3: `postgresql+psycopg://...`.

    Raises:
        StoreError: not a URL of a PostgreSQL database. The URL is not quoted: it may hold a password.
    """
    scheme, mark, rest = url.strip().partition("://")
    if not mark or scheme not in SCHEMES:
        raise _not_an_address()
    address = f"postgresql+psycopg://{rest}"
    if not _parts(address).path.strip("/"):
        raise _not_an_address()
    return address


def for_psycopg(url: str) -> str:
    """The same database as libpq spells it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def shown(url: str) -> str:
    """Server, port and database: what a message may say."""
    parts = _parts(url)
    host = parts.hostname or "the local socket"
    return f"{host}{f':{parts.port}' if parts.port else ''}{parts.path}"


def scrubbed(text: str, url: str) -> str:
    """A message without the password or any option of the URL."""
    parts = _parts(url)
    options = [value for name, value in parse_qsl(parts.query) if name not in ("host", "port")]
    for secret in filter(None, (parts.password, unquote(parts.password or ""), *options)):
        text = text.replace(secret, "***")
    return text


def on_same_server(url: str, database: str) -> str:
    """The URL of another database on the same server."""
    parts = _parts(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}/{quote(database)}{query}"


def database_of(url: str) -> str:
    """The name of the database."""
    return _parts(url).path.strip("/")


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise _not_an_address() from None
    return parts


def _not_an_address() -> StoreError:
    return StoreError(
        "TANDEM_DATABASE_URL is not the address of a PostgreSQL database",
        "Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, special characters percent-encoded",
    )
