"""The recycler: a local Alpaca that replays stored bars, with a paper broker beside it."""

from tandem.recycler.account.account import new_account, standing_world
from tandem.recycler.faults import KINDS as FAULTS
from tandem.recycler.launch import Launched, launch, serve
from tandem.recycler.options import Options, world_of
from tandem.recycler.reel.shelf import Shelf

__all__ = ["FAULTS", "Launched", "Options", "Shelf", "launch", "new_account", "serve", "standing_world", "world_of"]
