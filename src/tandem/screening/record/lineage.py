"""Where a run's figures come from: names and tags that every run in MLflow shares."""

import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tandem.market import World

DISTRIBUTION: Final = "tandem-trading"


def slug(sector: str) -> str:
    """A sector's name in the names of experiments and models: `financial_services` for `Financial Services`."""
    return "_".join("".join(letter if letter.isalnum() else " " for letter in sector.lower()).split())


def experiments_of(sector: str) -> str:
    """Where a sector's experiments are: `pairs_trading/technology_sector`."""
    name = slug(sector)
    return f"pairs_trading/{name if name.endswith('_sector') else name + '_sector'}"


def world_tag(world: World | None) -> str:
    """A world's name, empty for none."""
    return "" if world is None else str(world)


@cache
def code_version() -> str:
    """The commit of the checkout this runs from, else the installed version."""
    asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return version(DISTRIBUTION)
