"""What stands in `deploy/`, as far as it can be proved without a server: what it names is there."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from tandem.cli.app import COMMANDS
from tandem.config import Settings
from tandem.config.load import CONFIG_VARIABLE, OTHERS, VARIABLES

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file() and path.name != "tandem.env")
UNIT = (DEPLOY / "tandem.service").read_text()
IMAGE = (DEPLOY / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
TANDEM, POSTGRES = SERVICES["tandem"], SERVICES["postgres"]
NAMES = {name for name, *_ in COMMANDS}


def directives():
    """Every setting of the unit, by name; those that stand twice with all their values."""
    found = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", UNIT, re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path):
    here = tmp_path / "tandem.service"
    here.write_text(UNIT.replace("/opt/tandem/.venv/bin/tandem", shutil.which("true")))
    done = subprocess.run(["systemd-analyze", "verify", str(here)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_ends_what_it_starts_and_starts_what_fails():
    found = directives()
    assert found["ExecStart"] == ["/opt/tandem/.venv/bin/tandem up"]
    assert (found["Restart"], found["KillMode"], found["KillSignal"]) == (["on-failure"], ["mixed"], ["SIGTERM"])
    assert int(found["TimeoutStopSec"][0].removesuffix("s")) >= 60
    assert found["User"] != ["root"]
    assert found["EnvironmentFile"] == ["-/etc/tandem/tandem.env"]
    assert "TANDEM_HOME=/var/lib/tandem/home" in found["Environment"]
    assert found["StateDirectory"] == ["tandem"]


@pytest.mark.parametrize("name", ["MemoryDenyWriteExecute", "ProcSubset", "PrivateNetwork", "DynamicUser"])
def test_the_unit_forbids_nothing_that_tandem_needs(name):
    assert name not in directives()


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_only_commands_that_exist_are_named(file):
    words = re.findall(r"(?:`tandem |bin/tandem )([a-z]+)", file.read_text())
    assert set(words) <= NAMES


def test_the_image_and_the_composition_run_commands_that_exist():
    entry, command = (re.search(rf"^{word} (\[.*\])$", IMAGE, re.MULTILINE)[1] for word in ("ENTRYPOINT", "CMD"))
    assert yaml.safe_load(entry) == ["/opt/tandem/.venv/bin/tandem"]
    assert yaml.safe_load(command)[0] in NAMES
    assert TANDEM["command"][0] in NAMES


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_every_variable_is_a_setting_or_documented(file):
    named = set(re.findall(r"\bTANDEM_[A-Z_]+\b", file.read_text()))
    assert named <= {*VARIABLES, *OTHERS, CONFIG_VARIABLE}


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_every_port_is_a_default_of_the_settings(file):
    settings = Settings()
    known = {settings.dashboard.port, settings.operations.prefect_port, settings.operations.mlflow_port}
    ports = re.findall(r"(?:127\.0\.0\.1:|localhost:|loopback: |, )(\d{4,5})\b", file.read_text())
    assert {int(port) for port in ports} <= known


def test_every_page_of_the_settings_is_told_in_both():
    settings = Settings()
    for port in (settings.dashboard.port, settings.operations.prefect_port, settings.operations.mlflow_port):
        assert str(port) in UNIT
        assert str(port) in (DEPLOY / "compose.yaml").read_text()


def test_the_example_of_an_environment_sets_no_secret():
    lines = (DEPLOY / "env.example").read_text().splitlines()
    given = dict(line.lstrip("#").split("=", 1) for line in lines if re.match(r"#?TANDEM_", line))
    assert {name for name in given if re.search(r"KEY|TOKEN", name)} == {
        *("TANDEM_ALPACA__KEY_ID", "TANDEM_ALPACA__SECRET_KEY", "TANDEM_DASHBOARD__TOKEN"),
    }
    assert all(not value for name, value in given.items() if re.search(r"KEY|TOKEN", name))
    assert re.fullmatch(r"postgresql://\w+@/\w+\?host=/var/run/postgresql", given["TANDEM_DATABASE_URL"])


def test_what_the_example_sets_are_settings(monkeypatch, tmp_path):
    from tandem.config import load

    monkeypatch.chdir(tmp_path)
    lines = [line.lstrip("#") for line in (DEPLOY / "env.example").read_text().splitlines()]
    given = dict(line.split("=", 1) for line in lines if re.match(r"TANDEM_\w+=.", line))
    settings = load(environ=given)
    assert settings.websocket.mode == "alpaca"
    assert settings.database_url is not None


def test_nothing_is_published_beyond_this_machine():
    published = [str(port) for service in SERVICES.values() for port in service.get("ports", [])]
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []
    assert POSTGRES["network_mode"] == "none"
    assert TANDEM["network_mode"] == "host"
    assert not {name for name in TANDEM["environment"] if name.endswith("__HOST")}


def test_the_database_comes_from_the_environment_file():
    assert TANDEM["env_file"] == "tandem.env"
    assert TANDEM["environment"]["TANDEM_DATABASE_URL"].startswith("${TANDEM_DATABASE_URL:?")
    assert "socket:/var/run/postgresql" in TANDEM["volumes"]
    assert "socket:/var/run/postgresql" in POSTGRES["volumes"]


def test_tandem_waits_for_a_healthy_database_and_both_say_how_they_are():
    assert TANDEM["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert POSTGRES["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    asked = TANDEM["healthcheck"]["test"][-1]
    assert f'"http://127.0.0.1:{Settings().dashboard.port}/"' in asked
    compile(asked, "healthcheck", "exec")


def test_what_has_to_last_is_in_volumes_that_exist():
    mounted = {volume.split(":")[0] for service in SERVICES.values() for volume in service["volumes"]}
    assert mounted == set(COMPOSE["volumes"])
    home = TANDEM["environment"]["TANDEM_HOME"]
    assert any(home.startswith(f"{volume.split(':')[1]}/") for volume in TANDEM["volumes"])
    assert f"TANDEM_HOME={home}" in IMAGE


def test_the_image_is_built_from_files_that_exist_with_all_that_an_install_needs():
    build = TANDEM["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    copied = [words.split()[:-1] for words in re.findall(r"^COPY (.+)$", IMAGE, re.MULTILINE)]
    names = {name for each in copied for name in each}
    assert all((ROOT / name).exists() for name in names)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {"Makefile", "pyproject.toml", "requirements.lock", "src", project["readme"], *project["license-files"]}
    assert names == needed


def test_the_image_is_installed_by_the_makefile_which_takes_pytorchs_cpu_build():
    assert "RUN make setup PYTHON=python3" in IMAGE
    rule = (ROOT / "Makefile").read_text()
    assert "--torch-backend cpu -r requirements.lock" in rule
    version = re.search(r"^FROM python:(\d+\.\d+)-slim", IMAGE, re.MULTILINE)[1]
    floor = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    assert tuple(map(int, version.split("."))) >= tuple(map(int, floor.split(".")))


def test_make_would_install_with_what_the_image_has(tmp_path):
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    done = subprocess.run(
        ["make", "-n", "setup", "PYTHON=python3", "PIP_FIND_LINKS="],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "--torch-backend cpu" in done.stdout


def test_the_image_does_not_run_as_root():
    user = re.findall(r"^USER (\w+)$", IMAGE, re.MULTILINE)[-1]
    assert f" {user}\n" in re.search(r"^RUN useradd .*\n", IMAGE, re.MULTILINE)[0]
    assert user != "root"
