"""`tandem symbols`, as the mission words it."""

from pathlib import Path

import pytest

from tandem.config import load

PAIRS = """\
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
CSV = "symbol,start,open,high,low,close,volume\n" + "".join(
    f"AAPL,2025-06-23T09:{minute}:00,100,101,99,100.5,1000\n" for minute in range(30, 60)
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(PAIRS)
    return file


def symbols(config: Path) -> tuple[list[str], list[str]]:
    websocket = load(config, {}).websocket
    return websocket.symbols, websocket.recycler.symbols


def test_status_prints_the_settings_and_of_each_symbol_its_bars_or_its_proxy(tandem, config):
    (config.parent / "bars.csv").write_text(CSV)
    assert tandem("data", "load", "bars.csv").returncode == 0
    done = tandem("symbols", "status")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "=== Current Configuration ===\n"
        "WebSocket Mode: recycler\n"
        "  Server URL: ws://localhost:8765\n"
        "  Replay Mode: loop\n"
        "  Replay Speed: 1.0x\n"
        "  Symbols: ['AAPL', 'PDFS', 'ROG']\n"
        "\n"
        "=== Quick Data Check ===\n"
        "✅ AAPL: 30 records available\n"
        "❌ PDFS: No data (will use AAPL as proxy)\n"
        "❌ ROG: No data (will use AAPL as proxy)\n"
    )


def test_status_without_any_bar_says_where_to_get_some(tandem, config):
    assert "❌ AAPL: No data (`tandem data load samples` brings some)" in tandem("symbols", "status").stdout


def test_status_at_alpaca_has_the_feed_and_no_proxies(tandem, config):
    config.write_text(PAIRS.replace('"recycler"', '"alpaca"'))
    said = tandem("symbols", "status").stdout
    assert "WebSocket Mode: alpaca\n  Feed: iex\n  Symbols: ['AAPL', 'PDFS', 'ROG']\n" in said
    assert "❌ PDFS: No data\n" in said


def test_pairs_and_testing_switch_both_lists_and_leave_everything_else(tandem, config):
    done = tandem("symbols", "testing")
    assert (done.returncode, done.stdout) == (0, "config.yaml: symbols AAPL, IBM, MSFT, NVDA\n")
    assert symbols(config) == (["AAPL", "IBM", "MSFT", "NVDA"],) * 2
    assert tandem("symbols", "pairs").returncode == 0
    assert symbols(config) == (["AAPL", "PDFS", "ROG"],) * 2
    assert "loop_count: -1  # -1 = infinite loop" in config.read_text()


def test_what_is_added_is_quoted_as_the_others_and_told_where_nothing_is_stored(tandem, config):
    said = tandem("symbols", "add", "ZZZZ").stdout
    assert "No bars of ZZZZ are stored: the recycler plays those of another symbol instead." in said
    assert config.read_text().count('["AAPL", "PDFS", "ROG", "ZZZZ"]') == 2


def test_add_and_remove_change_both_lists_once(tandem, config):
    assert tandem("symbols", "add", "msft", "AAPL").returncode == 0
    assert symbols(config) == (["AAPL", "PDFS", "ROG", "MSFT"],) * 2
    assert tandem("symbols", "add", "MSFT").stdout == "MSFT: there already.\n"
    assert tandem("symbols", "remove", "PDFS").returncode == 0
    assert symbols(config) == (["AAPL", "ROG", "MSFT"],) * 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["remove", "XOM"], "XOM is not among the symbols"),
        (["remove", "AAPL", "PDFS", "ROG"], "no symbol would be left"),
        (["add", "A$B"], "A$B is no ticker"),
        (["add"], "tandem: no symbol is named. Name one or more, such as MSFT."),
    ],
)
def test_what_makes_no_sense_is_one_line_and_changes_nothing(tandem, config, words, said):
    done = tandem("symbols", *words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr
    assert config.read_text() == PAIRS


def test_a_change_that_the_environment_overrides_is_told(tandem, config):
    done = tandem("symbols", "add", "MSFT", TANDEM_WEBSOCKET__SYMBOLS="XOM,CVX")
    assert "TANDEM_WEBSOCKET__SYMBOLS in the environment overrides it: XOM, CVX" in done.stdout
    assert symbols(config) == (["AAPL", "PDFS", "ROG", "MSFT"],) * 2


def test_without_a_file_one_is_made(tandem, tmp_path):
    assert tandem("symbols", "pairs").returncode == 0
    assert symbols(tmp_path / "config.yaml") == (["AAPL", "PDFS", "ROG"],) * 2
