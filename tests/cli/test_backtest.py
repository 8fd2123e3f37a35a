"""`tandem backtest` as a person runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """
screen: {formation_days: 7}
model: {timeframe: 5Min, min_data_points: 400, epochs: 1, evidence_pvalue: 0.0}
"""


@pytest.fixture
def tandem(module_store, tmp_path):
    from tandem.sources import samples

    samples.load(module_store)
    (tmp_path / "config.yaml").write_text(CONFIG)
    environment = {**os.environ, "TANDEM_DATABASE_URL": module_store.url, "TANDEM_HOME": str(tmp_path / "home")}

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "tandem", *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    return run


def test_past_sessions_are_traded_and_reported_and_count_as_one_trial(tandem, tmp_path: Path, module_store):
    done = tandem("backtest", "--start", "2023-01-25", "--end", "2023-01-25")
    counted = module_store.ledger.count(["technology"]).trials
    assert done.returncode == 0, done.stderr
    assert "AAPL/NVDA" in done.stdout
    assert "8 fills" in done.stdout
    assert (tmp_path / "backtest.html").stat().st_size > 10_000
    assert counted == 2  # the training of one pair, and the backtest
    tandem("backtest", "--start", "2023-01-25", "--end", "2023-01-25")
    assert module_store.ledger.count(["technology"]).trials == counted


def test_days_without_a_session_are_one_line(tandem):
    done = tandem("backtest", "--start", "2023-01-28", "--end", "2023-01-29")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "no trading day" in done.stderr


def test_a_day_whose_bars_are_not_there_yet_is_one_line(tandem):
    done = tandem("identify", "--session", "2023-02-06")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "2023-01-30" in done.stderr
    assert "2023-02-03" in done.stderr
