import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

Tandem = Callable[..., Any]


def test_the_cache_is_listed_checked_and_cleared(tandem: Tandem, tmp_path: Path) -> None:
    assert tandem("data", "cache").stdout == "The cache is empty; the first large read fills it.\n"
    folder = tmp_path / "home" / "cache" / "bars" / "1" / "1Min"
    folder.mkdir(parents=True)
    (folder / "2024-02.parquet").write_bytes(os.urandom(2**20))
    listed = tandem("data", "cache").stdout.splitlines()
    assert listed[0] == "1Min 2024-02: 0 bars, 1.0 MiB, damaged: a large read builds it again."
    assert listed[1].startswith("1 file, 1.0 MiB in ")
    assert "damaged: removed." in tandem("data", "cache", "--check").stdout
    (folder / "2024-02.parquet").write_bytes(os.urandom(2**20))
    assert tandem("data", "cache", "--clear").stdout == "Removed: 1 file, 1.0 MiB.\n"
    assert not (tmp_path / "home" / "cache" / "bars").exists()
