"""Settings: `config.yaml`, the environment and `.env`, typed and checked."""

from tandem.config.edit import edit_lists
from tandem.config.effective import as_yaml, effective
from tandem.config.load import load
from tandem.config.settings import (
    AlpacaSettings,
    CostSettings,
    DateRangeSettings,
    DriftSettings,
    ExecutionSettings,
    FaultSettings,
    GarchSettings,
    LifeSettings,
    ModelSettings,
    RecyclerSettings,
    RefitSettings,
    RiskSettings,
    RuleSettings,
    ScreenSettings,
    SectorSettings,
    Settings,
    WebsocketSettings,
)
from tandem.config.trust import connection, own_certificate, trusting, unreachable

__all__ = [
    "AlpacaSettings",
    "CostSettings",
    "DateRangeSettings",
    "DriftSettings",
    "ExecutionSettings",
    "FaultSettings",
    "GarchSettings",
    "LifeSettings",
    "ModelSettings",
    "RecyclerSettings",
    "RefitSettings",
    "RiskSettings",
    "RuleSettings",
    "ScreenSettings",
    "SectorSettings",
    "Settings",
    "WebsocketSettings",
    "as_yaml",
    "connection",
    "edit_lists",
    "effective",
    "load",
    "own_certificate",
    "trusting",
    "unreachable",
]
