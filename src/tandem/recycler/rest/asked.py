"""What a REST request asks: the fields of a query or of a JSON body."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Self, TypeVar

import msgspec
from starlette.requests import Request

from tandem.market import plain
from tandem.matching import Rejected, malformed, unprocessable

Word = TypeVar("Word", bound=StrEnum)

LARGEST_BODY: Final = 1 << 20
DIGITS: Final = 13
DECIMALS: Final = 15
TRUTH: Final = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
FAULTS: Final = (msgspec.DecodeError, RecursionError, UnicodeError, ValueError, ArithmeticError)

_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)


class Asked:
    """Named values as clients send them: what is null or empty counts as not there.

    Args:
        fields: name to text, or to anything JSON knows; numbers are int or Decimal, never float.
        refuse: makes the refusal of a field that means nothing, from its text.
        within: what stands before a field's name in that text.
    """

    def __init__(self, fields: Mapping[str, Any], refuse: Callable[[str], Rejected], within: str = "") -> None:
        self._fields = fields
        self._refuse = refuse
        self._within = within

    @classmethod
    def query(cls, request: Request) -> Self:
        """The parameters after the question mark."""
        return cls(request.query_params, unprocessable)

    @classmethod
    async def body(cls, request: Request) -> Self:
        """The fields of a JSON body.

        Raises:
            Rejected: it is not a JSON object.
        """
        return cls(_decoded(await _read(request)), malformed)

    def text(self, name: str) -> str | None:
        """Text; a number counts as its text."""
        value = self._fields.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool | list | dict) or not str(value).isprintable():
            raise self._wrong(name, value)
        return str(value)

    def flag(self, name: str) -> bool | None:
        """Yes or no, in any case of letters."""
        value = self._fields.get(name)
        if value is None or value == "":
            return None
        said = TRUTH.get(str(value).lower())
        if said is None:
            raise self._wrong(name, value)
        return said

    def decimal(self, name: str) -> Decimal | None:
        """A number, exactly as it was written."""
        value = self.text(name)
        if value is None:
            return None
        if not NUMBER.fullmatch(value):
            raise self._wrong(name, value)
        number = Decimal(value)
        if number.adjusted() >= DIGITS or _decimals(number) > DECIMALS:
            raise self._wrong(name, value)
        return plain(number)

    def whole(self, name: str, usual: int, most: int, least: int = 1) -> int:
        """A count from `least` to `most`."""
        value = self.text(name)
        if value is None:
            return usual
        if not (value.isascii() and value.isdigit()) or len(value) > DIGITS or not least <= int(value) <= most:
            raise self._wrong(name, value)
        return int(value)

    def moment(self, name: str) -> datetime | None:
        """A moment in UTC: RFC 3339, or a date for its midnight there."""
        value = self.text(name)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(_with_plus(value))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self._wrong(name, value) from error

    def day(self, name: str) -> date | None:
        """A date; of a moment, its date as written."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return datetime.fromisoformat(_with_plus(value)).date()
        except ValueError as error:
            raise self._wrong(name, value) from error

    def word(self, name: str, words: type[Word]) -> Word | None:
        """One of these words, in any case of letters."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return words(value.lower())
        except ValueError as error:
            raise self._wrong(name, value) from error

    def one_of(self, name: str, words: Sequence[str], usual: str) -> str:
        """One of these words as it stands; `usual` where there is none."""
        value = self.text(name) or usual
        if value not in words:
            raise self._wrong(name, value)
        return value

    def names(self, name: str) -> list[str] | None:
        """A list of names, or names with commas between them."""
        value = self._fields.get(name)
        listed = value.split(",") if isinstance(value, str) else value
        if listed is None:
            return None
        if not isinstance(listed, list) or not all(isinstance(one, str) and one.isprintable() for one in listed):
            raise self._wrong(name, value)
        return [one for one in listed if one]

    def part(self, name: str) -> "Asked | None":
        """An object within the body; None where it is empty."""
        value = self._fields.get(name)
        if value is None or value in ("", {}):
            return None
        if not isinstance(value, dict):
            raise self._wrong(name, value)
        return Asked(value, self._refuse, f"{self._within}{name}.")

    def has(self, name: str) -> bool:
        """Whether anything was said under this name."""
        return self._fields.get(name) not in (None, "")

    def _wrong(self, name: str, value: object) -> Rejected:
        return self._refuse(f"invalid {self._within}{name}: {_shown(value)}")


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise malformed("request body format is invalid: it is too large")
    return bytes(body)


def _decoded(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        fields = _decoder.decode(body)
    except FAULTS as error:
        raise malformed("request body format is invalid: no JSON") from error
    if fields is None:
        return {}
    if not isinstance(fields, dict):
        raise malformed("request body format is invalid: no JSON object")
    return fields


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _with_plus(moment: str) -> str:
    return "+".join(moment.rsplit(" ", 1)) if "T" in moment and moment.count(":") > 2 else moment


def _shown(value: object) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in str(value)[:100])
