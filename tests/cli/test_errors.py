"""What a person sees when something goes wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tandem.cli import app as command
from tandem.market import StoreError


@pytest.fixture
def falls_over():
    """Runs a command that raises, or returns, what it is given."""

    def run(outcome):
        @command.app.command(name="fall")
        def fall():
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        return command.run(["fall"])

    yield run
    del command.app["fall"]


def test_what_a_person_can_mend_is_one_line_and_status_2(falls_over, capsys):
    assert falls_over(StoreError("PostgreSQL is away:\n  no route", "Start it")) == 2
    assert capsys.readouterr() == ("", "tandem: PostgreSQL is away: no route. Start it\n")


def test_an_interruption_is_one_line_and_status_130(falls_over, capsys):
    assert falls_over(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "tandem: stopped.\n"


def test_a_bug_shows_where_it_is_and_how_to_report_it(falls_over, capsys):
    assert falls_over(ZeroDivisionError("half of nothing")) == 1
    told = capsys.readouterr().err
    assert "ZeroDivisionError: half of nothing" in told
    assert "tandem doctor" in told
    assert told.count("File ") <= 3


def test_debug_shows_the_whole_traceback_and_is_not_taken_for_a_setting(falls_over, capsys, monkeypatch):
    monkeypatch.setenv("TANDEM_DEBUG", "1")
    assert falls_over(StoreError("PostgreSQL is away")) == 2
    assert "Traceback" in capsys.readouterr().err
    assert "TANDEM_DEBUG" not in os.environ


@pytest.mark.parametrize(("result", "status"), [(None, 0), (0, 0), (1, 1), (2, 2)])
def test_a_command_decides_its_exit_status(falls_over, result, status):
    assert falls_over(result) == status


def test_a_malformed_config_is_one_line_and_status_2(tandem, tmp_path):
    (tmp_path / "config.yaml").write_text("websocket:\n  mode: [recycler\n")
    done = tandem("config", "show")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tandem: config.yaml")
    assert done.stderr.count("\n") == 1


def test_an_unknown_setting_names_the_one_that_was_meant(tandem, tmp_path):
    (tmp_path / "config.yaml").write_text("websocket:\n  mod: recycler\n")
    done = tandem("doctor")
    assert done.returncode == 2
    assert "websocket.mode" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("before", [True, False])
def test_the_settings_file_can_be_named_anywhere_on_the_line(tandem, tmp_path, before):
    (tmp_path / "mine.yaml").write_text("screen:\n  min_score: 0.61\n")
    words = ["--config", "mine.yaml", "config", "show"] if before else ["config", "show", "--config", "mine.yaml"]
    done = tandem(*words)
    assert done.returncode == 0
    assert "min_score: 0.61" in done.stdout


def test_a_named_settings_file_that_is_missing_is_one_line(tandem):
    done = tandem("--config", "nowhere.yaml", "config", "show")
    assert done.returncode == 2
    assert "nowhere.yaml is missing" in done.stderr
    assert done.stderr.count("\n") == 1


def test_real_money_without_anybody_to_confirm_it_is_one_line(tandem):
    live = {"TANDEM_WEBSOCKET__MODE": "alpaca", "TANDEM_ALPACA__PAPER": "false"}
    done = tandem("trade", "--live", **live)
    assert done.returncode == 2
    assert "tandem: not confirmed. Nothing was sent." in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_to_a_full_disk_is_one_line(tmp_path):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "tandem", "config", "show"]
        done = subprocess.run(command, check=False, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == "tandem: the disk is full. Free some space and run the same command again.\n"
