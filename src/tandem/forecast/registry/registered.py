"""The day's registered model, as a fact."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ModelRegistered:
    """A day's pair models under one name in the registry.

    Attributes:
        name: `pairs_trading_gru_garch_{sector}_{version}_{YYYYMMDD}`.
        version: the registry's number; the same day registered again gets the next one.
        run_id: MLflow's run of the day, the parent of a run per pair.
        pairs: `A/B`, best score first.
        trades_with: `gru` or `baseline` by pair.
        metrics: each pair's figures, flat, by pair.
        sector: of its pairs.
        recipe: it is a refit of; empty for models of earlier versions of Tandem.
        refused: why it must not trade; empty where it passed.
        refit: digest of its `Registration`; empty for models of earlier versions of Tandem.
        configuration: version of the day's trading configuration that it was fitted by.
    """

    kind: ClassVar = "model_registered"

    name: str
    version: str
    run_id: str
    pairs: tuple[str, ...]
    trades_with: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    sector: str = ""
    recipe: str = ""
    refused: str = ""
    refit: str = ""
    configuration: int = 1
