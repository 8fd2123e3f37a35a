"""The report of a run."""

from html import escape
from pathlib import Path

from tandem.operations.summary import summarise, write_whole
from tandem.screening import Funnel
from tandem.store import Facts, Store


def write_report(
    path: Path,
    store: Store,
    facts: Facts,
    *,
    parity: bool | None = None,
    yearly: Funnel | None = None,
    limits: str = "",
) -> None:
    """Write one page about a world."""
    found = summarise(store, facts, parity=parity)
    rows = "".join(f"<tr><td>{escape(k)}<td>{escape(str(v))}" for k, v in found.document().items())
    write_whole(path, f"<!doctype html><meta charset=utf-8><title>Tandem</title><table>{rows}</table>")
