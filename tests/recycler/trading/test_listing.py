import asyncio
from threading import Event

import pytest

from tandem.market import StoreError
from tandem.recycler.trading.listing import Listing


def test_it_is_asked_once_and_waited_for_without_stopping_the_loop() -> None:
    go, asked = Event(), []

    def ask() -> list[str]:
        asked.append(go.wait(5))
        return ["IBM", "AAPL"]

    async def scene() -> None:
        listing = Listing(ask)
        assert listing.symbols == frozenset()
        gone = asyncio.create_task(listing.known())
        waiting = asyncio.create_task(listing.known())
        await asyncio.sleep(0)
        gone.cancel()
        go.set()
        await asyncio.wait_for(waiting, 5)
        await listing.known()
        assert listing.symbols == {"AAPL", "IBM"}

    asyncio.run(scene())
    assert asked == [True]


@pytest.mark.parametrize("away", [True, False])
def test_without_a_store_there_are_no_others(away: bool) -> None:
    def ask() -> list[str]:
        raise StoreError("the store is away")

    listing = Listing(ask if away else None)
    asyncio.run(asyncio.wait_for(listing.known(), 5))
    assert listing.symbols == frozenset()
