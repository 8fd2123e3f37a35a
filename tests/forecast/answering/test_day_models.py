"""The day's models, asked from outside: the same answers from this process and from MLflow's."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest

from tandem.forecast import DayModels
from tandem.forecast.registry.package import package
from tandem.market import DataError

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:mlflow.*"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]


@pytest.fixture(scope="module")
def day(passport, model, passport_of, simulated_closes):
    """Two pairs, one of which its GRU trades."""
    closes = simulated_closes(500, seed=9)
    other = passport_of(*closes, pair="MSFT/IBM")
    by_gru = replace(model, trades_with="gru")
    return [passport, other], {passport.pair: by_gru, other.pair: replace(model, pair=other.pair)}


@pytest.fixture(scope="module")
def rows(day):
    """Every answer there is: by the GRU, by the baseline, out of range, an unknown pair."""
    first, second = day[0]
    jumped = [*first.closes_a[:-1], 3 * first.closes_a[-1]]
    return [
        {"pair": str(first.pair), "closes_a": list(first.closes_a), "closes_b": list(first.closes_b)},
        {"pair": str(second.pair), "closes_a": list(second.closes_a), "closes_b": list(second.closes_b)},
        {"pair": str(first.pair), "closes_a": jumped, "closes_b": list(first.closes_b)},
        {"pair": "X/Y", "closes_a": [1.0, 2.0], "closes_b": [1.0, 2.0]},
    ]


def test_each_answer_is_the_pair_models_own(day, rows):
    passports, models = day
    answers = DayModels(*day).answers(rows)
    for passport, answer in zip(passports, answers, strict=False):
        spread = passport.formation_spread
        forecast = models[passport.pair].forecast(spread, passport, float(passport.z(spread)[-1]))
        assert answer == {**asdict(forecast), "refusal": ""}
    assert [answer["model"] for answer in answers] == ["gru", "baseline", "", ""]
    assert "beyond the training range" in answers[2]["refusal"]
    assert answers[3]["refusal"] == "X/Y is no pair of this day"
    assert all(math.isnan(answer["probability"]) for answer in answers[2:])
    assert DayModels(*day).pairs == ("MSFT/IBM", "NVDA/AAPL")


def test_mlflow_gives_the_same_numbers_to_the_last_bit(day, rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = package(tmp_path, *day)
    import mlflow
    import pandas as pd

    served = mlflow.pyfunc.load_model(str(folder))
    said = served.predict(pd.DataFrame(rows)).to_dict("records")
    for theirs, ours in zip(said, DayModels(*day).answers(rows), strict=True):
        assert set(theirs) == set(ours)
        for name, value in ours.items():
            assert theirs[name] == value or (math.isnan(theirs[name]) and math.isnan(value))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pair": 7}, "row 1: pair is no text"),
        ({"pair": None}, "row 1: pair is no text"),
        ({"closes_a": None}, "row 1: closes_a is no list of numbers"),
        ({"closes_a": "1, 2"}, "row 1: closes_a is no list of numbers"),
        ({"closes_a": ["1", "2"]}, "row 1: closes_a is no list of numbers"),
        ({"closes_b": [[1.0, 2.0]]}, "row 1: closes_b is no list of numbers"),
        ({"closes_b": [[1.0], 2.0]}, "row 1: closes_b is no list of numbers"),
        ({"closes_b": [True, False]}, "row 1: closes_b is no list of numbers"),
        ({"closes_b": [10**400, 1]}, "row 1: closes_b is no list of numbers"),
        ({"closes_b": [1.0, 0.0]}, "row 1: closes_b needs two bars at least, each a price above 0"),
        ({"closes_b": [1.0, float("nan")]}, "row 1: closes_b needs two bars at least"),
        ({"closes_b": [1.0]}, "row 1: closes_b needs two bars at least"),
        ({"closes_b": []}, "row 1: closes_b is no list of numbers|row 1: closes_b needs two bars"),
        ({"closes_b": [1.0, 2.0, 3.0]}, "row 1: closes_a has 600 bars and closes_b 3"),
    ],
)
def test_a_row_that_is_none_is_one_clear_line(day, rows, change, said):
    with pytest.raises(DataError, match=said):
        DayModels(*day).answers([rows[0], {**rows[0], **change}])


def test_a_row_that_lacks_a_leg_says_which(day):
    with pytest.raises(DataError, match="row 0 has no closes_b"):
        DayModels(*day).answers([{"pair": "NVDA/AAPL", "closes_a": [1.0, 2.0]}])


def test_arrays_and_whole_numbers_are_closes_too(day):
    row = {"pair": "NVDA/AAPL", "closes_a": np.arange(1, 50), "closes_b": list(range(1, 50))}
    assert len(DayModels(*day).answers([row])) == 1


def test_nothing_asked_is_nothing_answered(day):
    assert DayModels(*day).answers([]) == []
