"""Answers as Alpaca gives them: JSON bodies, error bodies, numbers as text."""

from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import Final

import msgspec
from starlette.responses import Response

from tandem.matching import Rejected

DECIMALS: Final = Decimal("0.000000001")
DIGITS: Final = 60
UNAUTHORIZED: Final = {"code": 40110000, "message": "unauthorized."}


def reply(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


def nothing() -> Response:
    """204: it is done, and there is nothing to say of it."""
    return Response(status_code=204)


def refusal(rejected: Rejected) -> Response:
    """Alpaca's error body, with its HTTP status."""
    return reply(error_body(rejected), rejected.status)


def error_body(rejected: Rejected) -> dict[str, object]:
    """Code, message and further fields of what the broker did not take."""
    return {"code": rejected.code, "message": rejected.what, **rejected.details}


def text(value: Decimal) -> str:
    """A number as Alpaca prints it: plain decimal text, at most nine decimals, without needless zeros."""
    with localcontext(prec=DIGITS):
        plain = f"{value.quantize(DECIMALS) + 0:f}"
    return (plain.rstrip("0").rstrip(".") if "." in plain else plain) or "0"


def text_or_none(value: Decimal | None) -> str | None:
    """The same, None where there is no number."""
    return None if value is None else text(value)
