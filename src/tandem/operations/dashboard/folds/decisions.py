"""What was decided of each pair, why, and what was made of it."""

from collections import Counter, deque
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Final

from tandem.market import Pair, Refusal
from tandem.risk import Intent
from tandem.rules import Action
from tandem.signals import Signal
from tandem.store import Record

MOST: Final = 10_000
MOST_SIGNALS: Final = 40_000
MOST_REFUSED: Final = 5000


@dataclass(slots=True)
class Decision:
    """One judgement of one pair.

    Attributes:
        action: the rule's word; `refused` where nothing could be judged.
        signal: what it rests on; None for a refusal.
        why: the reason, in words.
        came: what risk made of it, in words; empty where nothing was asked for.
        refused: whether it was turned away, by the signals' room or by risk.
    """

    at: datetime
    session: date
    pair: Pair
    action: str
    signal: Signal | None
    why: str
    came: str = ""
    refused: bool = False

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was asked for."""
        return self.action == Action.HOLD and not self.refused and not self.came


@dataclass(frozen=True, slots=True)
class Turned:
    """A refusal of one pair at one decision."""

    at: datetime
    session: date
    refusal: Refusal


class Decisions:
    """The newest decisions.

    Attributes:
        rows: oldest first.
        latest: the newest decision of each pair.
        count: of all that were read.
        session: the newest trading day.
        reasons: refusals of the newest session by room and reason.
    """

    def __init__(self) -> None:
        self.rows: deque[Decision] = deque(maxlen=MOST)
        self.latest: dict[Pair, Decision] = {}
        self.count = 0
        self.session: date | None = None
        self.reasons: Counter[tuple[str, str]] = Counter()
        self._signals: deque[tuple[datetime, date, Signal]] = deque(maxlen=MOST_SIGNALS)
        self._refused: deque[tuple[Pair, Turned]] = deque(maxlen=MOST_REFUSED)

    def judged(self, record: Record[Signal]) -> None:
        """Take a signal."""
        signal = record.body
        self._add(Decision(record.at, record.session, signal.pair, str(signal.action), signal, signal.why))
        self._signals.append((record.at, record.session, signal))

    def refused(self, record: Record[Refusal]) -> None:
        """Take a refusal: of a judgement, or of what a judgement asked for; those of a screen are the funnel's."""
        refusal = record.body
        if record.pair is None or refusal.by == "screening":
            return
        pair = Pair.parse(record.pair)
        self._begin(record.session)
        self.reasons[refusal.by, refusal.reason] += 1
        self._refused.append((pair, Turned(record.at, record.session, refusal)))
        said = self.latest.get(pair)
        if refusal.by != "signals" and said is not None and said.at == record.at:
            said.came, said.refused = f"{refusal.reason}: {refusal.why}", True
        else:
            self._add(Decision(record.at, record.session, pair, "refused", None, refusal.why, refusal.reason, True))

    def meant(self, record: Record[Intent]) -> None:
        """Take what risk made of a signal."""
        said, intent = self.latest.get(record.body.pair), record.body
        if said is not None and said.at == record.at:
            legs = ((intent.side_a, intent.qty_a, intent.pair.a), (intent.side_b, intent.qty_b, intent.pair.b))
            said.came = ", ".join(f"{side} {qty.normalize():,f} {symbol}" for side, qty, symbol in legs if qty)
            if intent.why != said.why:
                said.came += f" ({intent.why})"

    def signals_of(self, pair: Pair) -> list[tuple[datetime, date, Signal]]:
        """The newest signals of a pair with their times and sessions, oldest first."""
        return [each for each in self._signals if each[2].pair == pair]

    def refusals_of(self, pair: Pair, count: int) -> list[Turned]:
        """The newest refusals of a pair, newest first."""
        own = (turned for one, turned in reversed(self._refused) if one == pair)
        return list(islice(own, count))

    def newest(self, count: int) -> list[Decision]:
        """Newest first."""
        return list(islice(reversed(self.rows), count))

    def _add(self, decision: Decision) -> None:
        self._begin(decision.session)
        self.rows.append(decision)
        self.latest[decision.pair] = decision
        self.count += 1

    def _begin(self, session: date) -> None:
        if self.session is None or session > self.session:
            self.session = session
            self.reasons.clear()
