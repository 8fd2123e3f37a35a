"""The guide tells of every fault and scenario, and its bot runs."""

import re
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest

from tandem.recycler.faults import KINDS, SCENARIOS

GUIDE = (Path(__file__).parents[3] / "docs/recycler.md").read_text()


def test_the_guide_lists_every_fault_with_its_occasion():
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| [^|]+ \| ([a-z]+) \| [^|]+ \|$", GUIDE, re.MULTILINE)
    assert dict(rows) == {name: kind.occasion for name, kind in KINDS.items()}


def test_the_guide_lists_every_scenario_and_what_a_client_should_do():
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \| ([^|]+) \|$", GUIDE[GUIDE.index("## Scenarios") :], re.MULTILINE)
    assert rows == [(name, one.meaning, one.client) for name, one in SCENARIOS.items()]


def test_the_bot_of_the_guide_trades_with_two_changed_lines(fresh, trader):
    (bot,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    (changes,) = re.findall(r"```diff\n(.*?)```", GUIDE, re.DOTALL)
    old, new = ([line[1:] for line in changes.splitlines() if line[0] == sign] for sign in "-+")
    for before, after in zip(old, new, strict=True):
        assert f"{before}\n" in bot
        bot = bot.replace(f"{before}\n", f"{after}\n")
    play = fresh(lockstep=False, speed=600.0)
    client = trader(play)
    bot = bot.replace("localhost:8765", f"127.0.0.1:{play.recycler.port}")
    environment = {"APCA_API_KEY_ID": "key", "APCA_API_SECRET_KEY": "secret", "PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", bot], env=environment, stdout=subprocess.PIPE, text=True) as running:
        patience = Timer(20, running.kill)
        patience.start()
        try:
            assert running.stdout
            assert re.fullmatch(r"buy (AAPL|MSFT) (pending_new|accepted)\n", running.stdout.readline())
        finally:
            patience.cancel()
            running.kill()
    assert client.ask("GET", "/v2/orders?status=all").json()


@pytest.mark.parametrize("command", sorted(set(re.findall(r"tandem (recycler [a-z]+(?: (?:add|clear)\b)?)", GUIDE))))
def test_a_command_of_the_guide_exists(command, capsys):
    from tandem.cli.app import run

    assert run([*command.split(), "--help"]) == 0
    assert "Usage" in capsys.readouterr().out
