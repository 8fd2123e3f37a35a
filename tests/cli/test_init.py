"""`tandem init` writes two private files and never replaces anything unasked."""

import stat

import pytest

KEYS = {"APCA_API_KEY_ID": "PKSAMPLE", "APCA_API_SECRET_KEY": "not-a-real-one"}


def private(path):
    return stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_keys_it_writes_both_files_for_their_owner_alone(tandem, tmp_path):
    done = tandem("init", "--non-interactive")
    assert done.returncode == 0
    assert private(tmp_path / "config.yaml")
    assert private(tmp_path / ".env")
    assert "tandem demo" in done.stdout


def test_what_it_writes_is_taken_by_the_settings(tandem):
    tandem("init", "--non-interactive")
    shown = tandem("config", "show")
    assert shown.returncode == 0, shown.stderr
    assert "mode: recycler" in shown.stdout


def test_keys_go_into_env_alone_and_are_never_printed(tandem, tmp_path):
    done = tandem("init", "--non-interactive", "--feed", "sip", **KEYS)
    assert "TANDEM_ALPACA__SECRET_KEY=not-a-real-one" in (tmp_path / ".env").read_text()
    config = (tmp_path / "config.yaml").read_text()
    assert "not-a-real-one" not in config + done.stdout + done.stderr
    shown = tandem("config", "show").stdout
    assert "mode: alpaca" in shown
    assert "data_feed: sip" in shown
    assert "not-a-real-one" not in shown


def test_asked_and_answered_with_nothing_it_goes_on_without_keys(tandem, tmp_path):
    done = tandem("init", answers="\n")
    assert done.returncode == 0
    assert "mode: recycler" in (tmp_path / "config.yaml").read_text()


def test_with_nobody_to_answer_it_says_so_and_writes_nothing(tandem, tmp_path):
    done = tandem("init")
    assert done.returncode == 2
    assert "--non-interactive" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_settings_are_not_replaced_unless_forced(tandem, tmp_path):
    (tmp_path / "config.yaml").write_text("screen:\n  min_score: 0.9\n")
    refused = tandem("init", "--non-interactive")
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert "0.9" in (tmp_path / "config.yaml").read_text()
    assert not (tmp_path / ".env").exists()
    assert tandem("init", "--non-interactive", "--force").returncode == 0
    assert "0.9" not in (tmp_path / "config.yaml").read_text()


@pytest.mark.parametrize(("answers", "replaced"), [("n\n", False), ("y\n\n", True)])
def test_a_person_is_asked_before_settings_are_replaced(tandem, tmp_path, answers, replaced):
    (tmp_path / "config.yaml").write_text("screen:\n  min_score: 0.9\n")
    tandem("init", answers=answers)
    assert ("0.9" not in (tmp_path / "config.yaml").read_text()) == replaced


def test_other_lines_of_env_stay_and_the_file_becomes_private(tandem, tmp_path):
    (tmp_path / ".env").write_text("# mine\nOTHER=thing\n")
    (tmp_path / ".env").chmod(0o644)
    assert tandem("init", "--non-interactive", **KEYS).returncode == 0
    assert (tmp_path / ".env").read_text().startswith("# mine\nOTHER=thing\nTANDEM_ALPACA__KEY_ID=PKSAMPLE\n")
    assert private(tmp_path / ".env")


def test_keys_that_are_there_are_not_replaced_unasked(tandem, tmp_path):
    (tmp_path / ".env").write_text("TANDEM_ALPACA__KEY_ID=PKBEFORE\n")
    done = tandem("init", "--non-interactive", **KEYS)
    assert done.returncode == 2
    assert (tmp_path / ".env").read_text() == "TANDEM_ALPACA__KEY_ID=PKBEFORE\n"
    assert not (tmp_path / "config.yaml").exists()


@pytest.mark.parametrize("secret", ["short", "with blanks in it", "with'quote'in'it"])
def test_keys_that_cannot_be_keys_are_refused_without_showing_them(tandem, tmp_path, secret):
    done = tandem("init", "--non-interactive", **{**KEYS, "APCA_API_SECRET_KEY": secret})
    assert done.returncode == 2
    assert secret not in done.stderr + done.stdout
    assert list(tmp_path.iterdir()) == []


def test_half_a_key_pair_is_refused(tandem):
    done = tandem("init", "--non-interactive", APCA_API_KEY_ID="PKSAMPLE")
    assert done.returncode == 2
    assert "APCA_API_SECRET_KEY" in done.stderr


def test_a_folder_that_is_not_there_is_one_line(tandem):
    done = tandem("init", "--non-interactive", "--folder", "nowhere")
    assert done.returncode == 2
    assert "there is no folder nowhere" in done.stderr
