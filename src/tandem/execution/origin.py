"""Where live bars come from, and how they are marked in the store."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit

import msgspec

from tandem.config import AlpacaSettings, connection, unreachable
from tandem.execution.alpaca import bases
from tandem.market import NEW_YORK, Calendar, Clock, RecyclerError, WallClock, World
from tandem.recycler import world_of

STREAM: Final = "wss://stream.data.alpaca.markets/v2"
SECONDS: Final = 5.0
ANY: Final = "recycler"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Moment:
    """Market time, UTC, and whether the exchange is open then."""

    now: datetime
    is_open: bool


class MarketTime(Protocol):
    """What time it is where the bars come from."""

    def moment(self) -> Moment:
        """Market time.

        Raises:
            RecyclerError: nobody can tell.
        """
        ...

    def world(self) -> World | None:
        """The world whose bars are heard now; None where they are everybody's."""
        ...


@dataclass(frozen=True, slots=True)
class Origin:
    """One server of live bars.

    Attributes:
        name: for people.
        stream: URL of its stream.
        rest: base URL of its history; None for Alpaca's own.
        account: its keys and feed.
        source: what the bars are marked with.
        time: market time there.
    """

    name: str
    stream: str
    rest: str | None
    account: AlpacaSettings
    source: str
    time: MarketTime

    @property
    def keys(self) -> tuple[str, str]:
        """Key id and secret key."""
        return self.account.keys()


def at_alpaca(account: AlpacaSettings) -> Origin:
    """Alpaca's own stream, at the wall clock."""
    return Origin("Alpaca", f"{STREAM}/{account.data_feed}", None, account, "alpaca", Exchange())


def at_recycler(url: str, feed: str = "iex", *, key_id: str = "", secret_key: str = "", token: str = "") -> Origin:
    """A recycler's stream, at its replay's clock.

    Args:
        url: where it listens, `ws://...` or `http://...`.
        feed: `iex` or `sip`; the recycler plays the same on both.
        key_id, secret_key: where it asks for certain ones.
        token: of its control API; empty where it needs none.
    """
    http, ws = bases(url)
    keys = {"key_id": key_id or ANY, "secret_key": secret_key or ANY}
    account = AlpacaSettings.model_validate({**keys, "data_feed": feed})
    time = Replayed(http or "", keys["key_id"], keys["secret_key"], token)
    return Origin("the recycler", f"{ws}/v2/{feed}", http, account, "recycled", time)


class Exchange:
    """The exchange's own time: bars of now are everybody's.

    Args:
        clock: what tells the time; the wall clock unless a test says otherwise.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or WallClock()
        self._calendar = Calendar()

    def moment(self) -> Moment:
        """See `MarketTime.moment`."""
        now = self._clock.now()
        session = self._calendar.session(now.astimezone(NEW_YORK).date())
        return Moment(now, session is not None and session.contains(now))

    def world(self) -> World | None:
        """None: bars of the exchange are everybody's."""
        return None


class Replayed:
    """A replay's time, asked of its recycler."""

    def __init__(self, http: str, key_id: str, secret_key: str, token: str = "") -> None:
        self._base = http
        self._keys = {"APCA-API-KEY-ID": key_id, "APCA-API-SECRET-KEY": secret_key}
        self._token = {"Authorization": f"Bearer {token}"} if token else {}

    def moment(self) -> Moment:
        """See `MarketTime.moment`."""
        return self._ask("/v2/clock", self._keys, _moment)

    def world(self) -> World | None:
        """The recycler's world, as its status says."""
        return self._ask("/control/status", self._token, lambda said: world_of(said["world"]))

    def _ask(self, path: str, headers: dict[str, str], read: Callable[[dict[str, Any]], T]) -> T:
        line = connection(self._base, SECONDS)
        try:
            line.request("GET", path, headers=headers)
            answer = line.getresponse()
            said = msgspec.json.decode(answer.read())
            if answer.status < 400:
                return read(said)
        except (OSError, HTTPException, msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
            raise RecyclerError(*unreachable(self._base)) from error
        finally:
            line.close()
        why = str(said.get("message", answer.status)).rstrip(".")
        needed = "TANDEM_RECYCLER_KEY_ID and TANDEM_RECYCLER_SECRET_KEY" if read is _moment else "TANDEM_RECYCLER_TOKEN"
        raise RecyclerError(f"the recycler at {urlsplit(self._base).netloc} refuses: {why}", f"Set {needed}.")


def _moment(said: dict[str, Any]) -> Moment:
    return Moment(datetime.fromisoformat(said["timestamp"]).astimezone(UTC), bool(said["is_open"]))
