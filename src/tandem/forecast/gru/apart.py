"""Training by the compiled loops: one network to a core."""

from typing import Final

from tandem.forecast.gru.kernel import Room, figures, room_for, teach
from tandem.forecast.gru.lesson import Epoch
from tandem.forecast.gru.study import Block, Study

# So many sequences at once keep what is worked on in the nearest cache.
AT_ONCE: Final = 32


def learn(study: Study) -> None:
    """Run all of a study's epochs."""
    course, layout = study.course, study.course.layout
    steps = study.train[0].shape[1]
    rows = max(AT_ONCE, min(study.settings.batch_size, len(study.train[1])))
    room = room_for(rows, steps, layout.features, layout.width, layout.size)
    while not course.has_ended:
        _teach(study, room)
        held_out = (None, None) if study.validation is None else _figures(study, study.validation, room)
        study.note(Epoch(*_figures(study, study.train, room), *held_out))


def _teach(study: Study, room: Room) -> None:
    course, recipe, chance = study.course, study.settings, study.shuffle()
    teach(
        course.weights, course.means, course.squares, study.turn, *study.train, chance.order, chance.kept,
        recipe.batch_size, recipe.learning_rate, recipe.dropout_rate, course.layout.width, room,
    )  # fmt: skip


def _figures(study: Study, block: Block, room: Room) -> tuple[float, float]:
    return figures(study.course.weights, *block, AT_ONCE, study.course.layout.width, room)
