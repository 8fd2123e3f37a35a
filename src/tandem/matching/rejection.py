"""An order that the broker does not take, in Alpaca's words and codes."""

from decimal import Decimal

from tandem.market import BrokerError, plain


class Rejected(BrokerError):
    """The broker did not take the order.

    Attributes:
        status: HTTP status that Alpaca answers with.
        code: Alpaca's code; it does not determine the meaning, the text does.
        details: further fields of Alpaca's error body, decimals as text.
    """

    def __init__(self, what: str, *, status: int, code: int, **details: Decimal | str) -> None:
        super().__init__(what)
        self.status = status
        self.code = code
        self.details = {
            name: f"{plain(value):f}" if isinstance(value, Decimal) else value for name, value in details.items()
        }


def malformed(what: str) -> Rejected:
    """422 with code 40010001: the request itself is wrong."""
    return Rejected(what, status=422, code=40010001)


def unprocessable(what: str, **details: Decimal | str) -> Rejected:
    """422 with code 42210000: well-formed, and against a rule."""
    return Rejected(what, status=422, code=42210000, **details)


def forbidden(what: str, **details: Decimal | str) -> Rejected:
    """403 with code 40310000: the account does not allow it."""
    return Rejected(what, status=403, code=40310000, **details)


def unknown(what: str) -> Rejected:
    """404 with code 40410000: there is no such thing."""
    return Rejected(what, status=404, code=40410000)
