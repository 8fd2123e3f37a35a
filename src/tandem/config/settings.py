"""Every setting, with its unit and its default.

`config.yaml` gives them, `TANDEM_BLOCK__KEY` in the environment or in `.env` overrides them, and
secrets come from the environment or `.env` alone.
"""

from datetime import date, time
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from tandem.market import ConfigError, Timeframe

Symbol = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9.\-]*$")]
Symbols = list[Symbol]
SHORTEST_TOKEN = 16
WHERE_KEYS_ARE = (
    "`tandem init` asks for them, or set TANDEM_ALPACA__KEY_ID and TANDEM_ALPACA__SECRET_KEY; a paper account at "
    "https://app.alpaca.markets has them, free, under API Keys. `tandem up --recycled` needs none"
)
Probability = Annotated[float, Field(ge=0, le=1)]
EngineName = Annotated[str, Field(pattern=r"^(local|dask|(dask|tcp|tls)://[^/\s]+)$")]


def hard_to_guess(token: SecretStr | None) -> SecretStr | None:
    """The token of a server, where it is long enough.

    Raises:
        ValueError: it is not.
    """
    if token is not None and len(token.get_secret_value()) < SHORTEST_TOKEN:
        raise ValueError(f"a secret of {SHORTEST_TOKEN} characters at least")
    return token


class Block(BaseModel):
    """A block of settings: unknown keys are refused, numbers are finite, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DateRangeSettings(Block):
    """New York dates, both included."""

    start_date: date | None = None
    end_date: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start_date and self.end_date and self.end_date < self.start_date:
            raise ValueError(f"an end_date on or after the start_date {self.start_date}")
        return self


class FaultSettings(Block):
    """One thing that goes wrong on purpose; `docs/recycler.md` lists the names and what each needs."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    symbol: Symbol | None = None
    at: time | None = None
    until: time | None = None
    every: Annotated[int, Field(ge=1)] | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    chance: Probability | None = None
    seed: int = 7


class RecyclerSettings(Block):
    """The local Alpaca: what it replays and how fast."""

    symbols: Symbols = ["AAPL", "IBM", "MSFT", "NVDA"]
    proxies: dict[Symbol, Symbol] = {}
    replay_mode: Literal["loop", "date_range", "single_pass", "shuffle_days", "splice"] = "loop"
    replay_speed: Annotated[float, Field(gt=0)] | Literal["max"] = 1.0
    replay: Literal["free", "lockstep"] = "free"
    timestamps: Literal["current", "original"] = "current"
    timeframe: Timeframe = Timeframe.MIN_1
    server_url: Annotated[str, Field(pattern=r"^wss?://[^/\s]+")] = "ws://localhost:8765"
    loop_count: Annotated[int, Field(ge=-1)] = -1
    date_range: DateRangeSettings = DateRangeSettings()
    splice_dates: list[date] = []
    shuffle_seed: int = 7
    on_end: Literal["hold", "close"] = "hold"
    allow_simulated: bool = False
    derive_ticks: bool = False
    cash: Annotated[Decimal, Field(gt=0)] = Decimal(100_000)
    fills: Literal["next_bar", "alpaca"] = "next_bar"
    fills_seed: int = 7
    symbol_limit: Annotated[int, Field(ge=1)] | None = None
    connection_limit: Annotated[int, Field(ge=1)] | None = None
    rate_limit: Annotated[int, Field(ge=1)] | None = None
    faults: list[FaultSettings] = []

    @model_validator(mode="after")
    def _range_is_given(self) -> Self:
        if self.replay_mode == "date_range" and self.date_range == DateRangeSettings():
            raise ValueError("a date_range with start_date or end_date, because replay_mode is date_range")
        return self

    @model_validator(mode="after")
    def _dates_to_splice(self) -> Self:
        if self.replay_mode == "splice" and not self.splice_dates:
            raise ValueError("splice_dates, because replay_mode is splice")
        return self


class WebsocketSettings(Block):
    """Where live bars come from: `alpaca` or the local `recycler`."""

    mode: Literal["alpaca", "recycler"] = "recycler"
    symbols: Symbols = ["AAPL", "IBM", "MSFT", "NVDA"]
    recycler: RecyclerSettings = RecyclerSettings()


