from datetime import UTC, date, datetime

import pytest
from rich.console import Console

from tandem.cli.told import Told, printed_on
from tandem.execution import Outcome, PairOrderEnded
from tandem.market import World, WorldKind
from tandem.store import MemoryFacts, Record

NOON = datetime(2023, 1, 25, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (
            Outcome.STUCK,
            "12:00 AAPL/IBM   stuck: every attempt to exit is spent and a leg is short; look at the account",
        ),
        (Outcome.UNWOUND, "12:00 AAPL/IBM   unwound: one leg was not filled in time"),
        (Outcome.FILLED, ""),
    ],
)
def test_a_person_is_told_how_a_pair_order_went_wrong(
    outcome: Outcome, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = MemoryFacts(World(WorldKind.PAPER, 1))
    ended = PairOrderEnded("paper-1.x", "exit", outcome, 180.0, 3)
    Told(facts, printed_on(Console(highlight=False))).append(
        Record(ended, date(2023, 1, 25), NOON, "ended.x.exit", "AAPL/IBM")
    )
    assert capsys.readouterr().out.strip() == words
    assert len(facts.read(PairOrderEnded)) == 1
