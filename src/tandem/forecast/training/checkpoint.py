"""What a training has done already, so that one that was killed goes on."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Generic, Protocol, Self, TypeVar

import msgspec

from tandem.market import DataError


class Kept(Protocol):
    """A result that can be written to a file and read again."""

    def to_bytes(self) -> bytes:
        """It as bytes."""
        ...

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """It from the bytes."""
        ...


R = TypeVar("R", bound=Kept)


@dataclass(frozen=True, slots=True)
class Checkpoint(Generic[R]):
    """Results of finished batches, each in a file named by all that decides them; a file that is damaged is none.

    Attributes:
        folder: None keeps nothing.
        read: makes a result from its bytes.
    """

    folder: Path | None
    read: Callable[[bytes], R]

    def find(self, name: str) -> list[R] | None:
        """The results of that name; None where there are none."""
        if self.folder is None:
            return None
        try:
            digest, contents = msgspec.msgpack.decode(self._file(name).read_bytes(), type=tuple[bytes, list[bytes]])
            return [self.read(each) for each in contents] if digest == _digest(contents) else None
        except (OSError, msgspec.MsgspecError, DataError):
            return None

    def keep(self, name: str, results: Sequence[R]) -> None:
        """Write them whole or not at all; a disk that is full costs the checkpoint, not the training."""
        if self.folder is None:
            return
        contents = [each.to_bytes() for each in results]
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            aside = self._file(name).with_suffix(".part")
            aside.write_bytes(msgspec.msgpack.encode((_digest(contents), contents)))
            aside.replace(self._file(name))

    def _file(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{name}.batch"


def _digest(contents: Sequence[bytes]) -> bytes:
    return sha256(b"".join(sha256(each).digest() for each in contents)).digest()
