"""Settings from files and the environment."""

import re
from datetime import date, time
from pathlib import Path

import pytest
import yaml

from tandem.config import Settings, as_yaml, effective, load
from tandem.config.keys import keys_of
from tandem.market import ConfigError

ROOT = Path(__file__).parents[2]
MISSION = ROOT.parent / "shared" / "MISSION.md"
KEYS = {str(key): key for key in keys_of(Settings)}

PAIRS = """
websocket:
  mode: "recycler"
  symbols: ["AAPL", "PDFS", "ROG"]
  recycler:
    symbols: ["AAPL", "PDFS", "ROG"]
    replay_mode: "loop"
    replay_speed: 1.0
    server_url: "ws://localhost:8765"
    loop_count: -1  # -1 = infinite loop
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def given(text: str) -> Settings:
    Path("config.yaml").write_text(text)
    return load(environ={})


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        given(text)
    line = str(caught.value)
    assert "\n" not in line
    assert "pydantic" not in line
    return line


def refused_variable(**environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(environ=environ)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "replay_speed: fast",
            "websocket.recycler.replay_speed is 'fast', expected a number above 0 such as 60, or max",
        ),
        ("replay_speed: 0", "websocket.recycler.replay_speed is 0, expected a number above 0 such as 60, or max"),
        (
            "server_url: localhost:8765",
            "websocket.recycler.server_url is 'localhost:8765', expected an address such as ws://localhost:8765",
        ),
        (
            "date_range: {start_date: 2023-13-01}",
            "websocket.recycler.date_range.start_date is '2023-13-01', expected a date such as 2023-01-05",
        ),
    ],
)
def test_what_the_recycler_cannot_take_is_said_by_its_form(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"websocket:\n  recycler:\n    {line}\n")
    with pytest.raises(ConfigError) as refused:
        load(file, {})
    assert str(refused.value) == f"{file}: {said}"


def test_without_a_file_the_defaults_hold() -> None:
    assert load(environ={}) == Settings()


def test_the_pairs_setup_loads_as_it_stands() -> None:
    settings = given(PAIRS)
    assert settings.websocket.recycler.symbols == ["AAPL", "PDFS", "ROG"]
    assert settings.websocket.recycler.loop_count == -1


def test_a_date_range_is_given_as_text_or_as_a_date() -> None:
    quoted = given('websocket: {recycler: {replay_mode: date_range, date_range: {start_date: "2025-06-23"}}}')
    plain = given("websocket: {recycler: {replay_mode: date_range, date_range: {start_date: 2025-06-23}}}")
    assert quoted.websocket.recycler.date_range.start_date == date(2025, 6, 23)
    assert quoted == plain


@pytest.mark.skipif(not MISSION.exists(), reason="the mission's text is not beside the checkout")
def test_every_block_of_the_mission_loads_as_it_stands() -> None:
    blocks = re.findall(r"```yaml\n(websocket:.*?)```", MISSION.read_text(), re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        wanted = yaml.safe_load(block)["websocket"]["recycler"]
        recycler = given(block).websocket.recycler.model_dump(mode="json")
        assert {name: recycler[name] for name in wanted} == wanted


def test_an_empty_file_and_an_empty_block_keep_the_defaults() -> None:
    assert given("") == Settings()
    assert given("websocket:\n# mode: alpaca\n") == Settings()


@pytest.mark.parametrize("name", KEYS)
def test_every_key_is_overridden_by_its_variable(name: str) -> None:
    key = KEYS[name]
    other = _another(name)
    settings = load(environ={key.variable: other})
    assert settings != Settings()


def _another(name: str) -> str:
    special = {
        "websocket.mode": "alpaca",
        "websocket.recycler.replay_mode": "single_pass",
        "websocket.recycler.proxies": "PDFS=AAPL",
        "trial.mode": "split",
        "trial.challenger": "version=v2",
        "websocket.recycler.replay": "lockstep",
        "websocket.recycler.timestamps": "original",
        "websocket.recycler.timeframe": "5Min",
        "websocket.recycler.server_url": "ws://localhost:9000",
        "websocket.recycler.splice_dates": "2025-06-23,2025-04-09",
        "websocket.recycler.on_end": "close",
        "websocket.recycler.allow_simulated": "true",
        "websocket.recycler.derive_ticks": "true",
        "websocket.recycler.fills": "alpaca",
        "websocket.recycler.symbol_limit": "30",
        "websocket.recycler.connection_limit": "1",
        "websocket.recycler.rate_limit": "200",
        "websocket.recycler.faults": "[{name: drop, every: 100}]",
        "alpaca.paper": "false",
        "alpaca.data_feed": "sip",
        "screen.correlation_on": "returns",
        "screen.cointegration": "both",
        "screen.across_sectors": "true",
        "screen.hedge": "tls",
        "screen.engine": "dask://desk:8786",
        "screen.max_pairs": "none",
        "screen.threads": "2",
        "training.engine": "dask",
        "training.workers": "2",
        "model.timeframe": "5Min",
        "model.label": "toward",
        "model.symmetric": "false",
        "model.rivals": "ar1,boosting",
        "rule.max_volatility_ratio": "3.0",
        "model.lag_features": "1,2",
        "garch.distribution": "studentst",
        "garch.backcast": "sample",
        "serve.token": "a secret that is long enough",
        "dashboard.token": "a secret that is long enough",
        "operations.deadline": "06:30",
        "alerts.rules": "{drawdown: {threshold: 0.2}, drift: {on: false}}",
        "alerts.targets": "desk=json://localhost",
        "alerts.severities": "desk=info",
        "alerts.quiet_hours": "22:00-07:00",
        "operations.missed_morning": "identify",
        "rule.overnight": "flatten",
        "rule.stop_z": "5",
        "rule.enter_z": "2.5",
    }
    if name in special:
        return special[name]
    if name.endswith("_date"):
        return "2025-06-23"
    if KEYS[name].many:
        return "XOM,CVX"
    default = Settings()
    for part in KEYS[name].path:
        default = getattr(default, part)
    if isinstance(default, int) or (default is not None and not isinstance(default, str | float | Path)):
        return str(int(default) + 60)  # type: ignore[call-overload]
    return "0.3" if isinstance(default, float) or name == "screen.max_fdr" else "other"


def test_the_environment_overrides_dotenv_which_overrides_the_file() -> None:
    Path(".env").write_text("TANDEM_SCREEN__MIN_SCORE=0.6\nTANDEM_SCREEN__MIN_BARS=300\nOTHER=1\n")
    Path("config.yaml").write_text("screen: {min_score: 0.5, min_bars: 250, formation_days: 30}")
    screen = load(environ={"TANDEM_SCREEN__MIN_BARS": "350"}).screen
    assert (screen.formation_days, screen.min_score, screen.min_bars) == (30, 0.6, 350)


def test_a_list_in_the_environment_is_written_with_commas_or_brackets() -> None:
    for text in ("AAPL, ON", "[AAPL, ON]", '["AAPL","ON"]'):
        assert load(environ={"TANDEM_WEBSOCKET__SYMBOLS": text}).websocket.symbols == ["AAPL", "ON"]


def test_a_table_in_the_environment_is_written_with_equals_signs_or_braces() -> None:
    for text in ("PDFS=AAPL, ROG=AAPL", "{PDFS: AAPL, ROG: AAPL}"):
        recycler = load(environ={"TANDEM_WEBSOCKET__RECYCLER__PROXIES": text}).websocket.recycler
        assert recycler.proxies == {"PDFS": "AAPL", "ROG": "AAPL"}
    assert "expected a table" in refused_variable(TANDEM_WEBSOCKET__RECYCLER__PROXIES="PDFS")
    assert "expected a table" in refused_variable(TANDEM_WEBSOCKET__RECYCLER__PROXIES="{PDFS: [")


def test_a_fault_has_its_time_as_a_person_writes_it() -> None:
    recycler = given("websocket: {recycler: {faults: [{name: stall, at: 10:30, until: 09:45:30}]}}").websocket.recycler
    assert (recycler.faults[0].at, recycler.faults[0].until) == (time(10, 30), time(9, 45, 30))


def test_an_optional_setting_is_emptied_by_none() -> None:
    Path("config.yaml").write_text("screen: {max_fdr: 0.1}")
    assert load(environ={"TANDEM_SCREEN__MAX_FDR": "none"}).screen.max_fdr is None


def test_home_and_database_come_from_their_own_variables() -> None:
    settings = load(environ={"TANDEM_HOME": "~/elsewhere", "TANDEM_DATABASE_URL": "postgresql://me:pw@host/db"})
    assert settings.home == Path.home() / "elsewhere"
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://me:pw@host/db"
    assert Settings().home == Path.home() / ".tandem"


def test_the_file_is_found_by_argument_then_by_variable() -> None:
    Path("one.yaml").write_text("screen: {min_score: 0.1}")
    Path("two.yaml").write_text("screen: {min_score: 0.2}")
    assert load(Path("one.yaml"), {"TANDEM_CONFIG": "two.yaml"}).screen.min_score == 0.1
    assert load(environ={"TANDEM_CONFIG": "two.yaml"}).screen.min_score == 0.2


def test_a_missing_file_that_was_named_is_one_line() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml is missing"):
        load(Path("nowhere.yaml"), {})


def test_an_unknown_key_is_refused_with_its_path_and_a_suggestion() -> None:
    line = refusal("websocket: {recycler: {replay_sped: 2}}")
    assert "config.yaml: unknown key websocket.recycler.replay_sped" in line
    assert "Did you mean websocket.recycler.replay_speed?" in line


def test_a_key_on_the_wrong_level_is_shown_its_place() -> None:
    assert "Did you mean websocket.recycler.replay_speed?" in refusal("websocket: {replay_speed: 2}")


def test_an_unknown_variable_is_refused_with_a_suggestion() -> None:
    assert "Did you mean TANDEM_WEBSOCKET__MODE?" in refused_variable(TANDEM_WEBSOCKET__MODUS="alpaca")
    Path(".env").write_text("TANDEM_WEBSOKET__MODE=alpaca\n")
    assert ".env: TANDEM_WEBSOKET__MODE" in refused_variable()


def test_a_wrong_value_names_file_key_value_and_what_is_expected() -> None:
    line = refusal("websocket: {mode: live}")
    assert line.startswith("config.yaml: websocket.mode is 'live', expected 'alpaca' or 'recycler'")
    assert "screen.min_bars is 'many', expected a valid integer" in refusal("screen: {min_bars: many}")
    assert "websocket.symbols.0 is 'aapl'" in refusal("websocket: {symbols: [aapl]}")
    assert "expected a block" in refusal("websocket: recycler")
    assert "expected a block" in refusal("- websocket")


def test_a_wrong_variable_names_the_variable() -> None:
    assert refused_variable(TANDEM_SCREEN__MIN_BARS="many").startswith("TANDEM_SCREEN__MIN_BARS: screen.min_bars is")
    assert "expected a list" in refused_variable(TANDEM_WEBSOCKET__SYMBOLS="[AAPL")


def test_several_wrong_values_are_counted_on_the_same_line() -> None:
    assert "(and 1 more)" in refusal("screen: {min_bars: many, min_score: 7}")


def test_an_alert_rule_that_does_not_exist_is_refused_with_the_one_that_was_meant() -> None:
    line = refusal("alerts: {rules: {drawdwn: {threshold: 0.1}}}")
    assert line == "config.yaml: alerts.rules expected names of rules; drawdwn is none, did you mean drawdown?"
    assert "TANDEM_ALERTS__TARGETS" in refusal("alerts: {targets: 'desk=json://localhost/xyzzy'}")


def test_values_that_contradict_each_other_are_refused() -> None:
    assert "start_date 2025-06-30" in refusal(
        "websocket: {recycler: {date_range: {start_date: 2025-06-30, end_date: 2025-06-23}}}"
    )
    assert "replay_mode is date_range" in refusal("websocket: {recycler: {replay_mode: date_range}}")
    assert "enter_z below stop_z" in refusal("rule: {enter_z: 5}")
    assert "max_hedge_ratio" in refusal("screen: {max_hedge_ratio: 0.01}")
    assert "finite" in refusal("screen: {max_hedge_ratio: .nan}")


@pytest.mark.parametrize(
    "text",
    [
        "websocket: [",
        "a: b: c",
        "websocket:\n\tmode: alpaca",
        "screen: {min_score: 1, min_score: 2}",
        "a: !!python/x y",
    ],
)
def test_malformed_yaml_is_one_line_with_its_place(text: str) -> None:
    assert re.match(r"config\.yaml line \d+ is not YAML: ", refusal(text))


def test_a_file_that_is_no_text_is_one_line() -> None:
    Path("config.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"config\.yaml cannot be read"):
        load(environ={})


def test_tickers_that_yaml_takes_for_booleans_stay_tickers() -> None:
    assert given("websocket: {symbols: [ON, Y, NO]}").websocket.symbols == ["ON", "Y", "NO"]
    assert given("alpaca: {paper: false}").alpaca.paper is False


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ("alpaca: {key_id: PK123}", "TANDEM_ALPACA__KEY_ID"),
        ("alpaca: {secret_key: xyzzy}", "TANDEM_ALPACA__SECRET_KEY"),
        ("database_url: postgresql://me:xyzzy@host/db", "TANDEM_DATABASE_URL"),
        ("database_url: postgresql://host/db?password=xyzzy", "TANDEM_DATABASE_URL"),
    ],
)
def test_secrets_are_refused_in_the_file_and_not_repeated(text: str, variable: str) -> None:
    line = refusal(text)
    assert f"Put it into the environment or .env as {variable}=..." in line
    assert "xyzzy" not in line


def test_a_database_address_without_a_password_may_stand_in_the_file() -> None:
    assert given("database_url: postgresql://me@host/db").database_url is not None


def test_secrets_come_from_dotenv_exactly_as_written() -> None:
    Path(".env").write_text("TANDEM_ALPACA__SECRET_KEY='a${HOME}b'\n")
    secret = load(environ={}).alpaca.secret_key
    assert secret is not None
    assert secret.get_secret_value() == "a${HOME}b"


def test_an_empty_variable_counts_as_absent_and_a_bare_name_in_dotenv_is_refused() -> None:
    assert load(environ={"TANDEM_WEBSOCKET__MODE": ""}) == Settings()
    Path(".env").write_text("TANDEM_WEBSOCKET__MODE\n")
    assert "has no value" in refused_variable()


def test_what_is_shown_masks_every_secret() -> None:
    settings = load(
        environ={
            "TANDEM_ALPACA__KEY_ID": "xyzzy",
            "TANDEM_ALPACA__SECRET_KEY": "xyzzy",
            "TANDEM_DATABASE_URL": "postgresql://me:xyzzy@host:5433/db",
        }
    )
    assert "xyzzy" not in as_yaml(settings)
    assert effective(settings)["database_url"] == "postgresql://me:****@host:5433/db"
    assert effective(settings)["alpaca"]["key_id"] == "****"


@pytest.mark.parametrize(
    "url", ["postgresql://host/db?password=xyzzy", "host=h password=xyzzy", "postgresql://me:xyzzy@[h/"]
)
def test_an_address_that_cannot_be_taken_apart_is_hidden_whole(url: str) -> None:
    assert effective(load(environ={"TANDEM_DATABASE_URL": url}))["database_url"] == "****"


def test_what_is_shown_loads_again() -> None:
    recycler = (
        "{proxies: {PDFS: AAPL}, faults: [{name: drop, at: 10:30}], replay_mode: splice, splice_dates: [2025-04-09]}"
    )
    text = f"websocket: {{symbols: [ON, AAPL], recycler: {recycler}}}\ncosts: {{commission_per_share: 0.005}}"
    Path("config.yaml").write_text(text)
    settings = load(environ={})
    Path("shown.yaml").write_text(as_yaml(settings))
    assert load(Path("shown.yaml"), {}) == settings


def test_the_example_covers_every_key_with_its_default_and_loads() -> None:
    example = ROOT / "config.example.yaml"
    assert _leaves(yaml.safe_load(example.read_text())) == set(KEYS)
    assert load(example, {}) == Settings()


def test_the_example_explains_every_key() -> None:
    lines = (ROOT / "config.example.yaml").read_text().splitlines()
    values = [line for line in lines if re.match(r"\s*[a-z0-9_]+: +[^#\s]", line)]
    assert len(values) == len(KEYS)
    assert [line for line in values if "#" not in line] == []


def _leaves(tree: dict[str, object], above: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in tree.items():
        found |= _leaves(value, f"{above}{name}.") if isinstance(value, dict) and value else {above + name}
    return found


def test_config_show_prints_the_settings_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    from tandem.cli.config import app

    Path("config.yaml").write_text("screen: {min_score: 0.85}")
    app(["show"], result_action="return_value")
    assert yaml.safe_load(capsys.readouterr().out)["screen"]["min_score"] == 0.85


@pytest.mark.parametrize("text", ["{a: 1}: 2\n", "? [a, b]\n: 2\n", "x: &a [*a]\n? {a: 1}\n: 2\n"])
def test_a_key_that_is_no_word_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(ConfigError, match=r"config\.yaml line \d is not YAML: a key is one word"):
        given(text)


def test_a_challenger_is_the_model_with_a_version_and_changes() -> None:
    Path("config.yaml").write_text("trial: {mode: shadow, challenger: {version: v2, gru_units: 32}}")
    assert load(environ={}).trial.challenger == {"version": "v2", "gru_units": 32}
    assert load(environ={"TANDEM_TRIAL__CHALLENGER": "version=v3"}).trial.challenger == {"version": "v3"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("trial: {challenger: {gru_units: 32}}", "trial.challenger"),
        ("trial: {challenger: {version: v2, units: 32}}", "with a version, such as"),
        ("trial: {challenger: {version: v2, timeframe: 1Day}}", "keys of `model` but timeframe"),
        ("trial: {challenger: {version: v2, gru_units: 0}}", "trial.challenger.gru_units"),
    ],
)
def test_a_challenger_that_is_no_recipe_is_refused(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        given(text)
    assert told in str(refused.value)
