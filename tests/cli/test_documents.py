"""The documents name what is there, and nothing that is not."""

import re
import tomllib
from pathlib import Path

import pytest

from tandem.cli.app import COMMANDS
from tandem.config import Settings, effective
from tandem.sources import samples

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def keys(tree, above=""):
    """Every dotted key of the settings."""
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from keys(value, f"{above}{name}.")
        else:
            yield above + name


def test_the_table_of_settings_has_every_key_and_no_other():
    listed = re.findall(r"^\| `([a-z0-9_.]+)` \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    assert listed == list(keys(effective(Settings())))


def test_the_table_of_settings_has_the_defaults_in_force():
    rows = re.findall(
        r"^\| `([a-z0-9_.]+)` \| (?:`(.*?)`|none) \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE
    )
    told = {key: text for key, text in rows if key != "home"}
    assert told == {key: text for key, text in defaults(effective(Settings())) if key != "home"}


def defaults(tree, above=""):
    """Every dotted key with its default as the table writes it."""
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from defaults(value, f"{above}{name}.")
        elif isinstance(value, bool):
            yield above + name, str(value).lower()
        elif isinstance(value, list):
            yield above + name, ", ".join(map(str, value))
        else:
            yield above + name, str(value) if value not in (None, {}) else ""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_names_only_commands_that_exist(document):
    named = set(re.findall(r"(?:`|bin/|^)tandem ([a-z]+)", document.read_text(), re.MULTILINE))
    assert named <= {name for name, *_ in COMMANDS}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_links_only_to_files_that_exist(document):
    links = re.findall(r"\]\((?!http|#)([^)#]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_names_only_targets_of_make_that_exist(document):
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", document.read_text(), re.MULTILINE)) <= set(targets)


def test_every_dependency_has_its_three_lines():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = [re.split(r"[\[><=~! ]", each)[0] for each in needed]
    told = re.findall(
        r"^### (\S+)\n- field: .+\n- upkeep: .+\n- weight: .+$", (ROOT / "docs/decisions.md").read_text(), re.MULTILINE
    )
    assert told == names


def test_the_lock_pins_every_dependency_and_no_accelerator():
    lock = (ROOT / "requirements.lock").read_text().lower().splitlines()
    pinned = {line.partition("==")[0] for line in lock}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    assert {re.split(r"[\[><=~! ]", each)[0].lower() for each in needed} <= pinned
    assert [line for line in lock if line.startswith(("nvidia", "cuda", "triton")) or "+cpu" in line] == []


def test_the_examples_of_history_are_of_days_and_pairs_that_everybody_has():
    text = (ROOT / "docs/history.md").read_text()
    typed = text[text.index("    tandem history") : text.index("These work as typed")]
    bars = samples.minute_bars()
    days = set(bars["start"].dt.tz_convert("America/New_York").dt.date.astype(str))
    named = re.findall(r"\d{4}-\d\d-\d\d", typed)
    assert len(named) >= 5
    assert set(named) <= days
    legs = {leg for pair in re.findall(r"[A-Z]+/[A-Z]+", typed) for leg in pair.split("/")}
    assert legs == {"AAPL", "NVDA"} <= set(bars["symbol"])
    assert "paper-3'" not in text
