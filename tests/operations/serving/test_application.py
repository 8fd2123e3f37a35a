"""The server over real sockets: whoever asks, and whatever is asked."""

import json
from concurrent.futures import ThreadPoolExecutor
from math import exp
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem import __version__
from tandem.forecast import DayModels
from tandem.operations.serving.application import LARGEST_BODY

TOKEN = "open, please, it is me"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
ROWS = [
    {"pair": "A/B", "closes_a": [100.0, 100.0 * exp(0.01 * z)], "closes_b": [100.0, 100.0]} for z in (0.1, 1.7, -2.5)
]
FUZZ = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def ask(url: str, body: Any, **headers: str) -> requests.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return requests.post(f"{url}/invocations", data=content, headers={**HEADERS, **headers}, timeout=20)


def assert_refused(answer: requests.Response, status: int) -> str:
    """One line in MLflow's form, and nothing of the inside."""
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert set(told) == {"error_code", "message"}
    assert "\n" not in told["message"]
    assert "Traceback" not in answer.text
    return str(told["message"])


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_records": ROWS},
        {"instances": ROWS},
        {"inputs": ROWS},
        {"inputs": {name: [row[name] for row in ROWS] for name in ROWS[0]}},
        {"dataframe_split": {"columns": list(ROWS[0]), "data": [list(row.values()) for row in ROWS]}},
        {"dataframe_split": {"index": [0, 1, 2], "columns": list(ROWS[0]), "data": [list(r.values()) for r in ROWS]}},
        {"dataframe_records": [{**row, "note": "passed over"} for row in ROWS], "params": {}},
    ],
    ids=["records", "instances", "inputs-rows", "inputs-columns", "split", "split-index", "more"],
)
def test_every_form_gets_the_models_own_answers(server: str, models: DayModels, body: dict[str, Any]) -> None:
    answer = ask(server, body)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"predictions": models.answers(ROWS)}
    assert [said["model"] for said in answer.json()["predictions"]] == ["baseline"] * 3


def test_a_pair_that_is_not_served_is_an_answer_with_its_reason(server: str) -> None:
    (said,) = ask(server, {"inputs": [{**ROWS[0], "pair": "X/Y"}]}).json()["predictions"]
    assert said["probability"] is None
    assert said["refusal"] == "X/Y is no pair of this day"


def test_no_rows_are_no_predictions(server: str) -> None:
    for nothing in ({"inputs": {}}, {"dataframe_records": []}, {"dataframe_split": {"columns": ["pair"], "data": []}}):
        assert ask(server, nothing).json() == {"predictions": []}


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer open", f"bearer {TOKEN}", TOKEN, f"Bearer {TOKEN} ", "Basic b3Blbg==", "\xff"],
)
def test_without_the_token_nothing_is_said(server: str, header: str) -> None:
    stripped = {"Content-Type": "application/json"} | ({"Authorization": header} if header else {})
    if header == f"Bearer {TOKEN} ":
        stripped["Authorization"] = f"Bearer {TOKEN}x"
    for method, path in (("POST", "/invocations"), ("GET", "/version")):
        answer = requests.request(method, server + path, data=b"{}", headers=stripped, timeout=20)
        assert TOKEN not in assert_refused(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"


def test_whoever_asks_whether_it_lives_needs_no_token(server: str) -> None:
    for path in ("/ping", "/health"):
        assert requests.get(server + path, timeout=20).status_code == 200
    assert requests.get(f"{server}/version", headers=HEADERS, timeout=20).text == __version__


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the body is no JSON"),
        (b"\xff\xfe", "the body is no JSON"),
        (b"[1, 2", "the body is no JSON"),
        (b"[" * 100_000, "the body"),
        (b'{"inputs": [{"pair": NaN}]}', "the body is no JSON"),
        ([], "the body has none of the known forms"),
        ({}, "the body has none of the known forms"),
        ({"inputs": [], "instances": []}, "the body has inputs and instances"),
        ({"dataframe_split": []}, "dataframe_split: "),
        ({"dataframe_split": {"columns": ["pair"], "data": [["A/B", 1]]}}, "row 0 does not have 1 values"),
        ({"dataframe_split": {"columns": [1], "data": []}}, "dataframe_split: "),
        ({"dataframe_records": {"pair": "A/B"}}, "dataframe_records is no list of objects"),
        ({"dataframe_records": [1]}, "dataframe_records is no list of objects"),
        ({"inputs": {"pair": ["A/B"], "closes_a": []}}, "no lists of one length"),
        ({"inputs": {"pair": "A/B"}}, "no lists of one length"),
        ({"inputs": "A/B"}, "inputs is no list of objects"),
        ({"inputs": [{"pair": "A/B"}]}, "row 0 has no closes_a"),
        ({"inputs": [ROWS[0], {**ROWS[0], "closes_b": [100.0, -1.0]}]}, "row 1: closes_b needs two bars at least"),
    ],
)
def test_a_malformed_request_gets_one_clear_line(server: str, body: Any, said: str) -> None:
    assert said in assert_refused(ask(server, body), 400)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.just("A/B"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["pair", "closes_a", "closes_b", "columns", "data", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@FUZZ
@given(form=st.sampled_from(["inputs", "instances", "dataframe_records", "dataframe_split", "else"]), content=JSON)
def test_no_json_gets_anything_but_an_answer_or_one_line(server: str, form: str, content: Any) -> None:
    answer = ask(server, {form: content})
    if answer.status_code == 200:
        assert set(answer.json()) == {"predictions"}
    else:
        assert_refused(answer, 400)


@FUZZ
@given(body=st.binary(max_size=200))
def test_no_bytes_get_anything_but_one_line(server: str, body: bytes) -> None:
    assert_refused(ask(server, body), 400)


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(server: str) -> None:
    said = assert_refused(ask(server, b" " * (LARGEST_BODY + 1)), 413)
    assert "16 MiB" in said
    chunks = iter([b" " * (1 << 20)] * 18)
    try:
        answer = requests.post(f"{server}/invocations", data=chunks, headers=HEADERS, timeout=20)
    except requests.ConnectionError:  # it hung up while we were still sending
        return
    assert_refused(answer, 413)


def test_what_is_no_json_by_its_own_word_is_refused(server: str) -> None:
    for kind in ("text/csv", "application/x-parquet", "application/jsonx"):
        assert kind in assert_refused(ask(server, {"inputs": ROWS}, **{"Content-Type": kind}), 415)
    assert ask(server, {"inputs": ROWS}, **{"Content-Type": "application/json; charset=utf-8"}).status_code == 200


def test_unknown_paths_and_methods_are_told_in_one_line(server: str) -> None:
    assert_refused(requests.get(f"{server}/", timeout=20), 404)
    assert_refused(requests.get(f"{server}/invocations", headers=HEADERS, timeout=20), 405)


def test_requests_at_once_get_each_its_own_answer(server: str, models: DayModels) -> None:
    def one(place: int) -> bool:
        row = {**ROWS[0], "closes_a": [100.0, 100.0 + place / 100]}
        return bool(ask(server, {"inputs": [row]}).json() == {"predictions": models.answers([row])})

    with ThreadPoolExecutor(12) as clients:
        assert all(clients.map(one, range(60)))
