"""Alpaca's market-data protocol: encodings, control messages and errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from tandem.recycler.stream.frames import Frame

ERRORS: Final = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    407: "slow client",
    408: "v2 not enabled",
    409: "insufficient subscription",
    410: "invalid subscribe action for this feed",
    411: "insufficient scope",
    500: "internal error",
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

    def frame(self, messages: object) -> Frame:
        """One message, ready to be sent."""
        encoded = msgspec.msgpack.encode(messages) if self.binary else msgspec.json.encode(messages)
        return Frame(encoded, self.binary)

    def encode(self, messages: object) -> bytes | str:
        """One message: bytes of MessagePack, or text."""
        return msgspec.msgpack.encode(messages) if self.binary else msgspec.json.encode(messages).decode()

    def decode(self, frame: bytes | str) -> dict[str, Any]:
        """One message of the client.

        Raises:
            InvalidSyntax: not a map in this encoding.
        """
        packed = self.binary and isinstance(frame, bytes)
        try:
            message = msgspec.msgpack.decode(frame) if packed else msgspec.json.decode(frame)  # type: ignore[arg-type]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
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
