"""Ids of accounts, assets and the like: the same for the same thing, in every run."""

from typing import Final
from uuid import UUID, uuid5

from tandem.market import World

IDS: Final = UUID("f1b7c3a4-5c1d-5c53-8d0e-1f5f0b8a6c11")


def id_of(name: str) -> str:
    """The id of whatever `name` names."""
    return str(uuid5(IDS, name))


def asset_id(symbol: str) -> str:
    """The same id for a symbol in every recycler."""
    return id_of(symbol)


def account_id(world: World) -> str:
    """The same id for the account of a world."""
    return id_of(f"account/{world}")
