"""`tandem recycler` and `tandem stream`, as a person uses them: processes, sockets, a store."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tandem.cli.recycler import _is_date, speed
from tandem.market import RecyclerError

ROOT = Path(__file__).parents[2]
CONFIG = """\
websocket:
  symbols: [AAPL, PDFS]
  recycler:
    symbols: [AAPL, PDFS]
    timestamps: original
"""
CSV = "symbol,start,open,high,low,close,volume\n" + "".join(
    f"AAPL,2025-06-23T{9 + minute // 60:02}:{minute % 60:02}:00,100,101,99,100.5,1000\n" for minute in range(30, 420)
)

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration, and a store with a day of AAPL."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "bars.csv").write_text(CSV)
    assert command(folder, "data", "load", "bars.csv").returncode == 0
    return folder


def environment(folder: Path, **more: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TANDEM_", "APCA_"))}
    return {**clean, "TANDEM_HOME": str(folder / "home"), "COLUMNS": "160", **more}


def command(folder: Path, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tandem", *words],
        check=False,
        cwd=folder,
        env=environment(folder, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def _until(line: Callable[[], str], start: str) -> str:
    said = ""
    while not (told := line()).startswith(start) and told:
        said += told
    return said + told


@pytest.fixture(scope="module")
def recycler(home: Path) -> Iterator[str]:
    """The address of one that plays an hour of market time a second."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tandem", "recycler", "start", "--port", "0", "--speed", "1200"],
        cwd=home,
        env=environment(home, TANDEM_RECYCLER_TOKEN="the-token"),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = _until(process.stdout.readline, "reach it")
    assert said.startswith("recycler-1 replays AAPL, PDFS: loop, 1200x.")
    assert "\nPDFS plays AAPL's bars\n" in said
    found = re.search(r"(ws://\S+?)/v2/iex", said)
    assert found is not None
    assert f"`tandem recycler status --port {found[1].rpartition(':')[2]}`" in said
    yield found[1]
    process.send_signal(signal.SIGINT)
    process.stdout.close()
    assert process.wait(10) == 130


