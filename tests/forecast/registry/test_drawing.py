"""Pictures drawn beside other work are the pictures drawn alone."""

import pytest

from tandem.forecast.registry import drawing
from tandem.forecast.registry.drawing import Drawing
from tandem.forecast.registry.pictures import pictures


@pytest.mark.parametrize("least", [24, pytest.param(1, marks=pytest.mark.slow)])
def test_pictures_are_the_same_in_processes_and_without(passport, model, tmp_path, monkeypatch, least):
    monkeypatch.setattr(drawing, "LEAST_FOR_PROCESSES", least)
    with Drawing([(passport, model)]) as drawn:
        drawn.keep(passport.pair, tmp_path)
        drawn.keep(type(passport.pair)("X", "Y"), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == pictures(passport, model)


def test_nothing_is_drawn_where_the_work_beside_it_fails(passport, model, tmp_path):
    def fails():
        with Drawing([(passport, model)]) as drawn:
            drawn.keep(passport.pair, tmp_path)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert list(tmp_path.iterdir()) == []
