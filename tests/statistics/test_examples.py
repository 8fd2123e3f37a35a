"""The page on the statistics from Python."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "statistics-api.md"


def test_the_lines_of_the_page_run_and_find_the_true_pair(capsys):
    (lines,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    found: dict[str, object] = {}
    exec(compile(lines, str(PAGE), "exec"), found)
    assert found["pairs"].tolist() == [[0, 1]]
    assert found["markets"].low <= found["null"].passing <= found["markets"].high
    assert capsys.readouterr().out.count("\n") >= 3
