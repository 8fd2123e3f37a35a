"""`config.yaml` changed in place."""

import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.config import edit_lists, load
from tandem.market import ConfigError

FLOW = """\
# mine
websocket:          # the stream
  mode: "recycler"
  symbols: ["AAPL", "PDFS", "ROG"]
  recycler:
    symbols: ["AAPL", "PDFS", "ROG"]
    loop_count: -1  # -1 = infinite loop

# keys are in .env
alpaca:
  paper: true
"""
BLOCK = """\
websocket:
    symbols:
      # first
      - AAPL    # apple
      - ON      # a ticker, not a switch

    # the recycler
    recycler:
        symbols:
          - AAPL
          - ON

# the end of it
costs: {impact: 1e-1}
"""
TICKERS = st.lists(st.from_regex(r"[A-Z][A-Z0-9.]{0,4}", fullmatch=True), min_size=1, max_size=6, unique=True)


def edited(path: Path, text: str, *words: str) -> str:
    path.write_text(text)
    edit_lists(path, {"websocket.symbols": words, "websocket.recycler.symbols": words})
    return path.read_text()


def test_a_list_on_one_line_gets_its_words_and_nothing_else_changes(tmp_path: Path) -> None:
    after = edited(tmp_path / "config.yaml", FLOW, "AAPL", "PDFS", "ROG", "MSFT")
    assert after == FLOW.replace('"ROG"]', '"ROG", "MSFT"]')


def test_a_list_of_lines_keeps_the_comments_of_what_stays_and_of_what_follows(tmp_path: Path) -> None:
    after = edited(tmp_path / "config.yaml", BLOCK, "AAPL", "MSFT")
    expected = BLOCK.replace("      - ON      # a ticker, not a switch\n", "      - MSFT\n")
    assert after == expected.replace("          - ON\n", "          - MSFT\n")
    assert edited(tmp_path / "config.yaml", BLOCK, "AAPL", "ON") == BLOCK


def test_missing_keys_blocks_and_files_are_made(tmp_path: Path) -> None:
    for number, text in enumerate(["", "websocket:\n", "websocket:\n  mode: alpaca  # live\nscreen: {}\n"]):
        file = tmp_path / f"{number}.yaml"
        edited(file, text, "ON", "NO")
        found = load(file, {}).websocket
        assert found.symbols == found.recycler.symbols == ["ON", "NO"]
    edit_lists(tmp_path / "new.yaml", {"websocket.symbols": ["MSFT"]})
    assert load(tmp_path / "new.yaml", {}).websocket.symbols == ["MSFT"]
    assert stat.S_IMODE((tmp_path / "new.yaml").stat().st_mode) == 0o600


def test_permissions_links_and_line_ends_stay(tmp_path: Path) -> None:
    file, link = tmp_path / "real.yaml", tmp_path / "config.yaml"
    file.write_bytes(FLOW.replace("\n", "\r\n").encode())
    file.chmod(0o644)
    link.symlink_to(file)
    edit_lists(link, {"websocket.symbols": ["MSFT"]})
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert file.read_bytes().count(b"\r\n") == file.read_bytes().count(b"\n") == FLOW.count("\n")
    assert load(link, {}).websocket.symbols == ["MSFT"]


def test_what_would_not_be_valid_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(FLOW)
    with pytest.raises(ConfigError, match=r"config\.yaml: websocket\.symbols\.0 is 'msft'"):
        edit_lists(file, {"websocket.symbols": ["msft"]})
    assert file.read_text() == FLOW
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_no_yaml_is_one_line_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("websocket: [")
    with pytest.raises(ConfigError, match="is not YAML"):
        edit_lists(file, {"websocket.symbols": ["MSFT"]})
    assert file.read_text() == "websocket: ["


@settings(max_examples=40, deadline=None)
@given(first=TICKERS, then=TICKERS, text=st.sampled_from([FLOW, BLOCK, ""]))
def test_whatever_is_written_is_read_back_and_comments_outside_the_lists_stay(
    tmp_path_factory: pytest.TempPathFactory, first: list[str], then: list[str], text: str
) -> None:
    file = tmp_path_factory.mktemp("config") / "config.yaml"
    edited(file, text, *first)
    edited(file, file.read_text(), *then)
    assert load(file, {}).websocket.symbols == then
    for comment in ("# mine", "# keys are in .env", "# the recycler", "# the end of it", "# -1 = infinite loop"):
        assert (comment in file.read_text()) == (comment in text)
