"""One fact: something that happened, in one world."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, ClassVar, Generic, Protocol

import msgspec
from typing_extensions import TypeVar

from tandem.market import DataError

NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class Body(Protocol):
    """Any frozen dataclass that names its kind: `Refusal`, `Order`, `Fill` and the like."""

    kind: ClassVar[str]


B = TypeVar("B", bound=Body, default=Body)
B_co = TypeVar("B_co", bound=Body, default=Body, covariant=True)


@dataclass(frozen=True, slots=True)
class Record(Generic[B_co]):
    """A fact with what it is found by.

    Attributes:
        body: what happened.
        session: the trading day it belongs to, a New York date.
        at: when it was decided or happened, in market time, UTC.
        key: unique in its world; recording the same key again is how a restart repeats itself safely.
        pair: `A/B`, where it concerns one pair.
    """

    body: B_co
    session: date
    at: datetime
    key: str
    pair: str | None = None

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise DataError(f"the time of fact {self.key} has no zone", "Give market time in UTC")
        object.__setattr__(self, "at", self.at.astimezone(UTC))

    @property
    def kind(self) -> str:
        """The kind of its body."""
        return self.body.kind


def encoded(record: Record) -> str:
    """The body as JSON: Decimals and times as text, so that nothing is lost.

    Raises:
        DataError: a float that is not finite, a NUL character, or a type that has no JSON form.
    """
    try:
        plain = msgspec.to_builtins(record.body, str_keys=True)
        text = json.dumps(plain, allow_nan=False, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        text.encode()
    except (ValueError, TypeError) as error:
        raise DataError(f"fact {record.key} cannot be recorded: {error}") from error
    if NUL.search(text):
        raise DataError(f"fact {record.key} cannot be recorded: PostgreSQL does not store NUL characters")
    return text


def decoded(text: str | bytes, body: type[B]) -> B:
    """The body that `encoded` wrote.

    Raises:
        DataError: another version of the class wrote it and this one cannot read it.
    """
    try:
        found: B = _decoder(body).decode(text)
    except msgspec.MsgspecError as error:
        raise DataError(
            f"a {body.kind} fact cannot be read: {error}",
            "Another version of Tandem recorded it; go on with that one, or start with a new TANDEM_HOME",
        ) from error
    return found


@cache
def _decoder(body: type[B]) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(body)