class AlpacaSettings(Block):
    """The account. The keys come from `TANDEM_ALPACA__KEY_ID` and `TANDEM_ALPACA__SECRET_KEY`."""

    key_id: SecretStr | None = None
    secret_key: SecretStr | None = None
    paper: bool = True
    data_feed: Literal["iex", "sip"] = "iex"

    @property
    def has_keys(self) -> bool:
        """Whether both are set."""
        return self.key_id is not None and self.secret_key is not None

    @property
    def missing(self) -> str:
        """Which of the two keys is forgotten, in words; empty where both are set, or none."""
        if (self.key_id is None) == (self.secret_key is None):
            return ""
        return f"{'TANDEM_ALPACA__KEY_ID' if self.key_id is None else 'TANDEM_ALPACA__SECRET_KEY'} is not set"

    def keys(self) -> tuple[str, str]:
        """Key id and secret key.

        Raises:
            ConfigError: one of them is missing.
        """
        if self.key_id is None or self.secret_key is None:
            raise ConfigError(self.missing or "no keys for Alpaca", WHERE_KEYS_ARE)
        return self.key_id.get_secret_value(), self.secret_key.get_secret_value()


class SectorSettings(Block):
    """Sectors whose symbols are screened and traded."""

    active: list[str] = ["technology"]


class LifeSettings(Block):
    """How a pair comes to be traded and ceases to be, counted in mornings."""

    candidate_mornings: Annotated[int, Field(ge=0)] = 0
    probation_mornings: Annotated[int, Field(ge=0)] = 3


class ScreenSettings(Block):
    """The daily identification of pairs: window and gates (STATISTICS 1-5)."""

    formation_days: Annotated[int, Field(ge=2)] = 45
    min_bars: Annotated[int, Field(ge=50)] = 200
    across_sectors: bool = False
    max_gap_share: Probability = 0.1
    max_stale_share: Probability = 0.2
    min_dollar_volume: Annotated[float, Field(ge=0)] = 1_000_000.0
    correlation_on: Literal["prices", "returns"] = "prices"
    min_correlation: Annotated[float, Field(ge=-1, le=1)] = 0.8
    cointegration: Literal["engle_granger", "johansen", "both"] = "engle_granger"
    max_pvalue: Probability = 0.05
    max_fdr: Probability | None = None
    hedge: Literal["ols", "tls", "johansen", "kalman"] = "ols"
    min_hedge_ratio: float = 0.1
    max_hedge_ratio: float = 10.0
    max_half_life_share: Probability = 0.1
    min_diagnostic_p: Probability = 0.01
    min_score: Probability = 0.7
    max_pairs: Annotated[int, Field(ge=1)] | None = 50
    engine: EngineName = "local"
    threads: Annotated[int, Field(ge=1)] | None = None
    life: LifeSettings = LifeSettings()

    @model_validator(mode="after")
    def _hedge_in_order(self) -> Self:
        if self.max_hedge_ratio < self.min_hedge_ratio:
            raise ValueError(f"a max_hedge_ratio of at least min_hedge_ratio {self.min_hedge_ratio}")
        return self


Rival = Literal["ar1", "logistic", "always_one", "boosting", "garch_gru", "pooled_gru"]


class ModelSettings(Block):
    """What the GRU is and how it is trained (STATISTICS 6); the mission's defaults."""

    timeframe: Timeframe = Timeframe.HOUR_1
    version: str = "v1"
    label: Literal["reverts", "toward"] = "reverts"
    sequence_length: Annotated[int, Field(ge=2)] = 10
    gru_units: Annotated[int, Field(ge=1)] = 64
    dropout_rate: Annotated[float, Field(ge=0, lt=1)] = 0.255
    learning_rate: Annotated[float, Field(gt=0)] = 0.0003
    batch_size: Annotated[int, Field(ge=1)] = 32
    epochs: Annotated[int, Field(ge=1)] = 50
    patience: Annotated[int, Field(ge=1)] = 8
    validation_split: Annotated[float, Field(gt=0, lt=0.5)] = 0.2
    test_split: Annotated[float, Field(gt=0, lt=0.5)] = 0.2
    min_data_points: Annotated[int, Field(ge=100)] = 1800
    lag_features: list[Annotated[int, Field(ge=1)]] = [1, 2, 3, 4, 5]
    z_score_window: Annotated[int, Field(ge=3)] = 7
    volatility_window: Annotated[int, Field(ge=3)] = 20
    features: list[str] = []
    feature_modules: list[str] = []
    symmetric: bool = True
    practice: Annotated[int, Field(ge=0)] = 2000
    distillation: Probability = 0.7
    rivals: list[Rival] = ["ar1", "logistic", "always_one"]
    evidence_pvalue: Probability = 0.05
    expires_sessions: Annotated[int, Field(ge=0)] = 5
    seed: int = 7


