"""Settings: `config.yaml`, the environment and `.env`, typed and checked."""

from tandem.config.settings import (
    AlpacaSettings,
    CostSettings,
    DriftSettings,
    ExecutionSettings,
    GarchSettings,
    ModelSettings,
    RecyclerSettings,
    RiskSettings,
    RuleSettings,
    ScreenSettings,
    SectorSettings,
    Settings,
    WebsocketSettings,
)

__all__ = [
    "AlpacaSettings",
    "CostSettings",
    "DriftSettings",
    "ExecutionSettings",
    "GarchSettings",
    "ModelSettings",
    "RecyclerSettings",
    "RiskSettings",
    "RuleSettings",
    "ScreenSettings",
    "SectorSettings",
    "Settings",
    "WebsocketSettings",
]
