"""Time is an argument: only market/clock.py reads the wall clock."""

import ast
import re

import pytest

CLOCK = "src/tandem/market/clock.py"

READS = {
    f"{module}.{name}"
    for module, names in {
        "time": "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns "
        "thread_time sleep localtime gmtime ctime asctime clock_gettime",
        "datetime.datetime": "now utcnow today",
        "datetime.date": "today",
        "pandas.Timestamp": "now utcnow today",
        "pandas.Period": "now",
        "email.utils": "formatdate localtime",
        "asyncio": "sleep get_running_loop().time get_event_loop().time",
        "uuid": "uuid1",
        "sqlalchemy.func": "now current_timestamp current_date localtimestamp clock_timestamp",
    }.items()
    for name in names.split()
}
PARSERS = {"Timestamp", "to_datetime", "datetime64", "array"}
SQL = re.compile(r"\b(now|clock_timestamp|transaction_timestamp)\(\)|\bcurrent_(timestamp|date)\b", re.IGNORECASE)

# What may read it beside the clock, and why no decision depends on it.
PACE = "a replay at people's pace; its market time is its own"
DELAY = "delays on purpose, to prove that they change nothing"
ALLOWED = {
    ("src/tandem/store/migrations/versions/0001_first.py", "now()"): "when a row was written, for people to read",
    ("src/tandem/store/migrations/versions/0005_trials.py", "now()"): "when a trial was counted, for people to read",
    ("src/tandem/recycler/metronome.py", "asyncio.sleep"): PACE,
    ("src/tandem/recycler/metronome.py", "asyncio.get_running_loop().time"): PACE,
    ("src/tandem/recycler/stream/publisher.py", "asyncio.sleep"): "gives way for an instant; nothing is timed",
    (
        "src/tandem/recycler/stream/stock_stream.py",
        "asyncio.get_running_loop().time",
    ): "how long a door stays shut on purpose",
    ("src/tandem/recycler/faults/answers.py", "asyncio.sleep"): DELAY,
    ("src/tandem/recycler/stream/outbox.py", "asyncio.sleep"): DELAY,
    ("src/tandem/recycler/stream/outbox.py", "asyncio.get_running_loop().time"): DELAY,
}


def readings(module):
    """Every reading of the wall clock: line and what reads it."""
    quiet = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(module.tree):
        if name := named(node, module.names) or parses_now(node) or (id(node) not in quiet and asks_database(node)):
            yield node.lineno, name


def named(node, names):
    """The name of a function that reads the wall clock."""
    name = dotted(node, names)
    return name if name in READS else ""


def dotted(node, names):
    """`datetime.datetime.now` for `datetime.now` after `from datetime import datetime`."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value, names)}.{node.attr}"
    return f"{dotted(node.func, names)}()" if isinstance(node, ast.Call) else ""


def parses_now(node):
    """`Timestamp("now")` and the like."""
    if not isinstance(node, ast.Call):
        return ""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    first = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
    return f"{name}({first!r})" if name in PARSERS and first in ("now", "today") else ""


def asks_database(node):
    """`now()` in a text of SQL."""
    found = SQL.search(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
    return found.group().lower() if found else ""


def test_only_the_clock_reads_the_wall_clock(modules):
    strays = [
        f"{module.path}:{line} {name}"
        for module in modules
        if module.path != CLOCK
        for line, name in readings(module)
        if (module.path, name) not in ALLOWED
    ]
    assert "\n".join(strays) == ""


def test_every_exception_is_still_needed(modules):
    found = {(module.path, name) for module in modules for _, name in readings(module)}
    assert set(ALLOWED) <= found


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.time()",
        "import time as t\nt.monotonic()",
        "from time import sleep as rest\nrest(1)",
        "import datetime\ndatetime.datetime.now()",
        "import datetime as dt\ndt.date.today()",
        "from datetime import datetime, UTC\nstamp = datetime.now",
        "from datetime import date\ndate.today()",
        "def late():\n    import pandas as pd\n    return pd.Timestamp.now('UTC')",
        "import pandas as pd\npd.Timestamp('now')",
        "import numpy as np\nnp.datetime64('today')",
        "import asyncio\nasync def f():\n    await asyncio.sleep(1)",
        "import asyncio\nasyncio.get_running_loop().time()",
        "from sqlalchemy import func\nfunc.now()",
        "connection.execute('select now()')",
    ],
)
def test_a_reading_of_the_wall_clock_is_found(parse, text):
    assert len(list(readings(parse(text)))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import datetime\ndatetime.fromisoformat('2023-01-03')",
        "clock.now()",
        "def f(self):\n    '''Uses no now() of its own.'''\n    return self.now()",
        "import threading\nthreading.Event().wait(0.1)",
        "from tandem.market import Stopwatch\nStopwatch().seconds",
    ],
)
def test_what_is_no_reading_is_let_through(parse, text):
    assert list(readings(parse(text))) == []
