"""PostgreSQL's own programs, run on a database."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import psycopg

from tandem.market import StoreError
from tandem.store.address import for_psycopg, scrubbed
from tandem.store.server import binaries

MAJOR: Final = 10_000


def program(name: str, server: int) -> str:
    """PostgreSQL's program of this name: the embedded server's own, or the system's for a server newer than that.

    Args:
        server: its version as PostgreSQL numbers it, 180006 for 18.6; 0 where there is none to be older than.

    Raises:
        StoreError: neither is installed.
    """
    try:
        own = binaries() / name
        if own.exists() and server // MAJOR <= _major(own):
            return str(own)
    except StoreError:
        pass
    if (found := shutil.which(name)) is None:
        raise StoreError(f"{name} is not installed", "Install PostgreSQL's client programs, as new as the server")
    return found


def _major(program: Path) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.split()[2].partition(".")[0])


def run(path: str, options: list[str], url: str) -> None:
    """Run one of them on a database, which it is told through its environment: command lines can be read by everybody.

    Raises:
        StoreError: it fails; the last line of what it said, never with a password.
    """
    parsed = psycopg.pq.Conninfo.parse(for_psycopg(url).encode())
    given = {each.envvar.decode(): each.val.decode() for each in parsed if each.val and each.envvar}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    done = subprocess.run(
        [path, *options],
        env=inherited | given,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        mend = "Free some disk space" if "No space left" in done.stderr else ""
        raise StoreError(f"{Path(path).name} failed: {scrubbed(said[-1], url)}", mend)
