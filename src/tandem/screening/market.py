"""What every block of pairs needs to be worked on."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tandem.config import CostSettings, GarchSettings, RuleSettings, ScreenSettings, Settings
from tandem.store import Panel


@dataclass(frozen=True)
class Market:
    """The bars of a formation window and how to judge them.

    Attributes:
        panel: the window and nothing else.
        screen, garch, rule, costs: settings.
    """

    panel: Panel
    screen: ScreenSettings
    garch: GarchSettings
    rule: RuleSettings
    costs: CostSettings

    @classmethod
    def of(cls, panel: Panel, settings: Settings) -> Self:
        """A window with the settings that judge it."""
        return cls(panel, settings.screen, settings.garch, settings.rule, settings.costs)

    @cached_property
    def log_prices(self) -> NDArray[np.float64]:
        """Logs of the closes, NaN where a symbol has no bar, shape (n_symbols, n_bars)."""
        return np.log(self.panel.closes)

    def __getstate__(self) -> dict[str, object]:
        # What is derived does not travel.
        return {name: value for name, value in self.__dict__.items() if name != "log_prices"}
