import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import requests

from tandem.market import RecyclerError, Timeframe, World, WorldKind
from tandem.recycler import Launched, Options, launch
from tandem.recycler.server import main
from tandem.store import Store


def test_a_recycler_says_where_it_stands_and_ends_when_let_go(options: Options) -> None:
    with launch(replace(options, world=World(WorldKind.RECYCLER, 7, 2))) as recycler:
        said = requests.get(recycler.http + "/control/status", timeout=5).json()
        assert (said["world"], said["time"], said["ended"]) == ("recycler-7-2", "2023-01-04T11:00:00Z", False)
        assert said["symbols"] == ["AAPL", "MSFT"]
    assert recycler.process.returncode == 0


def test_it_dies_with_the_parent_that_held_its_lifeline(options: Options, tmp_path: Path) -> None:
    parent = (
        "import os, sys; from tandem.recycler import Options, launch\n"
        "print(launch(Options.parse(sys.argv[1:])).process.pid, flush=True); os._exit(9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", parent, *options.arguments()], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 9, done.stderr
    with pytest.raises(ProcessLookupError):
        _wait_for_end(int(done.stdout))


def _wait_for_end(pid: int) -> None:
    for _ in range(100):
        os.kill(pid, 0)
        threading.Event().wait(0.05)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_that_is_taken_is_one_line_and_status_two(
    options: Options, taken: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(replace(options, port=taken).arguments()) == 2
    assert capsys.readouterr().err == (
        f"tandem recycler: port {taken} is taken. Stop what listens there, or choose another with --port.\n"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"symbols": ("AAPL", "ZZZ", "YYY")}, "no 1-minute bars of YYY, ZZZ from the first to the last day stored. "),
        ({"start": date(2024, 1, 2)}, "no 1-minute bars of AAPL, MSFT from 2024-01-02 to the last day stored. "),
        ({"bars": Path("/nowhere.parquet")}, "/nowhere.parquet cannot be read as bars. "),
        ({"token_file": Path("/nowhere")}, "/nowhere cannot be read. "),
    ],
)
def test_what_it_cannot_replay_it_says_in_one_line(
    options: Options, change: dict[str, object], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(replace(options, **change).arguments()) == 2  # type: ignore[arg-type]
    said = capsys.readouterr().err
    assert said.startswith(f"tandem recycler: {words}")
    assert said.count("\n") == 1


def test_a_store_that_is_away_is_one_line(
    options: Options, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TANDEM_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    assert main(replace(options, bars=None).arguments()) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_process_that_cannot_start_hands_its_words_to_its_parent(options: Options) -> None:
    with pytest.raises(RecyclerError, match=r"the recycler did not start: no 1-minute bars of ZZZ .*tandem data load"):
        launch(replace(options, symbols=("ZZZ",)))


def test_bars_come_from_the_store(options: Options, store: Store, bars: pd.DataFrame) -> None:
    store.bars.load(bars, timeframe=Timeframe.MIN_1, source="sample")
    with launch(replace(options, bars=None), {"TANDEM_DATABASE_URL": store.url}) as recycler:
        said = requests.get(recycler.http + "/control/status", timeout=5).json()
        assert said["first"] == "2023-01-04T11:00:00Z"


def test_without_lockstep_it_plays_at_its_speed_and_stays_up_at_the_end(start: Callable[..., Launched]) -> None:
    status = start(lockstep=False, speed=120_000.0).http + "/control/status"
    for _ in range(200):
        said = requests.get(status, timeout=5).json()
        if said["ended"]:
            break
        threading.Event().wait(0.02)
    assert (said["ended"], said["time"], said["bars"]) == (True, "2023-01-04T21:00:00Z", 780)
    assert requests.get(status, timeout=5).ok


def test_the_control_api_wants_its_token_and_no_browser(start: Callable[..., Launched], tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("open sesame\n")
    status = start(token_file=file).http + "/control/status"
    asked = {"Authorization": "Bearer open sesame"}
    assert requests.get(status, timeout=5).status_code == 403
    assert requests.get(status, headers={"Authorization": "Bearer close"}, timeout=5).status_code == 403
    assert requests.get(status, headers={**asked, "Origin": "http://evil.example"}, timeout=5).status_code == 403
    assert requests.get(status, headers=asked, timeout=5).status_code == 200


def test_control_refuses_what_it_does_not_understand(standing: Launched) -> None:
    def post(path: str, body: object) -> tuple[int, str]:
        answer = requests.post(standing.http + path, json=body, timeout=5)
        return answer.status_code, answer.json()["message"]

    assert post("/control/desks", {"desk": "d", "symbols": ["AAPL", "ZZZ"]}) == (422, "not on the reel: ZZZ")
    assert post("/control/desks", {})[0] == 422
    assert post("/control/ready", {"desk": "x", "through": "2023-01-04T14:30:00Z"}) == (404, "no desk x is registered")
    assert post("/control/ready", {"desk": "x", "through": "2023-01-04T14:30:00"}) == (422, "through needs a zone")
    assert requests.delete(standing.http + "/control/desks/x", timeout=5).status_code == 404