class TrainingSettings(Block):
    """Where models are trained; it changes no result."""

    engine: EngineName = "local"
    workers: Annotated[int, Field(ge=1)] | None = None


class TuningSettings(Block):
    """How a search for better model settings judges them: on walk-forward blocks before the test block."""

    steps: Annotated[int, Field(ge=1)] = 3
    step_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.12
    pairs: Annotated[int, Field(ge=1)] = 8


class TrialSettings(Block):
    """Champion and challenger: who is tried how, and what it takes to decide (docs/champion-and-challenger.md)."""

    mode: Literal["off", "shadow", "split"] = "off"
    challenger: dict[str, Any] = {}
    share: Probability = 0.5
    seed: int = 7
    min_days: Annotated[int, Field(ge=10)] = 60
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    pvalue: Annotated[float, Field(gt=0, lt=1)] = 0.05
    draws: Annotated[int, Field(ge=100)] = 1000
    cusum_slack: Annotated[float, Field(gt=0)] = 0.5
    cusum_limit: Annotated[float, Field(gt=0)] = 8.0
    max_stability_index: Annotated[float, Field(gt=0)] = 0.25

    @field_validator("challenger")
    @classmethod
    def _changes_the_model(cls, challenger: dict[str, Any]) -> dict[str, Any]:
        known = set(ModelSettings.model_fields) - {"timeframe"}
        if challenger and ("version" not in challenger or set(challenger) - known):
            raise ValueError("keys of `model` but timeframe, with a version, such as {version: v2, gru_units: 32}")
        ModelSettings.model_validate(challenger)
        return challenger


class ThresholdSettings(Block):
    """What a model has to show before it is promoted; names of the figures as in the mission."""

    min_f1_score: Probability = 0.70
    min_sharpe_ratio: float = 0.5
    max_drawdown: Probability = 0.1


class RefitSettings(Block):
    """What the daily refit of a recipe has to pass before it trades."""

    max_loss_rise: Annotated[float, Field(gt=0)] = 0.25
    min_record: Annotated[int, Field(ge=1)] = 5
    max_refused_share: Probability = 0.5


class GarchSettings(Block):
    """AR(1)-GARCH(1,1) of the spread (STATISTICS 4)."""

    distribution: Literal["normal", "studentst"] = "normal"
    backcast: Literal["ewma", "sample"] = "ewma"


class RuleSettings(Block):
    """The baseline rule (STATISTICS 7); z-scores are against the formation window."""

    enter_z: Annotated[float, Field(gt=0)] = 2.0
    exit_z: Annotated[float, Field(ge=0)] = 0.5
    stop_z: Annotated[float, Field(gt=0)] = 4.0
    min_probability: Probability = 0.55
    band_deviations: Annotated[float, Field(gt=0)] = 3.0
    max_half_lives: Annotated[float, Field(gt=0)] = 3.0
    rest_half_lives: Annotated[float, Field(ge=0)] = 1.0
    max_volatility_ratio: Annotated[float, Field(ge=1)] = 2.0
    overnight: Literal["hold", "flatten"] = "hold"

    @model_validator(mode="after")
    def _bands_in_order(self) -> Self:
        if not self.exit_z < self.enter_z < self.stop_z:
            raise ValueError("exit_z below enter_z and enter_z below stop_z")
        return self


class DriftSettings(Block):
    """How far a pair may leave its formation before it is exits-only."""

    window_bars: Annotated[int, Field(ge=20)] = 156
    min_correlation: Annotated[float, Field(ge=-1, le=1)] = 0.0
    max_correlation_drop: Annotated[float, Field(gt=0)] = 0.5
    max_hedge_change: Annotated[float, Field(gt=0)] = 1.0


class RiskSettings(Block):
    """Sizes and limits: dollars, or shares of equity where the name says `share`."""

    pair_volatility_target: Annotated[float, Field(gt=0)] = 200.0
    max_pair_share: Annotated[float, Field(gt=0)] = 0.25
    max_sector_share: Annotated[float, Field(gt=0)] = 0.5
    max_gross_share: Annotated[float, Field(gt=0)] = 1.0
    max_hedge_error: Probability = 0.05
    max_daily_loss_share: Probability = 0.02
    max_drawdown_share: Probability = 0.1
    max_orders_per_minute: Annotated[int, Field(ge=1)] = 20
    drift: DriftSettings = DriftSettings()


