from tandem.market import World, WorldKind
from tandem.store import Store


def test_worlds_get_run_numbers_that_no_other_has(store: Store) -> None:
    first, second = store.new_world(WorldKind.BACKTEST, "demo"), store.new_world(WorldKind.SHADOW)
    assert first.run != second.run
    assert store.worlds() == [first, second]
    assert store.label(first) == "demo"


def test_a_world_made_by_hand_never_shares_its_run_number_with_a_new_one(store: Store) -> None:
    by_hand = World(WorldKind.BACKTEST, 1)
    store.facts(by_hand)
    assert store.new_world(WorldKind.BACKTEST) != by_hand
