"""Blobs: files that facts refer to by what they contain."""

import hashlib
from typing import cast

from tandem.market import DataError
from tandem.store.connections import Connections


class Blobs:
    """Bytes, named by their SHA-256 in hexadecimal."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def put(self, content: bytes) -> str:
        """Store the bytes, once however often they are given; their digest."""
        digest = hashlib.sha256(content).hexdigest()
        with self._connections.use() as connection:
            connection.execute(PUT, [digest, content])
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes.

        Raises:
            DataError: nothing of that digest is stored.
        """
        with self._connections.use() as connection:
            row = connection.execute("SELECT content FROM blobs WHERE digest = %s", [digest]).fetchone()
        if row is None:
            raise DataError(f"no blob {digest} is stored")
        return bytes(cast(bytes, row[0]))


PUT = "INSERT INTO blobs (digest, content) VALUES (%s, %s) ON CONFLICT DO NOTHING"
