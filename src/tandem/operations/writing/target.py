"""Where something is written for people to look at: whole or not at all, and nothing beside it is left behind."""

from contextlib import suppress
from pathlib import Path
from typing import Final

from tandem.market import DataError

PICTURES: Final = (".png", ".svg")


def check_target(path: Path, *endings: str) -> None:
    """Refuse a path that cannot be written to, before anything is made for it.

    Args:
        endings: of the name, such as `.png`, one of them; any where none is given.

    Raises:
        DataError: it is a folder, lies in a file, or has another ending.
    """
    if path.is_dir():
        raise DataError(f"{path} is a folder", f"Name a file, such as {path / ('page' + (endings or ('.html',))[0])}")
    if endings and path.suffix.lower() not in endings:
        raise DataError(f"{path} is no picture", f"Give a name that ends in {' or '.join(endings)}")
    if blocking := next((parent for parent in path.parents if parent.exists() and not parent.is_dir()), None):
        raise DataError(f"{path} cannot be written: {blocking} is no folder", "Name a file in another folder")


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file whose readers see the old content or the new one, never half.

    Raises:
        DataError: it cannot be written there; nothing is left of it.
    """
    check_target(path)
    aside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(content.encode() if isinstance(content, str) else content)
        aside.replace(path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}", "Name a file in another folder") from error
    finally:
        _remove(aside)


def _remove(aside: Path) -> None:
    # A folder that may not be looked into has nothing of ours in it.
    with suppress(OSError):
        aside.unlink(missing_ok=True)
