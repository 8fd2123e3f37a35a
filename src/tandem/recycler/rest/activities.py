"""`/v2/account/activities`: what happened to the account."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from tandem.market import NEW_YORK
from tandem.matching import Execution, unprocessable
from tandem.recycler.answer import reply, text
from tandem.recycler.asked import Asked
from tandem.recycler.broker import Broker
from tandem.recycler.gate import Answer
from tandem.recycler.rest.assets import Assets

MOST: Final = 100
ALL_OF_A_DAY: Final = 1_000_000
BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
END: Final = datetime.max.replace(tzinfo=UTC)
KINDS: Final = re.compile(
    "FILL|TRANS|MISC|ACATC|ACATS|CFEE|CIL|CSD|CSW|DIV(CGL|CGS|FEE|FT|NRA|ROC|TW|TXEX|WH)?|EXTRD|FEE|FXTRD"
    "|INT(NRA|PNL|TW)?|JNL[CS]?|MA|MEM|NC|OCT|OP(ASN|CA|CSH|EXC|EXP|TRD)|PT[CR]|REORG|SC|SPIN|SPLIT|SSO|SSP|SWP|VOF|WH"
)
CATEGORIES: Final = ("trade_activity", "non_trade_activity")


class Activities:
    """The account's executions."""

    def __init__(self, broker: Broker, assets: Assets) -> None:
        self._broker = broker
        self._assets = assets

    def endpoints(self) -> list[tuple[str, str, Answer]]:
        """Method, path, answer."""
        path = "/v2/account/activities"
        return [("GET", path, self.activities), ("GET", path + "/{kind}", self.activities)]

    async def activities(self, request: Request) -> Response:
        """Executions, newest first unless asked otherwise."""
        asked = Asked.query(request)
        if "FILL" not in _kinds(request, asked):
            return reply([])
        found = self._found(asked)
        usual = ALL_OF_A_DAY if asked.has("date") else MOST
        page = found[: asked.whole("page_size", usual, usual)]
        return reply([self._told(one) for one in page], headers=self._assets.proxies({one.symbol for one in page}))

    def _found(self, asked: Asked) -> Sequence[Execution]:
        after, until = _span(asked)
        found = [one for one in self._broker.replay.engine.executions() if after < one.at < until]
        if asked.one_of("direction", ("asc", "desc"), "desc") == "desc":
            found.reverse()
        token = asked.text("page_token")
        if token is None:
            return found
        places = [place for place, one in enumerate(found) if _id(one) == token]
        if not places:
            raise unprocessable(f"invalid page_token: {token[:100]}")
        return found[places[0] + 1 :]

    def _told(self, execution: Execution) -> dict[str, Any]:
        complete = not execution.left
        return {
            "id": _id(execution),
            "activity_type": "FILL",
            "transaction_time": execution.at,
            "type": "fill" if complete else "partial_fill",
            "price": text(execution.price),
            "qty": text(execution.qty),
            "side": execution.side,
            "symbol": execution.symbol,
            "leaves_qty": text(execution.left or execution.filled * 0),
            "order_id": str(execution.order_id),
            "cum_qty": text(execution.filled),
            "order_status": "filled" if complete else "partially_filled",
        }


def _id(execution: Execution) -> str:
    return f"{execution.at:%Y%m%d%H%M%S}{execution.at.microsecond // 1000:03}::{execution.id}"


def _kinds(request: Request, asked: Asked) -> set[str]:
    named = request.path_params.get("kind")
    kinds = [named] if named else asked.names("activity_types") or asked.names("activity_type")
    if unknown := [kind for kind in kinds or () if not KINDS.fullmatch(kind)]:
        raise unprocessable(f"invalid activity type: {unknown[0][:100]}")
    category = asked.one_of("category", CATEGORIES, CATEGORIES[0])
    return set(kinds) if kinds else ({"FILL"} if category == CATEGORIES[0] else set())


def _span(asked: Asked) -> tuple[datetime, datetime]:
    day = asked.day("date")
    if day is None:
        return asked.moment("after") or BEGINNING, asked.moment("until") or END
    if not 1900 <= day.year <= 2200:
        raise unprocessable(f"invalid date: {day}")
    midnight = datetime.combine(day, time(), NEW_YORK)
    following = datetime.combine(day + timedelta(days=1), time(), NEW_YORK)
    return midnight - timedelta(microseconds=1), following
