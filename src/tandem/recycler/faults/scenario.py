"""Bad days with a name: several faults at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import time
from typing import Final

from tandem.market import RecyclerError
from tandem.recycler.faults.fault import Fault


@dataclass(frozen=True, slots=True)
class Scenario:
    """A combination of faults.

    Attributes:
        meaning: what the client lives through, in one line.
        client: what it should do.
        faults: told the symbol that everything concerns which concerns one.
    """

    meaning: str
    client: str
    faults: Callable[[str], Sequence[Fault]]

    def told(self, symbol: str, seed: int | None = None) -> list[Fault]:
        """The faults, with seeds of their own where one is given."""
        faults = self.faults(symbol)
        return list(faults) if seed is None else [replace(f, seed=seed + n) for n, f in enumerate(faults)]


def scenario(name: str) -> Scenario:
    """The scenario of that name.

    Raises:
        RecyclerError: there is none.
    """
    if name not in SCENARIOS:
        raise RecyclerError(f"there is no scenario {name}", f"There are {', '.join(SCENARIOS)}.")
    return SCENARIOS[name]


def _fault(name: str, **told: object) -> Fault:
    return Fault(name=name, **told)  # type: ignore[arg-type]


def _bad_monday(symbol: str) -> Sequence[Fault]:
    return (
        _fault("delay", seconds=0.2, every=1),
        _fault("rest-429", at=time(9, 30), count=5),
        _fault("drop-connection", at=time(9, 45)),
        _fault("refuse", count=2),
        _fault("halt", symbol=symbol, at=time(10, 5), seconds=300),
        _fault("duplicate", chance=0.05),
        _fault("reorder", chance=0.02),
        _fault("corrupt-nan", chance=0.01),
        _fault("corrupt-range", chance=0.01, seed=8),
        _fault("stall", at=time(11, 0), seconds=600),
        _fault("lost-answer", every=4),
        _fault("lose-execution", every=5),
        _fault("repeat-execution", every=3),
        _fault("drop-order-stream", at=time(13, 0)),
    )


SCENARIOS: Final = {
    "bad-monday": Scenario(
        "everything at once: late frames, a cut, refusals, a halt, spoilt bars, lost answers, lost and repeated fills",
        "end the day with the positions that the account has, and no order sent twice",
        _bad_monday,
    ),
    "one-leg": Scenario(
        "every second order is refused: of two legs one is taken",
        "complete the other leg or take the first one back, within a budget",
        lambda _: (_fault("reject-order", every=2),),
    ),
    "half-leg": Scenario(
        "every second order fills in part and then no more",
        "cancel what is left, even out the legs with what did fill",
        lambda _: (_fault("partial-fill", every=2),),
    ),
    "silent-stall": Scenario(
        "from now on the market-data socket is open and silent for half an hour of market time",
        "watch the age of the newest bar by market time, not the socket; reconnect, back-fill by REST",
        lambda _: (_fault("stall", seconds=1800),),
    ),
    "flapping-connection": Scenario(
        "every market-data socket is cut every five minutes of the market",
        "reconnect with back-off, subscribe again, back-fill the gap by REST",
        lambda _: (_fault("drop-connection", every=5),),
    ),
    "half-dead-slot": Scenario(
        "the connection is cut and its slot stays taken: the next three attempts get 406",
        "wait and try again; neither give up nor hammer",
        lambda _: (_fault("drop-connection"), _fault("refuse", count=3)),
    ),
    "garbage-bars": Scenario(
        "one bar in twenty is not a number, negative or crossed; some come twice or out of order",
        "check every bar, quarantine what is malformed, count no bar twice, sort by start",
        lambda _: (
            _fault("corrupt-nan", chance=0.02),
            _fault("corrupt-negative", chance=0.02, seed=8),
            _fault("corrupt-range", chance=0.02, seed=9),
            _fault("duplicate", chance=0.05),
            _fault("reorder", chance=0.05),
        ),
    ),
    "missing-symbol": Scenario(
        "one symbol has no bars any more, the others go on",
        "trade no pair whose leg lacks a fresh bar; ask REST for what is missing",
        lambda symbol: (_fault("drop-bars", symbol=symbol, every=1),),
    ),
    "lost-answers": Scenario(
        "orders are taken and their answers lost: every second one by a cut, every third one by a 504",
        "send a client order id of its own, ask for it before sending again",
        lambda _: (_fault("lost-answer", every=2), _fault("late-504", every=3)),
    ),
    "echo": Scenario(
        "every execution is told three times with one execution id, every bar comes twice",
        "count an execution id once and a bar once",
        lambda _: (_fault("repeat-execution", every=1), _fault("duplicate", every=1)),
    ),
    "deaf": Scenario(
        "no execution is told on the order stream",
        "ask REST for open orders now and then; believe REST",
        lambda _: (_fault("lose-execution", every=1),),
    ),
    "halt": Scenario(
        "one symbol is halted for ten minutes of market time: statuses H and T, no bars, orders wait",
        "send no market order into a halt; expect a gap at the resumption",
        lambda symbol: (_fault("halt", symbol=symbol, seconds=600),),
    ),
    "rate-limited": Scenario(
        "the next ten requests are refused with 429",
        "back off, longer each time; exits before entries",
        lambda _: (_fault("rest-429", count=10),),
    ),
    "broken-broker": Scenario(
        "every third request meets a 500, every fourth a 504 after two seconds",
        "treat an order's outcome as unknown, ask before sending again",
        lambda _: (_fault("rest-500", every=3), _fault("rest-504", every=4, seconds=2)),
    ),
    "slow-line": Scenario(
        "every frame is up to two seconds late",
        "decide on the bars' own times, not on when they arrive",
        lambda _: (_fault("delay", seconds=2, every=1),),
    ),
}