@pytest.fixture
def tell(home: Path, recycler: str) -> Run:
    def told(*words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        given = {"TANDEM_RECYCLER_TOKEN": "the-token", "TANDEM_WEBSOCKET__RECYCLER__SERVER_URL": recycler}
        return command(home, *words, **{**given, **more})

    return told


def test_the_clock_is_moved_by_hand(tell: Run) -> None:
    assert "state  paused, 1200x\n" in tell("recycler", "pause").stdout
    assert "2025-06-23T13:31:00Z" in tell("recycler", "seek", "2025-06-23T09:31").stdout
    told = tell("recycler", "step", "2").stdout
    assert told == "time   2025-06-23T13:33:00Z (Mon 09:33 New York)\nstate  paused, 1200x\n"
    assert "paused, max" in tell("recycler", "speed", "max").stdout
    assert "paused, 1200x" in tell("recycler", "speed", "1200x").stdout
    assert "playing, 1200x" in tell("recycler", "resume").stdout
    assert "proxies       PDFS AAPL" in tell("recycler", "status").stdout


def test_a_port_names_a_recycler_as_well_as_its_url(home: Path, recycler: str) -> None:
    port = recycler.rpartition(":")[2]
    for where in (["--port", port], ["--url", recycler], ["--url", f"http://localhost:{port}"]):
        assert "proxies" in command(home, "recycler", "status", *where, TANDEM_RECYCLER_TOKEN="the-token").stdout


def test_a_wrong_token_and_a_wrong_word_are_one_line(tell: Run) -> None:
    done = tell("recycler", "pause", TANDEM_RECYCLER_TOKEN="another")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "Set TANDEM_RECYCLER_TOKEN." in done.stderr
    assert "sideways is no speed" in tell("recycler", "speed", "sideways").stderr
    assert "neither a date nor a moment" in tell("recycler", "seek", "noon").stderr
    assert "no scenario nonsense" in tell("recycler", "scenario", "nonsense").stderr


def test_faults_are_armed_listed_and_cleared(tell: Run) -> None:
    assert "drop-bars  symbol AAPL" in tell("recycler", "faults", "add", "drop-bars", "--symbol", "AAPL").stdout
    assert "drop-bars" in tell("recycler", "faults").stdout
    assert tell("recycler", "faults", "clear").stdout == "No fault is in force.\n"
    assert tell("recycler", "faults").stdout == "No fault is in force.\n"
    assert "bad-monday: " in tell("recycler", "scenario").stdout


def test_check_passes_where_every_symbol_arrives_and_fails_where_one_does_not(tell: Run) -> None:
    tell("recycler", "seek", "2025-06-23T09:31")
    done = tell("recycler", "check")
    assert done.returncode == 0, done.stdout
    assert re.search(r"PDFS\s+│ AAPL\s+│", done.stdout)
    assert "as it should be." in done.stdout
    tell("recycler", "seek", "2025-06-23T09:31")
    tell("recycler", "faults", "add", "drop-bars", "--symbol", "AAPL", "--every", "1")
    failed = tell("recycler", "check")
    tell("recycler", "faults", "clear")
    assert failed.returncode == 1
    assert "no bar" in failed.stdout


def test_check_says_why_nothing_arrives(tell: Run) -> None:
    tell("recycler", "pause")
    done = tell("recycler", "check")
    tell("recycler", "resume")
    assert (done.returncode, done.stdout) == (1, "The clock stands: `tandem recycler resume` lets it go on.\n")


def test_the_stream_keeps_bars_with_their_source_and_says_how_many(tell: Run) -> None:
    tell("recycler", "seek", "2025-06-23T10:00")
    done = tell("stream", "--count", "20")
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d+ bars, \d+ of them new in the store", done.stdout)


def test_the_scripts_of_the_mission_are_these_commands(home: Path, recycler: str) -> None:
    def script(name: str, *words: str) -> "subprocess.CompletedProcess[str]":
        given = {"TANDEM_RECYCLER_TOKEN": "the-token", "TANDEM_WEBSOCKET__RECYCLER__SERVER_URL": recycler}
        return subprocess.run(
            [sys.executable, ROOT / "scripts" / name, *words],
            check=False,
            cwd=home,
            env=environment(home, **given),
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert "AAPL: 390 records available" in script("manage_symbols.py", "status").stdout
    assert "tandem recycler start" in script("start_data_recycler.py", "--help").stdout
    assert "tandem stream" in script("run_configurable_websocket.py", "--help").stdout
    assert "tandem recycler check" in script("test_multi_symbol_recycler.py", "--help").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "70000"], "there is no port 70000"),
        (["--speed", "0"], "a speed of 0 goes nowhere"),
        (["--mode", "date_range"], "mode date_range has no dates"),
        (["--splice", "2025-06-23,noon"], "noon is no date"),
        (["--proxies", "PDFS"], "--proxies PDFS is not SYMBOL=PROXY"),
    ],
)
def test_a_start_that_makes_no_sense_is_one_line(home: Path, words: list[str], said: str) -> None:
    done = command(home, "recycler", "start", *words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr


def test_lists_are_read_with_commas_and_spaces_and_a_timeframe_as_it_is_written(home: Path, recycler: str) -> None:
    words = ["--splice", "2025-06-23,2025-06-23", "2025-06-23", "--symbols", "AAPL, PDFS", "--timeframe", "1Min"]
    said = command(home, "recycler", "start", *words, "--port", recycler.rpartition(":")[2]).stderr
    assert "is taken" in said


def test_a_start_that_fails_uses_up_no_world(home: Path, recycler: str) -> None:
    port = recycler.rpartition(":")[2]
    for _ in range(2):
        assert f"port {port} is taken" in command(home, "recycler", "start", "--port", port).stderr
    said = command(home, "recycler", "reset", "--cash", "50000").stdout
    assert said == "recycler-2: a new account with $50,000; the next `tandem recycler start` uses it.\n"


def test_without_a_recycler_the_stream_says_so(home: Path) -> None:
    done = command(home, "stream", TANDEM_WEBSOCKET__RECYCLER__SERVER_URL="ws://localhost:9")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "no recycler answers at localhost:9" in done.stderr


def test_the_stream_at_alpaca_needs_keys(home: Path) -> None:
    done = command(home, "stream", TANDEM_WEBSOCKET__MODE="alpaca")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "no keys for Alpaca" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_stream_ends_cleanly_when_it_is_told_to(home: Path, recycler: str, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tandem", "stream"],
        cwd=home,
        env=environment(home, TANDEM_RECYCLER_TOKEN="the-token", TANDEM_WEBSOCKET__RECYCLER__SERVER_URL=recycler),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    assert any("Ctrl-C ends it." in line for line in lines)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert re.search(r"\d+ bars, \d+ of them new in the store", out)


def test_a_speed_that_goes_nowhere_is_no_word_for_the_fastest() -> None:
    with pytest.raises(RecyclerError, match=r"a speed of 0 goes nowhere\. Give one above 0, or max; `pause`"):
        speed("0")
    with pytest.raises(RecyclerError, match="nan is no speed"):
        speed("nan")
    assert (_is_date("2023-01-25"), _is_date("2023-01-25T10:30")) == (True, False)
