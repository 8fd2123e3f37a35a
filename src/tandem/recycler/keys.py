"""Which API keys the recycler lets in."""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Self

KEY_VARIABLE = "TANDEM_RECYCLER_KEY_ID"
SECRET_VARIABLE = "TANDEM_RECYCLER_SECRET_KEY"  # noqa: S105 - a name


TOKENS = ("oauth", "access_token")


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The pair of keys that is accepted; any non-empty pair where none is set.

    A token (`Authorization: Bearer`, or the secret that goes with the key `oauth` or `access_token`) is the secret key.
    """

    key_id: str = ""
    secret_key: str = ""

    @classmethod
    def from_environment(cls) -> Self:
        """The pair that the environment asks for."""
        return cls(os.environ.get(KEY_VARIABLE, ""), os.environ.get(SECRET_VARIABLE, ""))

    def accept(self, key_id: object, secret_key: object) -> bool:
        """Whether this pair is let in."""
        if not (isinstance(key_id, str) and isinstance(secret_key, str) and key_id and secret_key):
            return False
        known = self.key_id if key_id in TOKENS else key_id
        wanted, given = (f"{self.key_id}\n{self.secret_key}", f"{known}\n{secret_key}")
        return wanted == "\n" or compare_digest(_bytes(wanted), _bytes(given))

    def accept_headers(self, headers: Mapping[str, str]) -> bool:
        """Whether Alpaca's two headers, Basic authorization or a bearer's token are let in."""
        if "apca-api-key-id" in headers:
            return self.accept(headers["apca-api-key-id"], headers.get("apca-api-secret-key", ""))
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.accept(TOKENS[0], given)
        return scheme.lower() == "basic" and self.accept(*_pair(given))


def _pair(encoded: str) -> tuple[str, str]:
    try:
        key_id, _, secret_key = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return key_id, secret_key


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
