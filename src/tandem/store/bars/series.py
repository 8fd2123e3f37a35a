"""What a stored bar belongs to, beside its symbol and its time."""

from dataclasses import dataclass

from tandem.market import Timeframe, World


@dataclass(frozen=True, slots=True)
class Series:
    """Bars that may stand in one line: of one length, one origin and one treatment."""

    timeframe: Timeframe
    source: str
    feed: str = ""
    adjustment: str = "raw"
    world: World | None = None

    @property
    def columns(self) -> dict[str, str]:
        """The same in the words of the table `market_data`."""
        return {
            "timeframe": str(self.timeframe),
            "data_source": self.source,
            "feed": self.feed,
            "adjustment": self.adjustment,
            "world": world_name(self.world),
        }


def world_name(world: World | None) -> str:
    """How `market_data` names a world; bars of no world are everybody's."""
    return str(world) if world else ""
