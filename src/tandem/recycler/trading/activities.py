"""`/v2/account/activities`: what happened to the account."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from tandem.market import NEW_YORK
from tandem.matching import Charge, Execution, unprocessable
from tandem.recycler.rest.answer import reply, text
from tandem.recycler.rest.asked import Asked
from tandem.recycler.rest.gate import Answer
from tandem.recycler.trading.assets import Assets
from tandem.recycler.trading.broker import Broker
from tandem.recycler.trading.identity import id_of

MOST: Final = 100
ALL_OF_A_DAY: Final = 1_000_000
BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
END: Final = datetime.max.replace(tzinfo=UTC)
KINDS: Final = re.compile(
    "FILL|TRANS|MISC|ACATC|ACATS|CFEE|CIL|CSD|CSW|DIV(CGL|CGS|FEE|FT|NRA|ROC|TW|TXEX|WH)?|EXTRD|FEE|FXTRD"
    "|INT(NRA|PNL|TW)?|JNL[CS]?|MA|MEM|NC|OCT|OP(ASN|CA|CSH|EXC|EXP|TRD)|PT[CR]|REORG|SC|SPIN|SPLIT|SSO|SSP|SWP|VOF|WH"
)
EVERYTHING: Final = ""
CATEGORIES: Final = {EVERYTHING: ("FILL", "FEE"), "trade_activity": ("FILL",), "non_trade_activity": ("FEE",)}
NOTHING: Final = Decimal(0)


class Activities:
    """The account's executions, what they cost, and what borrowing cost."""

    def __init__(self, broker: Broker, assets: Assets) -> None:
        self._broker = broker
        self._assets = assets

    def endpoints(self) -> list[tuple[str, str, Answer]]:
        """Method, path, answer."""
        path = "/v2/account/activities"
        return [("GET", path, self.activities), ("GET", path + "/{kind}", self.activities)]

    async def activities(self, request: Request) -> Response:
        """Executions and what was charged for them, newest first unless asked otherwise."""
        asked = Asked.query(request)
        found = self._found(asked, _kinds(request, asked))
        usual = ALL_OF_A_DAY if asked.has("date") else MOST
        page = found[: asked.whole("page_size", usual, usual)]
        return reply([one.told() for one in page], headers=self._assets.proxies({one.symbol for one in page}))

    def _found(self, asked: Asked, kinds: set[str]) -> Sequence["Activity"]:
        after, until = _span(asked)
        found = [one for one in self._all() if after < one.at < until and one.counts(kinds)]
        if asked.one_of("direction", ("asc", "desc"), "desc") == "desc":
            found.reverse()
        token = asked.text("page_token")
        if token is None:
            return found
        places = [place for place, one in enumerate(found) if one.id == token]
        if not places:
            raise unprocessable(f"invalid page_token: {token[:100]}")
        return found[places[0] + 1 :]

    def _all(self) -> list["Activity"]:
        engine = self._broker.replay.engine
        world = str(engine.world)
        charges: list[Activity] = [Borrowing(charge, world) for charge in engine.charges()]
        trades = (one for execution in engine.executions() for one in (Fill(execution), Fee(execution)))
        return sorted([*charges, *trades], key=lambda one: one.at)


@dataclass(frozen=True, slots=True)
class OfExecution:
    """What an execution leaves among the activities."""

    execution: Execution

    @property
    def at(self) -> datetime:
        """When, UTC."""
        return self.execution.at

    @property
    def symbol(self) -> str:
        """Ticker."""
        return self.execution.symbol


class Fill(OfExecution):
    """Shares that changed hands."""

    __slots__ = ()

    @property
    def id(self) -> str:
        """The moment, then the execution's own id."""
        at = self.execution.at
        return f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03}::{self.execution.id}"

    def counts(self, kinds: set[str]) -> bool:
        """Whether it is of these kinds."""
        return "FILL" in kinds

    def told(self) -> dict[str, Any]:
        """As Alpaca shows it."""
        execution = self.execution
        complete = execution.left == 0
        return {
            "id": self.id,
            "activity_type": "FILL",
            "transaction_time": execution.at,
            "type": "fill" if complete else "partial_fill",
            "price": text(execution.price),
            "qty": text(execution.qty),
            "side": execution.side,
            "symbol": execution.symbol,
            "leaves_qty": text(execution.left or NOTHING),
            "order_id": str(execution.order_id),
            "cum_qty": text(execution.filled),
            "order_status": "filled" if complete else "partially_filled",
        }


class Fee(OfExecution):
    """What was charged for them beside the price."""

    __slots__ = ()

    @property
    def id(self) -> str:
        """The day, then an id of its own."""
        return f"{self.execution.at:%Y%m%d}000000000::{id_of(f'{self.execution.id}/fee')}"

    def counts(self, kinds: set[str]) -> bool:
        """Whether there was anything, and fees are asked for."""
        return "FEE" in kinds and self.execution.fees != 0

    def told(self) -> dict[str, Any]:
        """As Alpaca shows it."""
        return {
            "id": self.id,
            "activity_type": "FEE",
            "date": self.execution.at.astimezone(NEW_YORK).date().isoformat(),
            "net_amount": text(-self.execution.fees),
            "description": f"commission and fees of {text(self.execution.qty)} {self.execution.symbol}",
            "symbol": self.execution.symbol,
            "qty": text(self.execution.qty),
            "status": "executed",
        }


@dataclass(frozen=True, slots=True)
class Borrowing:
    """What was charged for shares held short over night."""

    charge: Charge
    world: str

    @property
    def at(self) -> datetime:
        """Midnight of the day it was taken, UTC."""
        return _midnight(self.charge.day).astimezone(UTC)

    @property
    def symbol(self) -> str:
        """Ticker."""
        return self.charge.symbol

    @property
    def id(self) -> str:
        """The day, then an id of its own."""
        return f"{self.charge.day:%Y%m%d}000000000::{id_of(f'{self.world}/borrowing/{self.charge.number}')}"

    def counts(self, kinds: set[str]) -> bool:
        """Whether fees are asked for."""
        return "FEE" in kinds

    def told(self) -> dict[str, Any]:
        """As Alpaca shows it."""
        return {
            "id": self.id,
            "activity_type": "FEE",
            "date": self.charge.day.isoformat(),
            "net_amount": text(-self.charge.dollars),
            "description": f"borrowing of {self.charge.symbol}",
            "symbol": self.charge.symbol,
            "status": "executed",
        }


Activity = Fill | Fee | Borrowing


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), NEW_YORK)


def _kinds(request: Request, asked: Asked) -> set[str]:
    named = request.path_params.get("kind")
    kinds = [named] if named else asked.names("activity_types") or asked.names("activity_type")
    if unknown := [kind for kind in kinds or () if not KINDS.fullmatch(kind)]:
        raise unprocessable(f"invalid activity type: {unknown[0][:100]}")
    category = asked.one_of("category", tuple(CATEGORIES), EVERYTHING)
    return set(kinds or CATEGORIES[category])


def _span(asked: Asked) -> tuple[datetime, datetime]:
    day = asked.day("date")
    if day is None:
        return asked.moment("after") or BEGINNING, asked.moment("until") or END
    if not 1900 <= day.year <= 2200:
        raise unprocessable(f"invalid date: {day}")
    return _midnight(day) - timedelta(microseconds=1), _midnight(day + timedelta(days=1))
