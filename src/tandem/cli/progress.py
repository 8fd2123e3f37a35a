"""How far the work is, for a person who waits."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tandem.screening import Progress


def say_compiling() -> None:
    """The first screen on a machine takes longer, and says so."""
    from importlib.util import find_spec
    from pathlib import Path

    room = find_spec("tandem.statistics")
    kept = os.environ.get("NUMBA_CACHE_DIR") or Path(str(room and room.origin)).parent / "__pycache__"
    if next(Path(kept).rglob("*.nbi"), None) is None:
        print("Compiling what a screen computes with, once on this machine: about half a minute.", file=sys.stderr)


@contextmanager
def progress_of(quiet: bool) -> "Iterator[Progress | None]":
    """What tells a person how far the work is; None where nobody looks."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        tasks: dict[str, object] = {}

        def tell(stage: str, done: int, of: int) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(stage, total=of)
            shown.update(tasks[stage], completed=done, total=of)  # type: ignore[arg-type]

        yield tell
