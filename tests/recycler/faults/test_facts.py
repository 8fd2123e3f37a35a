"""What is on record of faults."""

import pandas as pd

from tandem.market import Stopwatch, Timeframe, WorldKind
from tandem.recycler.faults import Fault, FaultEnded, FaultStruck


def test_armed_struck_and_ended_are_facts_of_the_recyclers_world(store, fresh, trader, tape):
    store.bars.load(pd.read_parquet(tape), timeframe=Timeframe.MIN_1, source="sample")
    world = store.new_world(WorldKind.RECYCLER)
    play = fresh({"TANDEM_DATABASE_URL": store.url}, bars=None, world=world)
    client = trader(play)
    number = play.arm(name="lost-answer", symbol="IBM", every=2, seed=3)
    play.arm(name="drop-bars", symbol="AAPL", count=2)
    for name in ("one", "two", "three"):
        assert (name == "two") == (not is_answered(client, name))
    play.step(3)
    assert play.control("DELETE", f"faults/{number}").status_code == 204
    facts, waited = store.facts(world), Stopwatch()
    while not facts.read(FaultEnded) and waited.seconds < 5:
        pass
    assert [record.body for record in facts.read(Fault)] == [
        Fault(name="lost-answer", symbol="IBM", every=2, seed=3),
        Fault(name="drop-bars", symbol="AAPL", count=2),
    ]
    assert [(r.body.name, r.body.strike, r.body.what, f"{r.at:%H:%M}") for r in facts.read(FaultStruck)] == [
        ("lost-answer", 1, "two", "14:30"),
        ("drop-bars", 1, "AAPL", "14:31"),
        ("drop-bars", 2, "AAPL", "14:32"),
    ]
    assert [record.body for record in facts.read(FaultEnded)] == [FaultEnded(number, "lost-answer", 1)]


def is_answered(client, name):
    try:
        return client.buy("IBM", name=name).ok
    except OSError:
        return False
