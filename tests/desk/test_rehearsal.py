"""The same sessions through sockets and in one process, on the shipped bars."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from tandem.cli.demo import SYMBOLS, settings_of
from tandem.config import Settings
from tandem.desk import Rehearsal, compare, in_one_process, plan_of, prepare, through_sockets
from tandem.forecast import PairModel
from tandem.market import Calendar, Fill, Refusal, WorldKind
from tandem.signals import Signal
from tandem.sources import samples
from tandem.statistics import reversion_probability
from tandem.store import MemoryFacts, Record

DAY = date(2023, 1, 25)
DAY_OF_THE_GRU = date(2023, 1, 27)


@pytest.fixture(scope="module")
def rehearsed(module_store, tmp_path_factory):
    """Makes rehearsals of a day, by the p-value below which the GRU trades: none is below 0, most are below 1."""
    samples.load(module_store)
    home = tmp_path_factory.mktemp("home")

    def made(evidence_pvalue, day=DAY, epochs=2):
        settings = settings_of(home).model_dump() | {"database_url": module_store.url}
        settings["model"] |= {"epochs": epochs, "evidence_pvalue": evidence_pvalue}
        settings = Settings.model_validate(settings)
        world = module_store.new_world(WorldKind.RECYCLER, "plans")
        prepare(module_store, module_store.facts(world), Calendar().session(day), settings, None)
        return Rehearsal(home, settings, SYMBOLS, (day,), world)

    return made


@pytest.fixture(scope="module")
def rehearsal(rehearsed):
    """Of the day, which the baseline trades."""
    return rehearsed(0.0)


@pytest.fixture(scope="module")
def in_process(module_store, rehearsal):
    return traded(module_store, rehearsal, in_one_process, WorldKind.BACKTEST)


def traded(store, rehearsal, by, kind, *given):
    """The facts of the day in a world of its own."""
    world = store.new_world(kind)
    by(rehearsal, world, *given)
    return store.facts(world)


@pytest.mark.parametrize("delay_ms", [0.0, 40.0])
def test_sockets_and_one_process_trade_alike_whatever_the_delays(module_store, rehearsal, in_process, delay_ms):
    facts = traded(module_store, rehearsal, through_sockets, WorldKind.RECYCLER, delay_ms)
    assert len(facts.read(Signal)) == 77
    assert len(facts.read(Fill)) >= 4
    assert compare(facts, in_process) == []


def test_sockets_and_one_process_trade_alike_where_the_gru_decides(module_store, rehearsed):
    rehearsal = rehearsed(1.0, DAY_OF_THE_GRU, epochs=15)
    facts = traded(module_store, rehearsal, through_sockets, WorldKind.RECYCLER)
    plan, signals = plan_of(facts, DAY_OF_THE_GRU), [record.body for record in facts.read(Signal)]
    (model,) = (PairModel.from_bytes(module_store.blobs.get(digest)) for digest in plan.models.values())
    assert model.trades_with == "gru"
    assert {signal.model for signal in signals} == {"gru"}
    baseline = reversion_probability(np.array([signal.z for signal in signals]), model.phi**model.horizon)
    assert np.abs([signal.probability for signal in signals] - baseline).min() > 1e-6  # it says what no AR(1) does
    assert facts.read(Refusal) == []
    assert len(signals) == 77
    assert len(facts.read(Fill)) >= 4
    assert compare(facts, traded(module_store, rehearsal, in_one_process, WorldKind.BACKTEST)) == []
    plain = traded(module_store, rehearsed(0.0, DAY_OF_THE_GRU), in_one_process, WorldKind.BACKTEST)
    assert compare(facts, plain) != []  # on the same bars the baseline does otherwise


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
    worlds = (world for world in module_store.worlds() if world.kind is WorldKind.RECYCLER)
    world = next(world for world in worlds if module_store.facts(world).read(Fill, session=DAY))
    asked = (SYMBOLS, Timeframe.MIN_1)
    seen = module_store.bars.read(*asked, first=session.open, last=session.close, world=world)
    stored = module_store.bars.read(*asked, first=session.open, last=session.close)
    assert len(seen) == 4 * 390
    assert (seen["close"].to_numpy() == stored["close"].to_numpy()).all()
