"""The same sessions through sockets and in one process, on the shipped bars."""

from dataclasses import replace
from datetime import date

import pytest

from tandem.cli.demo import SYMBOLS, settings_of
from tandem.config import Settings
from tandem.desk import Rehearsal, compare, in_one_process, prepare, through_sockets
from tandem.market import Calendar, Fill, WorldKind
from tandem.signals import Signal
from tandem.sources import samples
from tandem.store import MemoryFacts, Record

DAY = date(2023, 1, 25)


@pytest.fixture(scope="module")
def rehearsal(module_store, tmp_path_factory):
    samples.load(module_store)
    home = tmp_path_factory.mktemp("home")
    settings = settings_of(home).model_dump() | {"database_url": module_store.url}
    settings["model"] |= {"epochs": 2, "evidence_pvalue": 0.0}  # the baseline trades
    settings = Settings.model_validate(settings)
    world = module_store.new_world(WorldKind.RECYCLER, "plans")
    prepare(module_store, module_store.facts(world), Calendar().session(DAY), settings, None)
    return Rehearsal(home, settings, SYMBOLS, (DAY,), world)


@pytest.fixture(scope="module")
def in_process(module_store, rehearsal):
    world = module_store.new_world(WorldKind.BACKTEST)
    in_one_process(rehearsal, world)
    return module_store.facts(world)


@pytest.mark.parametrize("delay_ms", [0.0, 40.0])
def test_sockets_and_one_process_trade_alike_whatever_the_delays(module_store, rehearsal, in_process, delay_ms):
    world = module_store.new_world(WorldKind.RECYCLER)
    through_sockets(rehearsal, world, delay_ms)
    facts = module_store.facts(world)
    assert len(facts.read(Signal)) == 77
    assert len(facts.read(Fill)) >= 4
    assert compare(facts, in_process) == []


@pytest.mark.parametrize(
    "alter",
    [
        lambda fill: replace(fill, price=fill.price + 1),
        lambda fill: replace(fill, qty=fill.qty + 1),
        lambda fill: replace(fill, side=fill.side.opposite),
    ],
)
def test_a_single_altered_fill_is_found(in_process, alter):
    altered = MemoryFacts(in_process.world)
    for kind in (Signal, Fill):
        altered.append(*in_process.read(kind))
    same = MemoryFacts(in_process.world)
    first, *others = in_process.read(Fill)
    same.append(
        *in_process.read(Signal), Record(alter(first.body), first.session, first.at, first.key, first.pair), *others
    )
    (difference,) = compare(altered, same)
    assert "fill" in difference.what


def test_bars_are_stored_as_the_recycled_world_saw_them(module_store, rehearsal, in_process):
    from tandem.market import Timeframe

    session = Calendar().session(DAY)
    world = next(w for w in reversed(module_store.worlds()) if w.kind is WorldKind.RECYCLER)
    asked = (SYMBOLS, Timeframe.MIN_1)
    seen = module_store.bars.read(*asked, first=session.open, last=session.close, world=world)
    stored = module_store.bars.read(*asked, first=session.open, last=session.close)
    assert len(seen) == 4 * 390
    assert (seen["close"].to_numpy() == stored["close"].to_numpy()).all()
