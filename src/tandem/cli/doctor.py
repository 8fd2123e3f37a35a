"""`tandem doctor`: is everything in place, and if not, how to mend it."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter

from tandem.market import NEW_YORK, Calendar, Clock, Stopwatch, TandemError, WallClock

if TYPE_CHECKING:
    from tandem.config import Settings

PAPER: Final = "https://paper-api.alpaca.markets"
LIVE: Final = "https://api.alpaca.markets"
BARS: Final = "https://data.alpaca.markets"
PATIENCE_SECONDS: Final = 10
MAX_SKEW: Final = timedelta(seconds=2)
SHORTING_EQUITY: Final = Decimal(2_000)
ROOM_GB: Final = 2.0
KEYS: Final = "Run `tandem init`, or set TANDEM_ALPACA__KEY_ID and TANDEM_ALPACA__SECRET_KEY."


class State(StrEnum):
    """How a check came out: fine, for want of keys not asked, or something to mend."""

    OK = "ok"
    NO_KEYS = "no keys"
    MEND = "mend"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at.

    Attributes:
        name: what was looked at.
        said: what was found.
        mend: what to do about it; empty where nothing is to be done.
    """

    name: str
    state: State
    said: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.state:<8} {self.name:<10} {self.said}" + (f" -> {self.mend}" if self.mend else "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What Alpaca said: the status of the reply, its content, and how long it took."""

    status: int
    body: dict[str, Any]
    took: timedelta


class Away(Exception):
    """Alpaca could not be reached."""


Ask = Callable[[str], Answer]


def doctor(*, json: Annotated[bool, Parameter(name="--json", negative=(), show_default=False)] = False) -> int:
    """Check that everything is in place; say how to mend what is not.

    The exit status is 0 when all is well or only keys are missing, 2 otherwise.

    Parameters
    ----------
    json
        Print one JSON document instead of lines.
    """
    from tandem.config import load

    settings = load()
    checks = list(examine(settings, WallClock(), alpaca(settings)))
    well = all(check.state is not State.MEND for check in checks)
    print(_document(checks, well) if json else _page(checks, well))
    return 0 if well else 2


def examine(settings: "Settings", clock: Clock, ask: Ask | None) -> Iterator[Check]:
    """Every check in the order in which to mend them.

    Args:
        settings: the settings in force.
        clock: this machine's time.
        ask: a question to Alpaca by address; None without keys.
    """
    yield _python()
    yield _calendar(clock)
    yield _disk(settings.home)
    yield _store(settings)
    yield from _no_keys(settings.alpaca.missing) if ask is None else _alpaca(settings, clock, ask)


def alpaca(settings: "Settings") -> Ask | None:
    """A way to put questions to Alpaca, or None where keys are missing."""
    if not settings.alpaca.has_keys:
        return None
    key_id, secret_key = settings.alpaca.keys()
    headers = {"APCA-API-KEY-ID": key_id, "APCA-API-SECRET-KEY": secret_key}

    def ask(address: str) -> Answer:
        import requests

        watch = Stopwatch()
        try:
            reply = requests.get(address, headers=headers, timeout=PATIENCE_SECONDS, allow_redirects=False)
        except requests.RequestException as error:
            raise Away(type(error).__name__) from None
        return Answer(reply.status_code, _body(reply.text), timedelta(seconds=watch.seconds))

    return ask


def _body(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _python() -> Check:
    from tandem import __version__

    found = ".".join(str(part) for part in sys.version_info[:3])
    return Check("tandem", State.OK, f"{__version__} on Python {found}")


def _calendar(clock: Clock) -> Check:
    today = clock.now().astimezone(NEW_YORK).date()
    try:
        calendar = Calendar()
        session = calendar.session(today)
        if session is None or session.close <= clock.now():
            session = calendar.after(today)
    except (TandemError, ImportError, ValueError) as error:
        return Check("calendar", State.MEND, f"no exchange calendar: {error}", "Run `make setup` again.")
    opens, closes = (moment.astimezone(NEW_YORK) for moment in (session.open, session.close))
    return Check("calendar", State.OK, f"next session {opens:%a %Y-%m-%d %H:%M}-{closes:%H:%M} New York")


def _disk(home: Path) -> Check:
    place = next((folder for folder in (home, *home.parents) if folder.exists()), Path())
    free = shutil.disk_usage(place).free / 1e9
    if free < ROOM_GB:
        return Check("disk", State.MEND, f"{free:.1f} GB free at {home}", f"Free {ROOM_GB:.0f} GB, or set TANDEM_HOME.")
    return Check("disk", State.OK, f"{free:.0f} GB free at {home}")


def _store(settings: "Settings") -> Check:
    where = "your own server" if settings.database_url else str(settings.home)
    try:
        from tandem.store import Store

        with Store.of(settings) as store:
            known = len(store.bars.coverage())
    except TandemError as error:
        return Check("store", State.MEND, error.what, error.mend)
    except Exception as error:  # whatever is wrong with the store, the other checks are still wanted
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return Check("store", State.MEND, said, "`TANDEM_DEBUG=1 tandem data status` shows where it comes from.")
    said = f"PostgreSQL, {where}"
    if not known:
        return Check("store", State.OK, f"{said}; no bars yet", "`tandem data load samples` brings some.")
    return Check("store", State.OK, f"{said}; {known} series of bars")


def _no_keys(missing: str) -> Iterator[Check]:
    if missing:
        yield Check("keys", State.MEND, missing, KEYS)
    else:
        yield Check("keys", State.NO_KEYS, "none, and none needed for demo, recycler and backtests", KEYS)
    yield Check("alpaca", State.NO_KEYS, "account, shorting, bars and clock were not asked for")


def _alpaca(settings: "Settings", clock: Clock, ask: Ask) -> Iterator[Check]:
    paper = settings.alpaca.paper
    trading = PAPER if paper else LIVE
    try:
        answer = ask(f"{trading}/v2/account")
        if answer.status != 200:
            yield _refused(answer, paper)
            return
        yield Check("keys", State.OK, "Alpaca takes them")
        yield from _account(answer.body, paper)
        yield _entitlement(ask(f"{BARS}/v2/stocks/AAPL/bars/latest?feed=sip"), settings.alpaca.data_feed)
        yield _skew(ask(f"{trading}/v2/clock"), clock.now())
    except Away as error:
        mend = "Check the connection; the demo, the recycler and backtests work without."
        yield Check("alpaca", State.MEND, f"offline: Alpaca cannot be reached ({error})", mend)


def _refused(answer: Answer, paper: bool) -> Check:
    kind = "paper" if paper else "live"
    if answer.status in (401, 403):
        other = "TANDEM_ALPACA__PAPER=false" if paper else "TANDEM_ALPACA__PAPER=true"
        mend = f"Copy them again from Alpaca's {kind} page; keys of the other kind need {other}."
        return Check("keys", State.MEND, f"Alpaca refuses them for {kind} trading", mend)
    return Check("keys", State.MEND, f"Alpaca answers {answer.status}", "Try again in a minute.")


def _account(body: dict[str, Any], paper: bool) -> Iterator[Check]:
    equity = Decimal(str(body.get("equity") or 0))
    kind = "paper" if paper else "LIVE: real money"
    blocked = next(
        (flag for flag in ("account_blocked", "trading_blocked", "trade_suspended_by_user") if body.get(flag)), ""
    )
    if blocked or body.get("status") != "ACTIVE":
        why = blocked.replace("_", " ") or f"status {body.get('status')}"
        yield Check("account", State.MEND, f"{kind}; {why}", "See the account's page at Alpaca.")
    else:
        yield Check("account", State.OK, f"{kind}; equity {equity:,.2f} dollars")
    if body.get("shorting_enabled") and equity >= SHORTING_EQUITY:
        yield Check("shorting", State.OK, "enabled")
    else:
        mend = f"One leg of a pair is short: enable margin at Alpaca and hold at least {SHORTING_EQUITY:,} dollars."
        yield Check("shorting", State.MEND, f"not possible with equity {equity:,.2f} dollars", mend)


def _entitlement(answer: Answer, feed: str) -> Check:
    if answer.status == 200:
        unused = "; TANDEM_ALPACA__DATA_FEED=sip would use it" if feed == "iex" else ""
        return Check("bars", State.OK, f"SIP, all exchanges, no delay{unused}")
    if answer.status != 403:
        return Check("bars", State.MEND, f"Alpaca's data answers {answer.status}", "Try again in a minute.")
    if feed == "sip":
        return Check("bars", State.MEND, "the plan has no SIP in real time", "Set TANDEM_ALPACA__DATA_FEED=iex.")
    return Check("bars", State.OK, "IEX alone, no delay; SIP history is 15 minutes late")


def _skew(answer: Answer, now: datetime) -> Check:
    try:
        theirs = datetime.fromisoformat(str(answer.body["timestamp"]))
        skew = now - answer.took / 2 - theirs
    except (KeyError, TypeError, ValueError):
        return Check("clock", State.MEND, f"Alpaca's clock answers {answer.status}", "Try again in a minute.")
    said = f"{abs(skew.total_seconds()):.1f} s {'ahead of' if skew > timedelta() else 'behind'} Alpaca's"
    if abs(skew) > MAX_SKEW:
        return Check("clock", State.MEND, said, "Turn on the synchronisation of this machine's clock (NTP).")
    return Check("clock", State.OK, said)


def _document(checks: list[Check], well: bool) -> str:
    return json.dumps({"ok": well, "checks": [asdict(check) for check in checks]}, indent=2)


def _page(checks: list[Check], well: bool) -> str:
    lines = [str(check) for check in checks]
    if not well:
        lines += ["", f"{sum(check.state is State.MEND for check in checks)} to mend."]
    return "\n".join(lines)