class CostSettings(Block):
    """What trading costs: the recycler charges it, the score and the backtest count it."""

    spread_bps: Annotated[float, Field(ge=0)] = 2.0
    impact: Annotated[float, Field(ge=0)] = 0.1
    max_volume_share: Annotated[float, Field(gt=0, le=1)] = 0.1
    commission_per_share: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    sec_fee_per_dollar: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    taf_fee_per_share: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    borrow_rate: Annotated[Decimal, Field(ge=0)] = Decimal(0)


class ExecutionSettings(Block):
    """How long and for how many dollars one leg may stand alone."""

    naked_seconds: Annotated[int, Field(ge=0)] = 180
    naked_dollars: Annotated[Decimal, Field(gt=0)] = Decimal(30_000)
    attempts: Annotated[int, Field(ge=1)] = 2


class ServeSettings(Block):
    """The day's models over HTTP. The token comes from `TANDEM_SERVE__TOKEN`."""

    host: Annotated[str, Field(pattern=r"^[^\s/]+$")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 5001
    token: SecretStr | None = None

    _hard_to_guess = field_validator("token")(hard_to_guess)


class OperationsSettings(Block):
    """The desk that runs by itself: mornings without pairs, how long things are kept, and where it serves."""

    deadline: time = time(6, 20)
    missed_morning: Literal["exits_only", "identify"] = "exits_only"
    recycled_data_days: Annotated[int, Field(ge=1)] = 30
    backups: Annotated[int, Field(ge=0)] = 7
    prefect_port: Annotated[int, Field(ge=1, le=65535)] = 4200
    mlflow_port: Annotated[int, Field(ge=1, le=65535)] = 5000


class DashboardSettings(Block):
    """The web page. The token comes from `TANDEM_DASHBOARD__TOKEN`."""

    host: Annotated[str, Field(pattern=r"^[^\s/]+$")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    token: SecretStr | None = None

    _hard_to_guess = field_validator("token")(hard_to_guess)


QUIET = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"
Severity = Literal["info", "warning", "critical"]
ALERT_RULES = (
    *("drawdown", "daily_loss", "naked_leg", "stale_feed", "missed_run", "drift", "demotion", "halt"),
    *("halted_by_person", "store_away", "reject_rate", "process_died", "process_restarts", "unsupervised"),
    "refit_refused",
    "not_registered",
)


class AlertRuleSettings(Block):
    """What differs from the defaults of one rule; `tandem alerts rules` lists them with their units."""

    on: bool = True
    severity: Severity | None = None
    threshold: Annotated[float, Field(ge=0)] | None = None


class AlertSettings(Block):
    """What a person is told, when and where. Addresses come from `TANDEM_ALERTS__TARGETS` as `name=url,name=url`."""

    rules: dict[str, AlertRuleSettings] = {}
    targets: SecretStr | None = None
    severities: dict[str, Severity] = {}
    quiet_hours: Annotated[str, Field(pattern=QUIET)] | None = None
    escalation: list[str] = []
    escalation_minutes: Annotated[int, Field(ge=1)] = 15

    @field_validator("rules")
    @classmethod
    def _rules_exist(cls, rules: dict[str, AlertRuleSettings]) -> dict[str, AlertRuleSettings]:
        for name in set(rules) - set(ALERT_RULES):
            near = get_close_matches(name, ALERT_RULES, 1)
            mend = f"did you mean {near[0]}?" if near else "`tandem alerts rules` lists them"
            raise ValueError(f"names of rules; {name} is none, {mend}")
        return rules


class Settings(Block):
    """All of it."""

    websocket: WebsocketSettings = WebsocketSettings()
    alpaca: AlpacaSettings = AlpacaSettings()
    sectors: SectorSettings = SectorSettings()
    screen: ScreenSettings = ScreenSettings()
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    tuning: TuningSettings = TuningSettings()
    trial: TrialSettings = TrialSettings()
    performance_thresholds: ThresholdSettings = ThresholdSettings()
    refit: RefitSettings = RefitSettings()
    garch: GarchSettings = GarchSettings()
    rule: RuleSettings = RuleSettings()
    risk: RiskSettings = RiskSettings()
    costs: CostSettings = CostSettings()
    execution: ExecutionSettings = ExecutionSettings()
    serve: ServeSettings = ServeSettings()
    operations: OperationsSettings = OperationsSettings()
    dashboard: DashboardSettings = DashboardSettings()
    alerts: AlertSettings = AlertSettings()
    home: Annotated[Path, Field(validate_default=True)] = Path("~/.tandem")
    database_url: SecretStr | None = None

    @field_validator("home")
    @classmethod
    def _home_of_the_user(cls, home: Path) -> Path:
        return home.expanduser()
