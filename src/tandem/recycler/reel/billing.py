"""What a recycler plays, on record."""

from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import ClassVar, Self

from tandem.matching import Replay
from tandem.recycler.options import Options
from tandem.store import Facts, Record

LETTERS = 12


@dataclass(frozen=True, slots=True)
class ReelStarted:
    """A recycler began to play a reel, or went on with it.

    Attributes:
        mode, timestamps, timeframe: see `Options`.
        symbols: what is replayed.
        proxies: symbol without bars of its own to the one whose bars it plays.
        sources: symbol to the source, feed and adjustment of the bars it plays.
        loop: how often the reel had started over.
    """

    kind: ClassVar[str] = "reel_started"

    mode: str
    timestamps: str
    timeframe: str
    symbols: tuple[str, ...]
    proxies: dict[str, str]
    sources: dict[str, str]
    loop: int = 0

    @classmethod
    def of(cls, replay: Replay, options: Options) -> Self:
        """What this replay plays."""
        reel = replay.reel
        return cls(
            options.mode,
            options.timestamps,
            str(reel.timeframe),
            reel.symbols,
            reel.proxies,
            reel.sources,
            replay.place.loop,
        )


def record_start(facts: Facts, replay: Replay, options: Options) -> None:
    """Put on record what is played from here on; the same start twice is one fact.

    Raises:
        StoreError: the store is away.
    """
    started = ReelStarted.of(replay, options)
    digest = sha256(repr(sorted(asdict(started).items())).encode()).hexdigest()[:LETTERS]
    at = replay.began
    facts.append(Record(started, replay.act.session.day, at, f"reel/{at:%Y-%m-%dT%H:%M}/{digest}"))
