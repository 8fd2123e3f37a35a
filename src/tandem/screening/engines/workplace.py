"""What a worker process does: it makes sure that it is fit for the work, keeps what blocks share, and works."""

import platform
from asyncio import to_thread
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any, Final, Self

from tandem.market import ConfigError, DataError
from tandem.screening.engines.shipment import Shipment

KEPT: Final = 2
ROOMS: Final = ("market", "config", "statistics", "rules", "screening", "forecast")

_held: OrderedDict[str, Any] = OrderedDict()
_holding: Final = Lock()


@dataclass(frozen=True, slots=True)
class Versions:
    """What decides the digits of a result, besides the processor.

    Attributes:
        tandem: SHA-256 of the source of the rooms that blocks are worked on in, shortened.
        python: major and minor.
        numpy, scipy, numba, torch: of the libraries; of PyTorch's builds of one version the digits are the same where
            the processor is.
    """

    tandem: str
    python: str
    numpy: str
    scipy: str
    numba: str
    torch: str

    @classmethod
    @cache
    def here(cls) -> Self:
        """Those of this process."""
        python = ".".join(platform.python_version_tuple()[:2])
        libraries = {name: version(name).partition("+")[0] for name in ("numpy", "scipy", "numba", "torch")}
        return cls(_source(), python, **libraries)

    def differences(self, theirs: "Versions") -> str:
        """What differs, as `numba 0.67 instead of 0.68`; empty where nothing does."""
        names = [field.name for field in fields(self) if getattr(self, field.name) != getattr(theirs, field.name)]
        return ", ".join(f"{name} {getattr(theirs, name)} instead of {getattr(self, name)}" for name in names)


async def prepare(shipment: Shipment) -> tuple[Versions, bool]:
    """This worker's versions, and whether it has what the shipment names; it is kept for the blocks to come."""
    return await to_thread(_prepare, shipment)


def _prepare(shipment: Shipment) -> tuple[Versions, bool]:
    try:
        _unpacked(shipment)
    except DataError:
        return Versions.here(), False
    return Versions.here(), True


def work_on(
    shipment: Shipment, versions: Versions, work: Callable[[Any, Any], Any], blocks: Sequence[Any]
) -> list[Any]:
    """The results of consecutive blocks, on this thread alone.

    Raises:
        ConfigError: this worker, which may have come late, has other versions.
        DataError: it cannot read the bars.
    """
    if differences := versions.differences(Versions.here()):
        raise ConfigError(*mismatch("a worker", differences))
    _hold_blas()
    shared = _unpacked(shipment)
    return [work(shared, block) for block in blocks]


def mismatch(where: str, differences: str) -> tuple[str, str]:
    """What is wrong with a worker of other versions, and the mend."""
    return f"{where} has {differences}", "Install the same Tandem and libraries there and start it again"


def itself(shipment: Shipment) -> Shipment:
    """The same: what a task gives that is to be kept among the workers."""
    return shipment


def _unpacked(shipment: Shipment) -> Any:
    with _holding:
        if shipment.digest not in _held:
            _held[shipment.digest] = shipment.unpack()
            while len(_held) > KEPT:
                _held.popitem(last=False)
        return _held[shipment.digest]


@cache
def _hold_blas() -> None:
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # For the life of the process: threads of one worker that each restore a limit would undo one another's.
    threadpool_limits(limits=1, user_api="blas")


def _source() -> str:
    package = Path(__file__).parents[2]
    digest = sha256()
    for file in sorted(file for room in ROOMS for file in (package / room).rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:12]
