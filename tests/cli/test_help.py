"""`tandem --help` and what it answers to words it does not know."""

import importlib
from importlib.util import find_spec

import pytest

import tandem
from tandem.cli.app import COMMANDS

PRESENT = [(name, where) for name, where, _, _ in COMMANDS if find_spec(where.partition(":")[0])]


def test_help_lists_every_command(tandem):
    done = tandem("--help")
    listed = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("│ ") and len(line.split()) > 2}
    assert done.returncode == 0
    assert {name for name, _ in PRESENT} <= listed


def test_without_a_command_it_shows_the_help(tandem):
    done = tandem()
    assert done.returncode == 0
    assert "Start here" in done.stdout


@pytest.mark.parametrize(("name", "where"), PRESENT)
def test_what_a_command_is_mounted_from_is_there(name, where):
    module, _, attribute = where.partition(":")
    assert getattr(importlib.import_module(module), attribute)


def test_version(tandem):
    assert tandem("--version").stdout.strip() == tandem_version()


def tandem_version():
    return tandem.__version__


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["doctr"], "tandem: unknown command doctr. Did you mean doctor? See `tandem --help`."),
        (["config", "shw"], "tandem: unknown command shw. Did you mean show? See `tandem config --help`."),
        (["xyzzy"], "tandem: unknown command xyzzy. See `tandem --help`."),
    ],
)
def test_an_unknown_command_is_one_line_with_the_nearest_one(tandem, words, line):
    done = tandem(*words)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (2, "", line)


def test_an_unknown_option_is_one_line(tandem):
    done = tandem("doctor", "--jsn")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--jsn" in done.stderr
    assert "See `tandem doctor --help`." in done.stderr
