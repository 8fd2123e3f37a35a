"""A recycler in a process of its own, that ends with this one."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from typing import IO, Any, Self

from tandem.market import RecyclerError
from tandem.recycler.options import Options

SECONDS_TO_END = 5


@dataclass(frozen=True, slots=True)
class Launched:
    """A running recycler; a context manager that ends it.

    Attributes:
        port: where it listens on 127.0.0.1.
        process: the process itself.
        words: what it says on standard error.
        secure: whether it speaks TLS.
    """

    port: int
    process: "subprocess.Popen[str]"
    words: IO[str]
    secure: bool = False

    @property
    def http(self) -> str:
        """Base URL of trading REST and control."""
        return f"http{'s' if self.secure else ''}://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        """Base URL of the streams."""
        return f"ws{'s' if self.secure else ''}://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Let go of the lifeline and wait for the end."""
        _end(self.process)
        self.words.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(options: Options, announce: Callable[[dict[str, Any]], None]) -> None:
    """Be the recycler, in this process, until interrupted.

    Args:
        options: what to replay.
        announce: told `port`, `url` and `world` once clients can connect.

    Raises:
        RecyclerError: the port is taken, or a symbol has no bars.
        StoreError: the store is away.
    """
    from tandem.recycler.server import run

    run(options, announce)


def launch(options: Options, environment: Mapping[str, str] | None = None) -> Launched:
    """Start a recycler and wait until it listens.

    Args:
        options: what to replay; the process always hangs on this one's lifeline.
        environment: variables beside this process's own, such as TANDEM_HOME or TANDEM_RECYCLER_TOKEN.

    Raises:
        RecyclerError: it could not start, with its own words.
    """
    words = TemporaryFile("w+")  # noqa: SIM115 - closed with what is launched
    process = subprocess.Popen(
        [sys.executable, "-m", "tandem.recycler", *replace(options, lifeline=True).arguments()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=words,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        _end(process)
        raise RecyclerError(f"the recycler did not start: {_last_words(words)}")
    ready = json.loads(line)
    return Launched(ready["port"], process, words, ready["url"].startswith("wss"))


def _last_words(words: IO[str]) -> str:
    with words:
        words.seek(0)
        said = words.read().strip().splitlines()
    return said[-1].removeprefix("tandem recycler: ") if said else "it said nothing"


def _end(process: "subprocess.Popen[str]") -> None:
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
