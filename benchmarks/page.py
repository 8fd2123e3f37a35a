"""How quickly the web page shows the desk, and what is new of it.

    python benchmarks/page.py [--full] [--json]

A world with 10,000 decisions on five pairs (`--full`: 50,000) is written into an embedded PostgreSQL, `tandem
dashboard` shows it, and Chromium looks at it: the first contentful paint of each page, the median of several visits,
and the time from the append of a fact until its figure stands on the page. With `--json` each line is a row of {name,
value, unit, goal, met}.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from figures import Figure, at_most, line, row
from tandem.book import Capital, Mark
from tandem.market import NEW_YORK, Calendar, Pair, Stopwatch, WorldKind
from tandem.signals import Signal
from tandem.store import Facts, Record, Store

PAIRS = [Pair("AAPL", other) for other in ("IBM", "MSFT", "NVDA", "ORCL", "TXN")]
PAINTED = "performance.getEntriesByName('first-contentful-paint').map(entry => entry.startTime)"
PAGES = ("", "pairs", "models", "orders", "recycler", "runs", "alerts")
FIRST = date(2024, 1, 2)
CASH = Decimal(100_000)
PAINT_SECONDS, NEWS_SECONDS, VISITS, NEWS = 0.3, 1.0, 7, 9
"""Goals of the page, and how often each is looked at."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    browser = shutil.which("chromium")
    if browser is None:
        raise SystemExit("no chromium on this machine: apt-get install chromium")
    with tempfile.TemporaryDirectory() as home, Store.open(Path(home)) as store:
        for figure in measure(store, Path(home), browser, 50_000 if asked.full else 10_000):
            print(row(figure) if asked.json else line(figure), flush=True)


def measure(store: Store, home: Path, browser: str, decisions: int) -> Iterator[Figure]:
    from playwright.sync_api import sync_playwright

    facts = store.facts(store.new_world(WorldKind.PAPER, "page"))
    last = write(facts, decisions)
    port = free_port()
    environment = {**os.environ, "TANDEM_HOME": str(home), "TANDEM_WEBSOCKET__MODE": "alpaca"}
    watch = Stopwatch()
    command = [sys.executable, "-m", "tandem", "dashboard", "--port", str(port), "--world", str(facts.world)]
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as page, sync_playwright() as play:
        try:
            until_answered(address)
            yield Figure(f"from its start to its first answer, {decisions:,} decisions", watch.seconds, "s")
            chromium = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            for name in PAGES:
                painted = statistics.median(paint(chromium, f"{address}/{name}") for _ in range(VISITS))
                yield at_most(f"first contentful paint of /{name}", painted, "s", PAINT_SECONDS)
            yield from news(chromium, address, facts, last)
            yield Figure("memory of the page's process", psutil.Process(page.pid).memory_info().rss / 2**20, "MiB")
        finally:
            page.terminate()


def write(facts: Facts, decisions: int) -> datetime:
    """Decisions of every five minutes, a session after another; the moment of the last."""
    day, made, at = FIRST, 0, datetime.min.replace(tzinfo=UTC)
    facts.append(Record(Capital(CASH), FIRST, datetime(2024, 1, 2, 11, tzinfo=UTC), "capital"))
    while made * len(PAIRS) < decisions:
        session = Calendar().session(day) or Calendar().after(day)
        day = Calendar().after(session.day).day
        records: list[Record] = []
        for at in session.decisions:
            records += [mark(at, made), *(signal(pair, at, made) for pair in PAIRS)]
            made += 1
        facts.append(*records)
    return at


def mark(at: datetime, number: int) -> Record[Mark]:
    equity = CASH + number % 500
    body = Mark(equity, equity - CASH, equity - CASH, Decimal(0), Decimal(0))
    return Record(body, at.astimezone(NEW_YORK).date(), at, f"mark.{at.isoformat()}")


def signal(pair: Pair, at: datetime, number: int) -> Record[Signal]:
    z = (number % 37) / 10
    why, price = f"z {z:.2f} is inside the band", Decimal(100)
    body = Signal(pair, "hold", why, z, 0.01, 0.6, 0.55, 0.001, 1e-6, 0.01, None, "gru", price, price)
    return Record(body, at.astimezone(NEW_YORK).date(), at, f"signal.{at.isoformat()}.{pair}", str(pair))


def paint(chromium: Any, url: str) -> float:
    """Seconds until a fresh browser has painted something of a page."""
    context = chromium.new_context()
    visit = context.new_page()
    visit.goto(url)
    while not (entries := visit.evaluate(PAINTED)):
        time.sleep(0.01)
    context.close()
    return float(entries[0]) / 1000


def news(chromium: Any, address: str, facts: Facts, last: datetime) -> Iterator[Figure]:
    """How long after its append a decision's equity is on the page."""
    visit = chromium.new_page()
    visit.goto(address)
    took = []
    for number in range(NEWS):
        equity = CASH + 7_000 + number
        at = last + timedelta(minutes=5 * (number + 1))
        body = Mark(equity, equity - CASH, equity - CASH, Decimal(0), Decimal(0))
        watch = Stopwatch()
        facts.append(Record(body, at.astimezone(NEW_YORK).date(), at, f"mark.{at.isoformat()}"))
        visit.get_by_text(f"${equity:,.2f}").first.wait_for(timeout=10_000)
        took.append(watch.seconds)
        time.sleep(0.3)
    yield at_most("from a fact to its figure on the page, median", statistics.median(took), "s", NEWS_SECONDS)
    yield at_most("from a fact to its figure on the page, slowest", max(took), "s", NEWS_SECONDS)


def until_answered(address: str) -> None:
    watch = Stopwatch()
    while watch.seconds < 60:
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.02)
    raise SystemExit("the page does not answer")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
