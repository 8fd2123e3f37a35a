"""Alpaca's market-data messages, as JSON or MessagePack."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import msgspec

from tandem.market import Bar

BARS_PER_FRAME: Final = 2_000

ERRORS: Final = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    407: "slow client",
    409: "insufficient subscription",
    410: "invalid subscribe action for this feed",
}


class InvalidSyntax(Exception):
    """A frame that cannot be read."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one connection speaks, chosen by the handshake's Content-Type."""

    binary: bool

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Encoding":
        """MessagePack where the handshake asks for it, JSON otherwise."""
        return cls("msgpack" in headers.get("content-type", ""))

    def encode(self, messages: object) -> bytes | str:
        """One frame."""
        return msgspec.msgpack.encode(messages) if self.binary else msgspec.json.encode(messages).decode()

    def decode(self, frame: bytes | str) -> dict[str, Any]:
        """One message of the client.

        Raises:
            InvalidSyntax: not a map in this encoding.
        """
        packed = self.binary and isinstance(frame, bytes)
        try:
            message = msgspec.msgpack.decode(frame) if packed else msgspec.json.decode(frame)  # type: ignore[arg-type]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidSyntax from error
        if not isinstance(message, dict):
            raise InvalidSyntax
        return message


def success(msg: str) -> list[dict[str, Any]]:
    """`connected` or `authenticated`."""
    return [{"T": "success", "msg": msg}]


def error(code: int) -> list[dict[str, Any]]:
    """One of Alpaca's errors."""
    return [{"T": "error", "code": code, "msg": ERRORS[code]}]


def bar_message(bar: Bar) -> dict[str, Any]:
    """A bar as the stream sends it: `T` first, `t` its start, whole prices without a fraction."""
    return {
        "T": "b",
        "S": bar.symbol,
        "o": _number(bar.open),
        "h": _number(bar.high),
        "l": _number(bar.low),
        "c": _number(bar.close),
        "v": bar.volume,
        "t": bar.start,
        "n": bar.trade_count,
        "vw": None if bar.vwap is None else _number(bar.vwap),
    }


def batches(bars: Iterable[Bar]) -> Iterator[Sequence[dict[str, Any]]]:
    """Bar messages in arrays that stay far below the 1 MiB at which clients hang up."""
    messages = map(bar_message, bars)
    while batch := list(islice(messages, BARS_PER_FRAME)):
        yield batch


def _number(value: float) -> float | int:
    return int(value) if value.is_integer() else value
