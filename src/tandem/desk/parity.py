"""Two worlds that lived by the same plans: did they do the same?"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from tandem.market import Fill, Order, Refusal
from tandem.risk import Intent
from tandem.signals import Signal
from tandem.store import Facts, Record

KINDS = (Signal, Refusal, Intent, Order, Fill)
OWN = ("execution_id",)
MORNING = ("screening", "forecast")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two worlds did not do alike.

    Attributes:
        what: kind and key of the fact, without its world.
        left, right: its content in each world, `absent` where there is none.
    """

    what: str
    left: str
    right: str

    def __str__(self) -> str:
        return f"{self.what}: {self.left} | {self.right}"


def compare(left: Facts, right: Facts) -> list[Difference]:
    """Every signal, refusal, intent, order and fill that the two worlds do not share, in order of time.

    Ids are compared without the world they carry; executions have an identity of their own in each world
    and are compared by order, time, quantity and price.
    """
    ours, theirs = dict(_content(left)), dict(_content(right))
    return [
        Difference(key, ours.get(key, "absent"), theirs.get(key, "absent"))
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key) != theirs.get(key)
    ]


def _content(facts: Facts) -> Iterator[tuple[str, str]]:
    counts: dict[str, int] = {}
    for kind in KINDS:
        for record in facts.read(kind):
            if isinstance(record.body, Refusal) and record.body.by in MORNING:
                continue
            key = _key(record, str(facts.world))
            counts[key] = counts.get(key, 0) + 1
            yield f"{key}#{counts[key]}", _body(record, str(facts.world))


def _key(record: Record, world: str) -> str:
    name = record.body.client_order_id if isinstance(record.body, Fill) else record.key
    return f"{record.at:%Y-%m-%d %H:%M} {record.kind} {name.replace(world + '.', '')}"


def _body(record: Record, world: str) -> str:
    fields = msgspec.to_builtins(record.body)
    kept = {name: value for name, value in fields.items() if name not in OWN}
    return json.dumps(kept, sort_keys=True).replace(world + ".", "")
